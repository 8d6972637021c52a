#include "terminal.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

namespace shaddock::cli {
namespace {

// The last byte on the pipe; text never holds one of these.
constexpr char said_ready = '\1';
constexpr char said_failed = '\2';

class descriptor {
public:
    explicit descriptor(int fd) : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(); }
    void write(std::string_view text) const {
        while (fd_ >= 0 && !text.empty()) {
            const auto written = ::write(fd_, text.data(), text.size());
            if (written < 0 && errno != EINTR) {
                return; // the caller has gone: nobody listens
            }
            text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
        }
    }
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_;
};

/// Until the background process has said how its start ended, or has gone.
int relay(int from) {
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto got = read(from, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            fmt::print(stderr, "host: the master ended before it was ready\n");
            return EXIT_FAILURE;
        }
        const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
        const auto mark = text.find_first_of("\1\2");
        std::fwrite(text.data(), 1, std::min(mark, text.size()), stdout);
        std::fflush(stdout);
        if (mark != std::string_view::npos) {
            return text[mark] == said_ready ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
}

void redirect_output(const std::filesystem::path& output) {
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    close(nothing);
    int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        file = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    close(file);
}

} // namespace

master::terminal foreground() {
    master::terminal to;
    to.say = [](std::string_view line) {
        // The last words of a process may hold anything; they have lines of their own.
        for (std::size_t from = 0; from <= line.size();) {
            const auto end = std::min(line.find('\n', from), line.size());
            fmt::print("{}\n", base::log::printable(line.substr(from, end - from)));
            from = end + 1;
        }
        std::fflush(stdout);
    };
    to.started = [](bool) {};
    return to;
}

std::optional<int> daemonise(const std::filesystem::path& output, master::terminal& to) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        fmt::print(stderr, "host: -D: no pipe: {}\n", std::generic_category().message(errno));
        return EXIT_FAILURE;
    }
    std::fflush(nullptr);
    const pid_t first = fork();
    if (first < 0) {
        fmt::print(stderr, "host: -D: no process: {}\n", std::generic_category().message(errno));
        return EXIT_FAILURE;
    }
    if (first > 0) {
        close(ends[1]);
        waitpid(first, nullptr, 0);
        const int status = relay(ends[0]);
        close(ends[0]);
        return status;
    }
    setsid();
    if (fork() != 0) { // the session's leader goes, so nobody can get a terminal
        _exit(EXIT_SUCCESS);
    }
    close(ends[0]);
    redirect_output(output);
    auto caller = std::make_shared<descriptor>(ends[1]);
    to.say = [caller](std::string_view line) { caller->write(fmt::format("{}\n", line)); };
    to.started = [caller](bool is_ready) {
        caller->write(std::string(1, is_ready ? said_ready : said_failed));
        caller->close();
    };
    return std::nullopt;
}

} // namespace shaddock::cli
