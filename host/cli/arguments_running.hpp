#pragma once

#include "cli/arguments.hpp"

#include <optional>

namespace CLI {
class App;
}

namespace shaddock::cli {

/// Groups of commands in `host --help`.
inline constexpr const char* run_group = "Run a system";
inline constexpr const char* look_group = "Look at it";

/// The commands that change or watch a running system: stop, reload, add, restart, kill, logs, log.
class running_arguments {
public:
    running_arguments() = default;
    running_arguments(const running_arguments&) = delete;
    running_arguments& operator=(const running_arguments&) = delete;

    /// Parsing `app` then fills one of them. Lifetime: outlives the parsing.
    void add_to(CLI::App& app);
    /// Nothing when the arguments name another command.
    std::optional<command> chosen() const;

private:
    void add_stop(CLI::App& app);
    void add_reload(CLI::App& app);
    void add_add(CLI::App& app);
    void add_restart(CLI::App& app);
    void add_kill(CLI::App& app);
    void add_logs(CLI::App& app);
    void add_log(CLI::App& app);

    stop_command stop_;
    reload_command reload_;
    add_command add_;
    restart_command restart_;
    kill_command kill_;
    bool kills_all_ = false;
    logs_command logs_;
    log_command log_;
    CLI::App* stop_app_ = nullptr;
    CLI::App* reload_app_ = nullptr;
    CLI::App* add_app_ = nullptr;
    CLI::App* restart_app_ = nullptr;
    CLI::App* kill_app_ = nullptr;
    CLI::App* logs_app_ = nullptr;
    CLI::App* log_app_ = nullptr;
};

} // namespace shaddock::cli
