#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A small HTTP/1.1 server and client for the admin API and the page. The only user of Beast in the
/// house.
namespace shaddock::master {

struct http_request {
    std::string method;
    /// As sent: `/a%20b?c`.
    std::string target;
    std::string authorization;
    std::string if_none_match;
    std::string body;
};

struct http_response {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

using http_reply = base::unique_function<void(http_response)>;
using http_handler = base::unique_function<void(http_request, http_reply)>;

struct http_limits {
    std::size_t head_bytes = std::size_t{8} * 1024;
    std::size_t body_bytes = std::size_t{64} * 1024;
    /// Past it the one ends that has waited longest for a request; else the new one.
    std::size_t connections = 256;
    /// For reading a request (also the wait for the next one), and for writing an answer.
    std::chrono::milliseconds timeout{std::chrono::seconds(10)};
};

/// Serves until `stop`. The handler answers once, at any time; for HEAD the body is measured, not
/// sent. Every answer forbids guessing its type, frames, referrers, scripts and storing; the
/// handler's own Content-Security-Policy and Cache-Control win. Thread: the loop. Lifetime: the
/// handler may be called until `stop` returns; `clock` outlives the loop's last turn.
class http_server {
public:
    http_server(const boost::asio::any_io_executor& executor, base::clock& clock,
                http_limits limits, http_handler handler);
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    /// Port 0 = any free one. Errors: config (cannot listen; the text names the address).
    result<void> start(const std::string& host, std::uint16_t port);
    std::uint16_t port() const;
    std::size_t connections() const;
    /// Closes the listener and every connection.
    void stop();

    struct state;

private:
    std::shared_ptr<state> state_;
};

/// One blocking request. Errors: not_found (nobody listens), timeout, disconnected.
/// Thread: any that runs no loop.
result<http_response> http_call(const std::string& host, std::uint16_t port,
                                const http_request& request, std::chrono::milliseconds timeout);

} // namespace shaddock::master
