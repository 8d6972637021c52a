#include "host_process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace shaddock::test {

using steady = std::chrono::steady_clock;

bool read_more(int file, steady::time_point until, std::string& text) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
    pollfd ready{file, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) {
        return false;
    }
    std::array<char, 4096> buffer{};
    const auto got = read(file, buffer.data(), buffer.size());
    if (got <= 0) {
        return false; // 0, or EIO of a terminal: the other end is closed
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
}

host_process::host_process(const std::string& folder, const std::vector<std::string>& arguments,
                           const std::string& program) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2");
    }
    posix_spawn_file_actions_t files{};
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addchdir_np(&files, folder.c_str());
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (auto& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    const int failed =
        posix_spawn(&pid_, program.c_str(), &files, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    output_ = ends[0];
    if (failed != 0) {
        throw std::runtime_error("cannot run " + program);
    }
}

host_process::~host_process() {
    if (pid_ != 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close(output_);
}

void host_process::signal(int number) const {
    kill(pid_, number);
}

bool host_process::is_over() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
}

bool host_process::says(std::string_view text, std::chrono::seconds limit) {
    const auto until = steady::now() + limit;
    while (text_.find(text) == std::string::npos) {
        if (!read_more(output_, until, text_)) {
            return false;
        }
    }
    return true;
}

outcome host_process::end(std::chrono::seconds limit) {
    const auto until = steady::now() + limit;
    while (read_more(output_, until, text_)) {
    }
    outcome ended;
    if (steady::now() >= until) {
        kill(pid_, SIGKILL);
    }
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    ended.text = text_;
    if (steady::now() < until) {
        ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return ended;
}

} // namespace shaddock::test
