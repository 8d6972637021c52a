#include "base/process.hpp"

#include "base/clock.hpp"

#include <fmt/format.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shaddock::base {
namespace {

exit_report collect(int pidfd) {
    siginfo_t info{};
    exit_report report;
    if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) != 0 ||
        info.si_pid == 0) {
        return report; // not our child
    }
    if (info.si_code == CLD_EXITED) {
        report.status = info.si_status;
    } else {
        report.signal = info.si_status;
    }
    return report;
}

/// A pidfd becomes readable when its process ends.
class watched_process final : public process {
public:
    watched_process(const boost::asio::any_io_executor& executor, pid_t pid, int pidfd,
                    exit_call on_exit)
        : pid_(pid), watch_(std::make_shared<watch>(executor, pidfd, std::move(on_exit))) {
        watch_->fd.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                              [kept = watch_](const boost::system::error_code& failed) {
                                  if (failed || !kept->on_exit) {
                                      return;
                                  }
                                  auto call = std::move(kept->on_exit);
                                  const auto report = collect(kept->fd.native_handle());
                                  call(report);
                              });
    }
    watched_process(const watched_process&) = delete;
    watched_process& operator=(const watched_process&) = delete;
    ~watched_process() override {
        watch_->on_exit = nullptr;
        boost::system::error_code ignored;
        watch_->fd.close(ignored);
    }

    pid_t pid() const override { return pid_; }
    bool signal(int number) override {
        return syscall(SYS_pidfd_send_signal, watch_->fd.native_handle(), number, nullptr, 0U) == 0;
    }

private:
    struct watch {
        watch(const boost::asio::any_io_executor& executor, int pidfd, exit_call call)
            : fd(executor, pidfd), on_exit(std::move(call)) {}
        boost::asio::posix::stream_descriptor fd;
        exit_call on_exit;
    };
    pid_t pid_;
    std::shared_ptr<watch> watch_;
};

int open_pidfd(pid_t pid) {
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0U));
}

std::string system_text(int number) {
    return std::generic_category().message(number);
}

/// The attributes and file actions of one posix_spawn.
class spawn_plan {
public:
    explicit spawn_plan(const std::filesystem::path& output) {
        posix_spawnattr_init(&attributes_);
        posix_spawn_file_actions_init(&files_);
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
        posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, output.c_str(),
                                         O_WRONLY | O_CREAT | O_APPEND, 0600);
        posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
        // Asio's sockets are not close-on-exec: a child would keep the admin port of a dead master.
        posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    }
    spawn_plan(const spawn_plan&) = delete;
    spawn_plan& operator=(const spawn_plan&) = delete;
    ~spawn_plan() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&files_);
    }

    int run(pid_t& pid, const std::vector<std::string>& command) const {
        std::vector<std::string> kept = command;
        std::vector<char*> arguments;
        arguments.reserve(kept.size() + 1);
        for (auto& word : kept) {
            arguments.push_back(word.data());
        }
        arguments.push_back(nullptr);
        return posix_spawn(&pid, arguments.front(), &files_, &attributes_, arguments.data(),
                           environ);
    }

private:
    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t files_{};
};

result<pid_t> spawn(const launch& what) {
    pid_t pid = 0;
    if (const int failed = spawn_plan(what.output).run(pid, what.command); failed != 0) {
        return error(errc::config,
                     fmt::format("cannot run {} with output to {}: {}", what.command.front(),
                                 what.output.string(), system_text(failed)));
    }
    return pid;
}

} // namespace

std::string exit_report::text() const {
    if (status) {
        return fmt::format("exit status {}", *status);
    }
    if (signal) {
        const char* name = sigdescr_np(*signal);
        return fmt::format("signal {} ({})", *signal, name == nullptr ? "?" : name);
    }
    return "gone";
}

system_processes::~system_processes() {
    if (spawner_) {
        spawner_->join();
    }
}

