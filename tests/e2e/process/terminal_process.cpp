#include "terminal_process.hpp"

#include "host_process.hpp"

#include <csignal>
#include <cstdlib>
#include <pty.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace shaddock::test {

using steady = std::chrono::steady_clock;

terminal_process::terminal_process(const std::string& folder,
                                   const std::vector<std::string>& arguments) {
    std::vector<std::string> words = {SHADDOCK_HOST};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (auto& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    const winsize size{24, 100, 0, 0};
    pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ < 0) {
        throw std::runtime_error("forkpty");
    }
    if (pid_ == 0) {
        setenv("HOME", folder.c_str(), 1);
        setenv("TERM", "xterm", 1);
        unsetenv("XDG_STATE_HOME");
        if (chdir(folder.c_str()) == 0) {
            execv(SHADDOCK_HOST, pointers.data());
        }
        _exit(127);
    }
}

terminal_process::~terminal_process() {
    if (pid_ != 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close(terminal_);
}

void terminal_process::type(std::string_view keys) const {
    if (write(terminal_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
        throw std::runtime_error("the terminal takes no keys");
    }
}

bool terminal_process::shows(std::string_view text) {
    const auto until = steady::now() + std::chrono::seconds(60);
    for (;;) {
        const auto at = text_.find(text, seen_);
        if (at != std::string::npos) {
            seen_ = at + text.size();
            return true;
        }
        if (!read_more(terminal_, until, text_)) {
            return false;
        }
    }
}

int terminal_process::end_by(std::string_view keys) {
    const auto until = steady::now() + std::chrono::seconds(60);
    for (auto again = steady::now();; again += std::chrono::seconds(1)) {
        type(keys);
        while (read_more(terminal_, std::min(until, again + std::chrono::seconds(1)), text_)) {
        }
        if (steady::now() < again + std::chrono::seconds(1)) {
            break;
        }
        if (steady::now() >= until) {
            return -1;
        }
    }
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace shaddock::test
