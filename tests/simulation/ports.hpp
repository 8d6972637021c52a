#pragma once

#include "net/listener.hpp"
#include "protocol/package.hpp"
#include "world.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

/// Clients and the client ports of frontends, without sockets and framings: packages go from one to
/// the other in order, after a while.
namespace shaddock::simulation {

class client_port;

/// The client's side of a connection.
class line_events {
public:
    virtual void on_ready() = 0;
    /// A package of the server: a message (protocol::decode_message) or a kick.
    virtual void on_package(protocol::package_type type, std::string_view body) = 0;
    /// Called once, unless the client has closed it.
    virtual void on_closed() = 0;

protected:
    ~line_events() = default;
};

class client_line;
using line_ptr = std::shared_ptr<client_line>;

/// The ports of all living frontends, by server. Lifetime: outlives them.
class ports {
public:
    explicit ports(world& in) : world_(in) {}

    std::unique_ptr<net::listener> make_port(std::shared_ptr<process> of);
    /// Who is not there, or does not listen, closes the line at once.
    line_ptr connect(const std::string& server, line_events& client);
    /// All connections break.
    void killed(const std::string& server);

private:
    friend class client_port;
    world& world_;
    std::map<std::string, client_port*> open_;
    std::map<std::string, client_port*> started_;
};

class client_line : public std::enable_shared_from_this<client_line> {
public:
    client_line(world& in, line_events& client) : world_(in), client_(&client) {}

    void send(std::string message);
    /// Nothing comes any more.
    void close();

private:
    friend class client_port;
    friend class ports;
    friend class simulated_connection;

    time_point next_up() { return last_up_ = std::max(last_up_, world_.now() + latency()); }
    time_point next_down() { return last_down_ = std::max(last_down_, world_.now() + latency()); }
    duration latency() { return world_.chance.between(50us, 2ms); }
    void deliver(std::string package);
    void end();

    world& world_;
    line_events* client_;
    std::shared_ptr<process> server_;
    /// Null from the moment at which the port has closed it, or its process was killed.
    client_port* port_ = nullptr;
    std::uint64_t id_ = 0;
    time_point last_up_{};
    time_point last_down_{};
};

} // namespace shaddock::simulation
