#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cli {

/// The lines that were typed, kept in a file from one client to the next. Clients that run at the
/// same time keep each other's lines. Limits: the 1000 latest; a running client adds to them.
/// Errors are silent: a client without a history is one still.
class client_history {
public:
    static constexpr std::size_t limit = 1000;

    /// `file` empty: nothing is kept. Its folder is made (mode 0700), it has mode 0600.
    explicit client_history(std::filesystem::path file);

    /// The lines at the start, the oldest first.
    const std::vector<std::string>& lines() const { return lines_; }
    /// A line like the one before is left out.
    void add(std::string_view line);
    /// Cuts the file down to its limit.
    void close() const;

private:
    std::filesystem::path file_;
    std::vector<std::string> lines_;
    std::string last_;
};

/// `$XDG_STATE_HOME/shaddock/history`, else `~/.local/state/shaddock/history`; empty without a
/// home.
std::filesystem::path client_history_file();

} // namespace shaddock::cli
