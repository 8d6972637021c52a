#pragma once

#include "client/connection.hpp"

#include <protocol/message.hpp>
#include <protocol/package.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::client::testing {

/// A frontend of one client at a time on a loopback port, over TCP or WebSocket, that says what a
/// test wants.
class fake_frontend {
public:
    explicit fake_frontend(boost::asio::io_context& loop);
    fake_frontend(const fake_frontend&) = delete;
    fake_frontend& operator=(const fake_frontend&) = delete;
    ~fake_frontend();

    address where() const { return {"127.0.0.1", port_}; }
    /// Sends a package.
    void send(protocol::package_type type, std::string_view body);
    void push(std::string_view route, std::string_view body);
    void answer(std::uint32_t id, std::string_view body);
    /// Sends bytes as they are, without a frame.
    void send_raw(std::string_view bytes);
    /// Ends the connection.
    void close();

    /// The answer to a handshake; empty: none.
    std::string handshake = R"({"code":200,"sys":{}})";
    /// The body of the answer to a request; none: it is not answered.
    std::function<std::optional<std::string>(std::string_view route, std::string_view body)>
        on_request;

    int connections = 0;
    /// Bodies of handshakes.
    std::vector<std::string> handshakes;
    /// `route body` of requests and notifies.
    std::vector<std::string> requests;
    std::vector<std::string> notifies;
    int heartbeats = 0;
    int acks = 0;
    /// The client has closed.
    bool is_over = false;

private:
    class peer;
    void accept();
    void take(const protocol::package_cut& cut);
    void take_message(std::string_view body);

    boost::asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::shared_ptr<peer> peer_;
};

/// Runs the loop until `is_true`; false after ten seconds.
bool run_until(boost::asio::io_context& loop, const std::function<bool()>& is_true);

/// Runs what is ready, and a moment longer for what the kernel still carries.
void settle(boost::asio::io_context& loop);

} // namespace shaddock::client::testing
