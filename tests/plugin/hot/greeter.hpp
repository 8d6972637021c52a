#pragma once

#include "mark.hpp"

#include <shaddock/plugin.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <string>

namespace hot {

/// `port` of a server's record in servers.json, which the host itself does not use here.
struct greeter_record {
    std::optional<std::uint16_t> port;
};
BOOST_DESCRIBE_STRUCT(greeter_record, (), (port))

/// What only one generation can have at a time: a TCP port. Who connects is told which generation
/// has it, a number in a line.
class greeter {
    using tcp = boost::asio::ip::tcp;

public:
    greeter(shaddock::app& app, memory& known)
        : app_(app), known_(known), port_(shaddock::record_as<greeter_record>(app.self())->port) {}

    void on_serving() {
        if (port_) {
            const tcp::endpoint at(boost::asio::ip::address_v4::loopback(), *port_);
            acceptor_.emplace(app_.executor(), at);
            app_.spawn("greeter", greet());
        }
    }
    void on_replacing() { acceptor_.reset(); }
    void stop(shaddock::stop_reason) { acceptor_.reset(); }

private:
    shaddock::awaitable<void> greet() {
        for (;;) {
            auto next = acceptor_->async_accept(boost::asio::as_tuple(boost::asio::use_awaitable));
            auto [failed, guest] = co_await app_.until_end(std::move(next));
            if (failed) {
                co_return; // the port was let go
            }
            const auto text = std::to_string(known_.generation()) + "\n";
            boost::asio::write(guest, boost::asio::buffer(text), failed);
        }
    }

    shaddock::app& app_;
    memory& known_;
    std::optional<std::uint16_t> port_;
    std::optional<tcp::acceptor> acceptor_;
};

} // namespace hot
