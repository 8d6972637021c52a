#pragma once

#include "bus/transport.hpp"
#include "chunk.hpp"
#include "nats/connection.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock::bus {

/// What a stream needs of the transport that it belongs to.
class stream_owner {
public:
    virtual nats::connection& over() = 0;
    virtual void closed(class numbered_stream& stream) = 0;
    /// The other side could not be told that its stream has ended: it is told later.
    virtual void tell_end_later(const std::string& inbox, std::uint64_t number) = 0;

protected:
    ~stream_owner() = default;
};

/// One end of a pipe over NATS. Thread: the loop. Lifetime: shared by the pipe and its own
/// callbacks; after `close` it does not touch its owner.
class numbered_stream final : public std::enable_shared_from_this<numbered_stream> {
public:
    numbered_stream(stream_owner& owner, boost::asio::any_io_executor executor, std::string inbox,
                    std::size_t window)
        : owner_(&owner), executor_(std::move(executor)), inbox_(std::move(inbox)),
          window_(window) {}

    /// Calls who listens at `subject`; it is open when that has accepted.
    result<void> dial(const std::string& subject);
    /// Answers a caller, whose inbox is `other`.
    result<void> accept(std::string other, std::uint32_t window);

    // As pipe's.
    ssize_t send(std::string_view bytes);
    ssize_t recv(char* into, std::size_t size);
    void close();
    bool has_unread() const { return !unread_.empty() || ending_; }
    bool is_hung_up() const { return ending_.has_value(); }
    void wait_readable(std::shared_ptr<pipe_user> user, base::gate::pass held);
    void wait_writable(std::shared_ptr<pipe_user> user, base::gate::pass held);

    const std::string& inbox() const { return inbox_; }
    /// It is over, after what has come until now; `why` as errno.
    void lose(int why);
    /// The connection has room again.
    void has_room();
    /// Once a heartbeat: on a quiet stream it says something, so that the server of NATS tells when
    /// nobody listens any more; and a call that nobody answers ends.
    void look();

private:
    struct wait {
        std::shared_ptr<pipe_user> user;
        base::gate::pass held;
    };

    result<void> listen();
    void on_message(nats::message got);
    void take(const chunk_view& chunk, const std::string& reply);
    bool is_writable() const;
    void wake_reader();
    void wake_writer();
    void tell_taken();
    void say_taken();

    stream_owner* owner_;
    boost::asio::any_io_executor executor_;
    std::string inbox_;
    nats::subscription at_;
    /// Empty: it has not accepted yet.
    std::string other_;
    /// 0: the end, after the last bytes; else errno.
    std::optional<int> ending_;
    bool is_closed_ = false;

    // What comes in.
    std::size_t window_;
    std::uint64_t next_in_ = 0;
    std::deque<std::string> unread_;
    std::size_t begin_ = 0;
    std::uint64_t came_ = 0;
    std::uint64_t read_ = 0;
    std::uint64_t told_ = 0;
    std::optional<wait> reader_;

    // What goes out.
    std::size_t other_window_ = 0;
    std::uint64_t next_out_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t taken_ = 0;
    bool is_over_full_ = false;
    bool has_sent_ = false;
    int looks_ = 0;
    std::optional<wait> writer_;
};

} // namespace shaddock::bus
