#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::test {

/// A running `host` on a terminal of its own. Killed when it goes out of scope.
class terminal_process {
public:
    /// `folder` is its working directory and its home.
    terminal_process(const std::string& folder, const std::vector<std::string>& arguments);
    terminal_process(const terminal_process&) = delete;
    terminal_process& operator=(const terminal_process&) = delete;
    ~terminal_process();

    /// Types keys.
    void type(std::string_view keys) const;
    /// Waits until `text` stands on the terminal behind what was waited for before; false when it
    /// ended or a minute passed.
    bool shows(std::string_view text);
    /// Types `keys` each second until it ends, for one that comes while the terminal changes its
    /// mode may get lost: the exit status, 128 + signal, or -1 after a minute.
    int end_by(std::string_view keys);
    /// Waits for its end, as end_by.
    int end() { return end_by(""); }
    /// All that it wrote, with the terminal's sequences.
    const std::string& text() const { return text_; }

private:
    pid_t pid_ = 0;
    int terminal_ = -1;
    std::string text_;
    std::size_t seen_ = 0;
};

} // namespace shaddock::test
