#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/gate.hpp"

#include <shaddock/error.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

/// What the direct bus stands on: Unix sockets, NATS (bus_nats/transport.hpp), or a simulated
/// network.
namespace shaddock::bus {

/// Whoever waits for a pipe; the wait keeps it alive. A wait under way when the pipe is closed ends
/// all the same.
class pipe_user {
public:
    virtual ~pipe_user() = default;
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;
};

/// Bytes to and from one process, in order; nothing here blocks. Thread: the loop.
/// Lifetime: destroying it closes it.
class pipe {
public:
    virtual ~pipe() = default;
    /// As send(2) and recv(2) without waiting: bytes moved, or -1 and errno; recv's 0 is the end.
    /// recv's ECONNREFUSED: nobody was there, which proves nothing (of a transport that dials
    /// without waiting).
    virtual ssize_t send(std::string_view bytes) = 0;
    virtual ssize_t recv(char* into, std::size_t size) = 0;
    virtual void close() = 0;
    /// Whether something, or the end, can be read; whether the other side has closed.
    virtual bool has_unread() const = 0;
    virtual bool is_hung_up() const = 0;
    /// Whether it ends on this machine.
    virtual bool is_local() const { return true; }
    /// By post. `held` goes when the wait has ended.
    virtual void wait_readable(std::shared_ptr<pipe_user> user, base::gate::pass held) = 0;
    virtual void wait_writable(std::shared_ptr<pipe_user> user, base::gate::pass held) = 0;
};

enum class dial_failure {
    /// Nobody listens there: its process is dead.
    nobody,
    /// It may work later: its queue is full, we are out of descriptors.
    try_again,
    /// Another user's process answers.
    stranger,
};

/// Who has called.
struct arrival {
    enum class trouble { none, stranger, failed };
    trouble what = trouble::none;
    /// Null if there is any trouble.
    std::unique_ptr<pipe> from;
    /// failed: the system's words.
    std::string problem;
};

/// When a peer that is not heard of is dead.
struct judgement {
    /// Silent for longer. Zero: for longer than the bus's own `silence`.
    std::chrono::milliseconds silence{0};
    /// Since when this side's own connection has been whole: silence counts from then on. max(): it
    /// is not, and nobody is judged.
    base::time_point whole_since = base::time_point::min();
    /// Who is not found may live: it is dead when it was not linked for so long.
    bool absence_is_doubtful = false;
};

/// Where the servers of one system meet, for one of them. Thread: the loop. Lifetime: the id stays
/// taken as long as it lives.
class transport {
public:
    virtual ~transport() = default;
    /// Takes the own id and opens it to callers. Errors: duplicate, config.
    virtual result<void> open() = 0;
    virtual bool is_open() const = 0;
    /// No: callers do not find it any more, though nobody has closed it; open() mends that, and who
    /// accepts goes on.
    virtual bool is_reachable() const { return true; }
    /// The next caller; by post, also when it is closed meanwhile.
    virtual void accept(base::unique_function<void(arrival)> done) = 0;
    /// Nobody can call any more.
    virtual void close() = 0;
    virtual boost::system::result<std::unique_ptr<pipe>, dial_failure>
    dial(std::string_view id) = 0;
    /// Whether a living process has that id, listening or not.
    virtual bool is_running(std::string_view id) const = 0;
    virtual judgement judges(std::string_view id) const {
        (void)id;
        return {};
    }
    /// Whether `id` is reached by such a pipe. No: it is refused.
    virtual bool goes(std::string_view id, const pipe& by) const {
        (void)id;
        (void)by;
        return true;
    }
};

} // namespace shaddock::bus
