#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace shaddock::net {

enum class stream_status : std::uint8_t {
    /// `size` bytes were moved.
    done,
    /// Nothing can be done now: wait.
    would_block,
    /// Reading: the peer sends nothing more.
    ended,
    /// The stream is broken; `problem` says how.
    failed,
};

struct stream_result {
    stream_status status = stream_status::done;
    std::size_t size = 0;
    /// Reading: bytes that came over the line for it, where that is more than `size`.
    std::size_t raw = 0;
    /// failed: the system's words. Valid until the next call.
    const char* problem = "";
};

/// Whoever waits for a stream; a wait keeps it alive.
class stream_user : public boost::intrusive_ref_counter<stream_user, boost::thread_unsafe_counter> {
public:
    virtual ~stream_user() = default;
    /// The wait is over. `problem`: why it was in vain; null: try again.
    virtual void on_readable(const char* problem) = 0;
    virtual void on_writable(const char* problem) = 0;
    /// It has nothing to do any more, whatever it waits for.
    virtual bool is_over() const { return false; }
};

/// Bytes to and from one peer, in order; nothing here blocks. What lies below may have to write in
/// order to read, and the other way round: who waits for one of the two need not know.
/// Thread: the loop. Lifetime: destroying it closes it.
class stream {
public:
    using user_ptr = boost::intrusive_ptr<stream_user>;

    virtual ~stream() = default;

    /// Reads what has come, at most `size` bytes. Fewer: that was all, wait.
    virtual stream_result read_some(char* into, std::size_t size) = 0;
    /// Takes what it can of `bytes` off the front, for good. Fewer: wait. What it did not take need
    /// not be offered again.
    virtual stream_result write_some(std::string_view bytes) = 0;
    /// Bytes that it keeps for the peer or from it, beside what the system keeps.
    virtual std::size_t held_bytes() const { return 0; }
    /// Tells the peer that nothing more follows, after all that was taken. would_block: that takes
    /// more steps; wait until writable and call again. More than once is harmless.
    virtual stream_result shut_down() = 0;
    /// Gives everything back. What was taken still goes out, as far as the peer reads.
    virtual void close() = 0;
    /// The same at once: what the peer has not read is thrown away.
    virtual void reset() = 0;

    /// Calls on_readable once a read that gave all there was is worth another try; by post. At most
    /// one wait of each kind at a time. One that is under way when the stream is closed ends with a
    /// problem.
    virtual void wait_readable(user_ptr user) = 0;
    /// The same for a write or shut_down.
    virtual void wait_writable(user_ptr user) = 0;
};

/// Plain TCP on a connected socket, which must be non-blocking.
std::unique_ptr<stream> make_tcp_stream(boost::asio::ip::tcp::socket socket);

} // namespace shaddock::net
