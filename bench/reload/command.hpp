#pragma once

#include "bodies.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace shaddock::reload {

/// What a process said and how it ended.
struct ended {
    int status = 0;
    std::string out;
    std::string err;
};
/// Runs a command and waits for it. Throws std::system_error when it cannot be started.
ended run_command(const std::vector<std::string>& words);

/// The system under test, as its operator sees it. Thread: any, one at a time.
struct system_under_test {
    std::filesystem::path host;
    std::filesystem::path run;
    /// By type: the file that its configuration names, and the builds that take turns there.
    std::map<std::string, std::filesystem::path> into;
    std::map<std::string, std::vector<std::filesystem::path>> builds;

    /// Puts a build in the place of the type's file, whole at once, and reloads the type.
    reload exchange(const std::string& type, std::size_t build) const;
    /// The running servers. Throws std::runtime_error with what `host list` said.
    std::vector<listed_server> list() const;
    /// As `list`, once all replaced generations have ended, or after `patience`.
    std::vector<listed_server> list_at_rest(std::chrono::seconds patience) const;
};

/// What a process holds, from /proc.
struct holding {
    std::uint64_t rss_kib = 0;
    std::size_t maps = 0;
    std::size_t threads = 0;
    std::size_t descriptors = 0;
};
holding holding_of(pid_t pid);

/// One server before and after.
struct server_growth {
    listed_server before;
    listed_server after;
    holding held_before;
    holding held_after;

    std::uint64_t generations() const { return after.generation - before.generation; }
};

} // namespace shaddock::reload
