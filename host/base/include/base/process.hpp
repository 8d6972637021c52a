#pragma once

#include "base/alive.hpp"
#include "base/function.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shaddock::base {

/// How a process ended. Neither status nor signal: unknown, as for a process that somebody else had
/// started.
struct exit_report {
    std::optional<int> status;
    std::optional<int> signal;

    /// `exit status 3`, `signal 9 (Killed)`, `gone`.
    std::string text() const;
};

/// What to run and where its output goes.
struct launch {
    /// The program, a path, and its arguments.
    std::vector<std::string> command;
    /// Appended with stdout and stderr; the folder must exist.
    std::filesystem::path output;
};

/// A process being watched. Destroying it ends the watch, not the process.
class process {
public:
    virtual ~process() = default;
    virtual pid_t pid() const = 0;
    /// False when it is gone already. A pid that was reused is never hit.
    virtual bool signal(int number) = 0;
};

using exit_call = base::unique_function<void(exit_report)>;
using start_call = base::unique_function<void(result<std::unique_ptr<process>>)>;

/// Starts and watches processes; tests bring their own.
/// Thread: the loop; `on_exit` comes by post, once, unless the process object is destroyed before.
class process_starter {
public:
    virtual ~process_starter() = default;
    /// Starts in a session of its own: neither the terminal's signals nor our death reach it.
    /// Inherits no open file of ours. Errors: config (cannot be run; the text says why).
    virtual result<std::unique_ptr<process>> start(const launch& what, exit_call on_exit) = 0;
    /// As start(), but the loop goes on meanwhile: a spawn holds its caller until the new program
    /// is there, on a busy machine for milliseconds. `started` comes by post, once, unless the
    /// starter is destroyed before; the process then runs on, watched by nobody.
    virtual void start_aside(const launch& what, start_call started, exit_call on_exit) = 0;
    /// Watches a running process that is not our child. Errors: not_found.
    virtual result<std::unique_ptr<process>> adopt(pid_t pid, exit_call on_exit) = 0;
};

/// posix_spawn and pidfds.
class system_processes final : public process_starter {
public:
    explicit system_processes(boost::asio::any_io_executor executor)
        : executor_(std::move(executor)) {}
    ~system_processes() override;
    result<std::unique_ptr<process>> start(const launch& what, exit_call on_exit) override;
    void start_aside(const launch& what, start_call started, exit_call on_exit) override;
    result<std::unique_ptr<process>> adopt(pid_t pid, exit_call on_exit) override;

private:
    result<std::unique_ptr<process>> watch(pid_t child, exit_call on_exit);

    boost::asio::any_io_executor executor_;
    /// Made when it is needed.
    std::optional<boost::asio::thread_pool> spawner_;
    base::alive alive_;
};

/// What /proc says of a process; zeros when it is gone.
struct process_usage {
    std::chrono::seconds uptime{};
    std::size_t rss_kb = 0; // VmRSS
    /// User and system, of all its threads.
    std::chrono::milliseconds cpu{};
};
process_usage usage_of(pid_t pid);

/// The last lines of a file, from `offset` on: at most `lines` lines and 4 KiB. Empty when there is
/// nothing.
std::string last_lines(const std::filesystem::path& file, std::size_t offset, std::size_t lines);

} // namespace shaddock::base
