#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/random.hpp"
#include "client/address.hpp"
#include "client/agreement.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::client {

/// How packages travel; one port of a frontend takes both.
enum class transport { websocket, tcp };

struct connect_options {
    address to;
    transport over = transport::websocket;
    /// From the first byte to the end of the handshake.
    base::duration connect_timeout = std::chrono::seconds(10);
    /// From a request to its answer.
    base::duration request_timeout = std::chrono::seconds(10);
};

/// What becomes of a connection. Called on the loop, never from within open(), request() or
/// notify().
class connection_events {
public:
    virtual ~connection_events() = default;
    /// The handshake is done: requests may go out.
    virtual void on_open() = 0;
    /// `body` is JSON, or empty.
    virtual void on_push(std::string_view route, std::string_view body) = 0;
    /// The last call: it could not be opened, or has ended. Not after close(). The text is one line
    /// and names the frontend. Codes: no_server (nobody there), timeout, refused (handshake, kick),
    /// closed (by the server), bad_request (bytes that no correct server sends).
    virtual void on_closed(const error& why) = 0;
};

/// A connection to a Pomelo frontend: framing, handshake with dictionary and protobuf,
/// heartbeats, requests, notifies and pushes. Tried once; a connection that has ended is not opened
/// again. Limits: 1024 unanswered requests; 16 MiB waiting to be sent; 16 MiB a package. Thread:
/// the loop. Lifetime: lives by its shared_ptr and by what is under way on the loop.
class connection {
public:
    using answer_call = base::unique_function<void(const result<std::string>& body)>;

    /// Starts connecting. `clock` and `random` outlive the connection; `events` does, or close() is
    /// called first.
    static std::shared_ptr<connection> open(boost::asio::io_context& loop, base::clock& clock,
                                            base::random& random, connect_options options,
                                            connection_events& events);
    virtual ~connection() = default;

    /// Sends `body` (JSON) and calls `answered` once, later: with the answer's body as JSON, maybe
    /// empty, or an error: timeout, that of on_closed (which follows), or those of sending:
    /// bad_request (does not fit the route's proto), overloaded, closed (not open). An answer such
    /// as
    /// `{"code":500}` is an answer. Not called after close().
    virtual void request(std::string_view route, std::string_view body, answer_call answered) = 0;
    /// Errors: as sending a request.
    virtual result<void> notify(std::string_view route, std::string_view body) = 0;
    /// What the handshake said. Only once it is open.
    virtual const agreement& agreed() const = 0;
    /// Ends it; no call comes after this. Safe at any time, more than once.
    virtual void close() = 0;
};

} // namespace shaddock::client
