#pragma once

#include "cli/arguments.hpp"

#include <memory>
#include <optional>

namespace CLI {
class App;
}

namespace shaddock::cli {

/// The commands that change or watch a running system: add, restart, kill, logs, log.
class running_verbs {
public:
    /// Parsing `app` fills one of them. Lifetime: outlives the parsing.
    explicit running_verbs(CLI::App& app);
    running_verbs(const running_verbs&) = delete;
    running_verbs& operator=(const running_verbs&) = delete;

    /// Nothing when the arguments name another command.
    std::optional<command> chosen() const;

private:
    void add_add(CLI::App& app);
    void add_restart(CLI::App& app);
    void add_kill(CLI::App& app);
    void add_logs(CLI::App& app);
    void add_log(CLI::App& app);

    add_command add_;
    restart_command restart_;
    kill_command kill_;
    bool kills_all_ = false;
    logs_command logs_;
    log_command log_;
    CLI::App* add_app_ = nullptr;
    CLI::App* restart_app_ = nullptr;
    CLI::App* kill_app_ = nullptr;
    CLI::App* logs_app_ = nullptr;
    CLI::App* log_app_ = nullptr;
};

} // namespace shaddock::cli