result<std::unique_ptr<process>> system_processes::start(const launch& what, exit_call on_exit) {
    const auto pid = spawn(what);
    if (!pid) {
        return pid.error();
    }
    return watch(*pid, std::move(on_exit));
}

void system_processes::start_aside(const launch& what, start_call started, exit_call on_exit) {
    if (!spawner_) {
        spawner_.emplace(1);
    }
    auto then = alive_.guard([this, started = std::move(started),
                              on_exit = std::move(on_exit)](const result<pid_t>& pid) mutable {
        started(pid ? watch(*pid, std::move(on_exit)) : pid.error());
    });
    boost::asio::post(*spawner_, [what, work = boost::asio::make_work_guard(executor_),
                                  then = std::move(then)]() mutable {
        boost::asio::post(work.get_executor(),
                          [pid = spawn(what), then = std::move(then)]() mutable { then(pid); });
    });
}

result<std::unique_ptr<process>> system_processes::watch(pid_t pid, exit_call on_exit) {
    const int pidfd = open_pidfd(pid);
    if (pidfd < 0) {
        const int failed = errno;
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        return error(errc::config, fmt::format("cannot watch process {}: pidfd_open: {}", pid,
                                               system_text(failed)));
    }
    return std::make_unique<watched_process>(executor_, pid, pidfd, std::move(on_exit));
}

result<std::unique_ptr<process>> system_processes::adopt(pid_t pid, exit_call on_exit) {
    const int pidfd = open_pidfd(pid);
    if (pidfd < 0) {
        return error(errc::not_found, fmt::format("cannot watch process {}: pidfd_open: {}", pid,
                                                  system_text(errno)));
    }
    return std::make_unique<watched_process>(executor_, pid, pidfd, std::move(on_exit));
}

process_usage usage_of(pid_t pid) {
    // Of /proc/<pid>/stat, counted as the loop below does; stime follows.
    constexpr int utime_field = 13;
    process_usage usage;
    const auto folder = fmt::format("/proc/{}/", pid);
    std::ifstream status(folder + "status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) {
            usage.rss_kb = std::strtoull(line.c_str() + 6, nullptr, 10);
        }
    }
    std::string stat;
    std::getline(std::ifstream(folder + "stat"), stat);
    // The second field, the name in parentheses, may hold anything; starttime is the 20th after it.
    auto at = stat.rfind(')');
    const auto ticks_per_second = static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
    unsigned long long cpu_ticks = 0;
    for (int field = 2; field < 22 && at != std::string::npos; ++field) {
        at = stat.find(' ', at + 1);
        if ((field == utime_field || field == utime_field + 1) && at != std::string::npos) {
            cpu_ticks += std::strtoull(stat.c_str() + at, nullptr, 10);
        }
    }
    if (at == std::string::npos || stat.empty()) {
        return usage;
    }
    const auto started = std::strtoull(stat.c_str() + at, nullptr, 10) / ticks_per_second;
    usage.cpu = std::chrono::milliseconds(cpu_ticks * 1000 / ticks_per_second);
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(base::since_boot());
    usage.uptime = std::max(up - std::chrono::seconds(started), std::chrono::seconds(0));
    return usage;
}

std::string last_lines(const std::filesystem::path& file, std::size_t offset, std::size_t lines) {
    constexpr std::size_t limit_bytes = 4096;
    std::error_code failed;
    const auto size = std::filesystem::file_size(file, failed);
    if (failed || size <= offset) {
        return {};
    }
    const auto from = std::max<std::uintmax_t>(offset, size > limit_bytes ? size - limit_bytes : 0);
    std::ifstream in(file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(from));
    std::string text(static_cast<std::size_t>(size - from), '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    auto start = text.size();
    for (std::size_t found = 0; found < lines && start != 0; ++found) {
        const auto newline = text.rfind('\n', start - 1);
        start = newline == std::string::npos ? 0 : newline;
    }
    return text.substr(start != 0 && start < text.size() ? start + 1 : start);
}

} // namespace shaddock::base
