#pragma once

#include "stream.hpp"
#include "tls_context.hpp"

#include <base/clock.hpp>
#include <net/listener.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

namespace shaddock::net {

/// What the TLS streams of one port share: the bytes of one read, and their turns.
///
/// The cryptography of a handshake takes a millisecond or so, and any number of clients may begin
/// at once. So they stand in line here, and each turn of the loop gives them a slice of it.
/// Thread: the loop. Lifetime: shared by the streams, and by waits that end after them; `counts`
/// must outlive all reading.
class tls_line : public std::enable_shared_from_this<tls_line> {
public:
    /// Of a turn of the loop, whatever is used up first; a handshake that has begun is not cut.
    static constexpr base::duration slice = std::chrono::milliseconds(3);
    /// Their users may have to stand in another line, where their time is not seen from here.
    static constexpr int most = 4;
    /// A record. It may hold hundreds of key updates, each of which costs some work.
    static constexpr std::size_t buffer_bytes = std::size_t{17} * 1024;

    tls_line(boost::asio::any_io_executor executor, base::clock& clock, listener_counts& counts);
    tls_line(const tls_line&) = delete;
    tls_line& operator=(const tls_line&) = delete;

    /// Calls on_readable(null) in a later turn.
    void wake_later(stream::user_ptr user);
    char* buffer() { return buffer_.get(); }

    listener_counts& counts() { return counts_; }

private:
    void post_turn();
    void turn();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    listener_counts& counts_;
    std::unique_ptr<char[]> buffer_;
    std::deque<stream::user_ptr> waiting_;
};

struct tls_terms {
    plain_clients plain = plain_clients::refused;
    /// Asked before the cryptography of a handshake begins; none: always.
    std::function<bool()> may_begin{};
};

/// TLS, as the server, over `below`; the bytes that the user of this stream sees are plain. The
/// first byte tells whether the client begins with TLS at all. One that does not is served as it
/// is, or refused: who speaks HTTP is told to use `wss`.
/// Bytes held beside those of `below`: OpenSSL's own, and what held_bytes() says: at most 24 KiB of
/// which no plain byte has come (a handshake or a record under way; more is a failure), one record
/// that was encrypted and not yet taken, and answers of the protocol up to 32 KiB together.
/// Lifetime: `with` outlives it.
std::unique_ptr<stream> make_tls_stream(std::unique_ptr<stream> below, const tls_context& with,
                                        tls_terms terms, std::shared_ptr<tls_line> line);

} // namespace shaddock::net
