#pragma once

#include "addition.hpp"
#include "base/function.hpp"
#include "master/admin.hpp"
#include "master/commands.hpp"
#include "master/start_line.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The calls of the admin API behind `host add`, `restart`, `kill`, `logs` and `log`. Their forms
/// stand in docs/operations.md, Admin API.
namespace shaddock::master {

/// A server's answer to the question `log`.
struct log_line {
    std::string id;
    /// As to_json(levels); or why there is none.
    result<std::string> levels;
};

using log_levels_call = base::unique_function<void(const std::vector<log_line>&)>;

/// What the calls need of the master. Thread: the loop.
class command_target {
public:
    using starts_call = base::unique_function<void(const std::vector<start_line>&)>;
    /// As restarts::start.
    virtual result<void> restart(const std::vector<std::string>& targets, starts_call done) = 0;
    /// As supervisor::kill.
    virtual result<void> kill(const std::vector<std::string>& ids,
                              base::unique_function<void()> done) = 0;
    virtual void kill_everything() = 0;
    /// Errors: as check_addition; duplicate (the system stops).
    virtual result<void> add(const addition_keys& keys, starts_call done) = 0;
    /// Types, ids, `all`, the master's id. Errors: not_found.
    virtual result<void> log(const std::vector<std::string>& targets, const log_change& wanted,
                             log_levels_call done) = 0;
    /// Where the process with that id logs: a server, the page, the master. Errors: not_found,
    /// config (its log goes to no file).
    virtual result<std::filesystem::path> log_file(std::string_view id) const = 0;

protected:
    ~command_target() = default;
};

/// Before the server's start. Lifetime: `target` outlives it.
void add_command_routes(admin_server& to, command_target& target);

} // namespace shaddock::master
