#pragma once

#include "client.hpp"
#include "connection_set.hpp"
#include "memory_stream.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace shaddock::net::testing {

enum class form { websocket, packages };

/// One connection of a set; the test is its peer.
struct life {
    explicit life(form wanted = form::packages, listener_options options = {})
        : how(wanted), the_set(loop.get_executor(), clock, std::move(options)) {
        the_set.set_events(events);
    }

    void connect() {
        the_set.add(wire.make_stream(), {.from = *base::parse_ip("10.0.0.1"), .port = 1});
        settle();
    }
    void give(std::string_view packages) {
        wire.give(how == form::packages ? std::string(packages) : client::frame(packages));
        settle();
    }
    void log_in() {
        connect();
        if (how == form::websocket) {
            wire.give(protocol::make_upgrade_request("h", "/", protocol::make_websocket_key(1, 2)));
            settle();
        }
        give(package(package_type::handshake, "{}"));
        give(package(package_type::handshake_ack));
    }
    void settle() {
        loop.restart();
        loop.poll();
    }
    void pass(base::duration by) {
        clock.advance(by);
        settle();
    }
    /// The wire of one more client.
    memory_wire& another_wire() {
        return *others.emplace_back(std::make_unique<memory_wire>(loop.get_executor()));
    }
    std::size_t connections() { return the_set.counts().connections; }

    form how;
    bool is_kicked = false;
    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_events events;
    memory_wire wire{loop.get_executor()};
    std::vector<std::unique_ptr<memory_wire>> others;
    connection_set the_set;
};

} // namespace shaddock::net::testing
