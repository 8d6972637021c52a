#pragma once

#include "bus/bus.hpp"
#include "cluster/registry.hpp"
#include "net/listener.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::server {

/// A connection that remembers what it was told.
class fake_connection final : public net::connection {
public:
    explicit fake_connection(std::uint64_t id) : id_{id} {}
    net::connection_id id() const override { return id_; }
    const std::string& address() const override { return address_; }
    base::ip_address client_ip() const override { return base::parse_ip("192.0.2.1").value(); }
    base::ip_address reached_at() const override { return base::parse_ip("2001:db8::5").value(); }
    net::send_result send(const net::encoded_package& made) override {
        sent.push_back(made.bytes);
        return net::send_result::queued;
    }
    net::send_result send_package(std::string_view package) override {
        sent.emplace_back(package);
        return net::send_result::queued;
    }
    void kick(std::string_view reason) override { kicked.emplace_back(reason); }
    std::size_t pending_bytes() const override { return 0; }
    void charge(std::size_t messages) override { charged += messages; }

    std::vector<std::string> sent;
    void keep(std::size_t bytes) override { kept += bytes; }
    void give_back(std::size_t bytes) override { kept -= bytes; }

    std::size_t kept = 0;
    std::vector<std::string> kicked;
    std::size_t charged = 0;

private:
    net::connection_id id_;
    std::string address_ = "127.0.0.1:1";
};

/// A bus that keeps what is cast and answers no call; links are whatever the test says.
class fake_bus final : public bus::bus {
public:
    struct cast_record {
        std::string to;
        std::uint8_t kind;
        std::string bytes;
    };

    result<void> start(shaddock::bus::receiver&) override { return {}; }
    void observe(shaddock::bus::link_observer&) override {}
    void set_peers(std::vector<std::string>) override {}
    void call(std::string_view, shaddock::bus::envelope_view, base::time_point,
              base::unique_function<void(result<std::string>)>,
              const shaddock::bus::load&) override {}
    result<void> cast(std::string_view to, shaddock::bus::envelope_view what,
                      const shaddock::bus::load& of) override {
        if (!up.contains(std::string(to))) {
            return error(errc::no_server, "not linked");
        }
        if (auto fits = admits(to, what.bytes.size(), of); !fits) {
            return fits;
        }
        casts.push_back({std::string(to), what.kind, std::string(what.bytes)});
        return {};
    }
    result<void> admits(std::string_view to, std::size_t bytes,
                        const shaddock::bus::load&) override {
        const auto room = room_for.find(to);
        return room != room_for.end() && bytes > room->second ? error(errc::overloaded, "full")
                                                              : result<void>();
    }
    result<void> tell(std::string_view to, shaddock::bus::envelope_view what,
                      std::string_view) override {
        casts.push_back({std::string(to), what.kind, std::string(what.bytes)});
        return {};
    }
    bool is_linked(std::string_view id) const override { return up.contains(std::string(id)); }
    std::vector<shaddock::bus::peer> linked() const override { return peers; }
    const shaddock::bus::bus_counts& counts() const override { return counts_; }
    std::vector<shaddock::bus::link_queue> queues() const override { return {}; }
    std::size_t calls_in_flight() const override { return 0; }
    void report_dead(const shaddock::bus::peer&) override {}
    void report_own_death(std::string_view) override {}
    void stop(base::unique_function<void()> done) override { done(); }

    std::set<std::string> up;
    std::vector<shaddock::bus::peer> peers;
    /// The longest cast that is admitted; who is not here admits any.
    std::map<std::string, std::size_t, std::less<>> room_for;
    std::vector<cast_record> casts;

private:
    shaddock::bus::bus_counts counts_;
};

/// A list that is what the test says.
class fake_registry final : public cluster::registry {
public:
    result<void> start(const door::server_info&, cluster::registry_listener&) override {
        return {};
    }
    cluster::view_ptr now() const override { return std::make_shared<cluster::view>(list); }
    void live_anew(incarnation) override {}
    void propose(std::vector<door::server_info>, std::uint64_t, cluster::proposed_call) override {}
    void stop(base::unique_function<void()> done) override { done(); }

    cluster::view list;
};

} // namespace shaddock::server
