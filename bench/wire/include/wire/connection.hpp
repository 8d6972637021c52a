#pragma once

#include "wire/bodies.hpp"

#include <protocol/package.hpp>
#include <protocol/websocket.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace shaddock::bench {

/// What all connections of a process share.
struct wire_context {
    explicit wire_context(boost::asio::io_context& loop) : io(loop) {}

    /// Reads the clock. Called once per batch of work, so that a message costs none.
    void refresh() {
        now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                  std::chrono::steady_clock::now().time_since_epoch())
                  .count();
    }

    boost::asio::io_context& io;
    /// Monotonic, ns: not before the last thing received, not after the next thing sent.
    std::int64_t now = 0;
    std::mt19937_64 random{std::random_device{}()};
    /// Handshake answers are all alike: the last one, parsed.
    std::string handshake_text;
    std::shared_ptr<const handshake_reply> handshake;
};

/// What becomes of a connection. Called on the loop, never from within request() or open().
class connection_events {
public:
    virtual ~connection_events() = default;
    /// The handshake is done; requests may go out.
    virtual void on_ready() = 0;
    virtual void on_response(std::uint32_t id, std::string_view body) = 0;
    /// `proto` is null when the body is JSON.
    virtual void on_push(std::string_view route, std::string_view body,
                         const push_proto* proto) = 0;
    virtual void on_kick(std::string_view body) = 0;
    /// Bytes that no correct server sends; on_closed follows.
    virtual void on_mangled(std::string_view what) = 0;
    /// Last call; not made after close().
    virtual void on_closed(std::string_view reason) = 0;
};

/// One client connection: WebSocket, handshake, heartbeats, messages. Writes are gathered and go
/// out once per loop turn. Thread: the loop.
class connection : public std::enable_shared_from_this<connection> {
public:
    /// Starts connecting. `events` outlives the connection or calls close() first.
    static std::shared_ptr<connection> open(wire_context& context,
                                            const boost::asio::ip::tcp::endpoint& to,
                                            connection_events& events);
    connection(wire_context& context, connection_events& events);

    void request(std::uint32_t id, std::string_view route, std::string_view body);
    /// Ends it; no event comes after this.
    void close();

private:
    enum class phase { connecting, upgrading, shaking, working, closed };

    void start(const boost::asio::ip::tcp::endpoint& to);
    void upgrade();
    void read();
    void take(std::size_t size);
    /// Bytes used up of `size`, or nothing more to do when closed.
    std::size_t take_upgrade(std::size_t size);
    std::size_t take_frames(std::size_t size);
    void take_packages(std::string_view payload);
    void take_package(const protocol::package_cut& cut);
    void take_handshake(std::string_view body);
    void take_message(std::string_view body);
    void beat();
    void put_package(std::string_view package);
    void put_frame(protocol::websocket_opcode opcode, std::string_view payload);
    void flush_later();
    void flush();
    void fail(std::string_view reason);
    void mangled(std::string_view what);

    wire_context& context_;
    connection_events* events_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer heartbeat_;
    protocol::websocket_decoder decoder_;
    std::shared_ptr<const handshake_reply> server_;
    std::string host_;
    std::string key_;
    std::string in_;
    std::size_t filled_ = 0;
    std::string out_;
    std::string writing_;
    std::string package_;
    phase phase_ = phase::connecting;
    bool is_writing_ = false;
    bool is_flushing_ = false;
};

} // namespace shaddock::bench
