#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::test {

/// How a program ended and what it said.
struct outcome {
    /// Exit status; 128 + signal; -1: it had to be killed after the deadline.
    int status = -1;
    std::string text;
};

/// Adds what comes next from `file`; false at its end, and when nothing came until then.
bool read_more(int file, std::chrono::steady_clock::time_point until, std::string& text);

/// A running `host`, its stdout and stderr together. Killed when it goes out of scope.
class host_process {
public:
    /// `folder` is its working directory; `program` the host that the build has made, or a copy of
    /// it, which then has its modules in `../plugins` of its own.
    host_process(const std::string& folder, const std::vector<std::string>& arguments,
                 const std::string& program = SHADDOCK_HOST);
    host_process(const host_process&) = delete;
    host_process& operator=(const host_process&) = delete;
    ~host_process();

    pid_t pid() const { return pid_; }
    /// Waits until `text` stands in the output; false when it ended or `limit` passed before.
    bool says(std::string_view text, std::chrono::seconds limit = std::chrono::seconds(60));
    void signal(int number) const;
    /// Whether it has ended, without waiting.
    bool is_over() const;
    /// Waits for its end.
    outcome end(std::chrono::seconds limit = std::chrono::seconds(60));
    const std::string& text() const { return text_; }

private:
    pid_t pid_ = 0;
    int output_ = -1;
    std::string text_;
};

} // namespace shaddock::test
