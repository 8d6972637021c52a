#include "arguments_running.hpp"

#include "place_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace shaddock::cli {
namespace {

constexpr const char* stop_help = R"(
A server that stops takes nothing new and ends what it has begun; then its players are disconnected. What is
not done after limits.stop_timeout is cut off. Stopped servers stay down until host restart.

Examples:
  host stop chat-server-2                   one server
  host stop                                 everything, the master included

Exit status: 0 they are down, 1 failed, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* reload_help = R"(
Each server opens the file of its module again, also an unchanged one, checks it in a process of its own,
sets it up beside the running one and changes over between two requests. Connections, sessions and channels
stay; what was accepted before ends with the old code. A module that is refused changes nothing; the rest of
its type is then not asked.

Examples:
  host reload chat                          all servers of the type, in order of their ids
  host reload chat-server-1 connector       one server, then a type
  host reload chat --rollback               back to the generation before, which is still in memory
  host reload chat --json                   {"results":[{"id","type","ok","from","to" or "reason","ms"},..]}

Exit status: 0 every server has swapped, 1 refused (why stands below the server), 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* add_help = R"(
The keys are those of a record of servers.json; serverType names the type, which may just have been added to
host.yaml. The server is checked as the file is, started, and all others are told. With clusterCount there
are several: ids are made, and a number that ends in ++ counts up. What does not get ready is taken out again.
It stays until everything stops: write it into servers.json too if it is to come back with the next start.

Examples:
  host add serverType=chat id=chat-server-4 host=127.0.0.1 port=6053
  host add serverType=connector id=connector-server-4 host=127.0.0.1 port=4053 clientPort=3053 frontend=true
  host add serverType=chat clusterCount=3 host=127.0.0.1 port=6060++

Exit status: 0 it serves, 1 refused or not ready (why stands below it), 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* restart_help = R"(
Each stops in order, which loses no request, and is started again with the files as they are now; one that is
down is only started. The servers of a type go one after the other; when one does not come back the rest of its
type is left alone. Players of a restarted connector are disconnected. New code alone needs no restart: host reload.

Examples:
  host restart chat-server-1                one server
  host restart chat                         all servers of the type, in order of their ids
  host restart all --json                   {"results":[{"id","type","ok","pid" or "reason","ms"},..]}

Exit status: 0 all are ready, 1 one is not (why stands below it), 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* kill_help = R"(
For what does not stop: nothing ends in order, requests in flight are lost. Killed servers stay down, as after
host stop; host restart starts them.

Examples:
  host kill chat-server-2                   one server
  host kill --all                           all servers, the page's, and the master

Exit status: 0 they are gone, 1 failed, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* logs_help = R"(
Without ids the logs of all servers, of the page and of the master, merged by time. Needs no master.

Examples:
  host logs chat-server-1                   the last 20 lines
  host logs chat-server-1 -f                and what comes, also over a rotation, until Ctrl-C
  host logs -f                              everything
  host logs master -n 200                   what the master has done

Exit status: 0 done, 1 failed, 2 wrong arguments.)";

constexpr const char* log_help = R"(
At once and until the process ends; host.yaml says what a process begins with. Without --area the level counts
for all areas. Areas are the rooms of the host that speak: base, bus, cluster, config, host, master, module,
net, reload, server, web; and plugin, for all that plugins say.

Examples:
  host log chat-server-1                    show its levels
  host log chat debug                       all servers of the type
  host log chat-server-1 debug --area net   one area
  host log all info                         everything, the master too

Exit status: 0 done, 1 one has not answered, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* change_group = "Change it while it runs";

void add_json(CLI::App& app, bool& as_json) {
    app.add_flag("--json", as_json, "An object, for programs");
}

} // namespace

void running_arguments::add_to(CLI::App& app) {
    add_stop(app);
    add_add(app);
    add_restart(app);
    add_kill(app);
    add_logs(app);
    add_log(app);
    add_reload(app);
}

void running_arguments::add_stop(CLI::App& app) {
    stop_app_ = app.add_subcommand(
        "stop", "Stop servers, which then stay stopped; without ids everything, the master "
                "included");
    stop_app_->group(run_group)->footer(stop_help);
    add_place(*stop_app_, stop_.where);
    stop_app_->add_option("ids", stop_.ids, "Ids as `host list` shows them");
}

void running_arguments::add_reload(CLI::App& app) {
    reload_app_ = app.add_subcommand(
        "reload", "Replace the code of running servers without losing a request");
    reload_app_->group(change_group);
    add_place(*reload_app_, reload_.where);
    reload_app_->add_option("targets", reload_.targets, "Types, and ids as `host list` shows them")
        ->option_text("TYPE|ID ...")
        ->required();
    reload_app_->add_flag("--rollback", reload_.is_rollback, "Back to the generation before");
    add_json(*reload_app_, reload_.as_json);
    reload_app_->footer(reload_help);
}

void running_arguments::add_add(CLI::App& app) {
    add_app_ = app.add_subcommand("add", "Add servers to the running system, of new types too");
    add_app_->group(change_group)->footer(add_help);
    add_app_
        ->add_option_function<std::vector<std::string>>(
            "keys",
            [this](const std::vector<std::string>& words) {
                for (const auto& word : words) {
                    const auto equals = word.find('=');
                    if (equals == std::string::npos || equals == 0) {
                        throw CLI::ValidationError(
                            fmt::format("'{}'", word),
                            "expected key=value, such as serverType=chat or port=6053");
                    }
                    add_.keys.emplace_back(word.substr(0, equals), word.substr(equals + 1));
                }
            },
            "What servers.json would say of it")
        ->option_text("KEY=VALUE ...")
        ->required();
    add_json(*add_app_, add_.as_json);
    add_run(*add_app_, add_.where);
}

void running_arguments::add_restart(CLI::App& app) {
    restart_app_ = app.add_subcommand("restart", "Stop servers in order and start them again");
    restart_app_->group(change_group)->footer(restart_help);
    restart_app_
        ->add_option("targets", restart_.targets, "Types, ids as `host list` shows them, or all")
        ->option_text("TYPE|ID ...")
        ->required();
    add_json(*restart_app_, restart_.as_json);
    add_run(*restart_app_, restart_.where);
}

void running_arguments::add_kill(CLI::App& app) {
    kill_app_ = app.add_subcommand("kill", "End servers at once, without order");
    kill_app_->group(change_group)->footer(kill_help);
    auto* ids = kill_app_->add_option("ids", kill_.ids, "Ids as `host list` shows them")
                    ->option_text("ID ...");
    kill_app_->add_flag("--all", kills_all_, "Everything, the master included")->excludes(ids);
    kill_app_->callback([this] {
        if (kill_.ids.empty() && !kills_all_) {
            throw CLI::RequiredError("ids, or --all");
        }
    });
    add_run(*kill_app_, kill_.where);
}

void running_arguments::add_logs(CLI::App& app) {
    logs_app_ = app.add_subcommand("logs", "Show the last lines of logs, and what comes");
    logs_app_->group(look_group)->footer(logs_help);
    logs_app_->add_option("ids", logs_.ids, "Ids as `host list --all` shows them")
        ->option_text("ID ...");
    logs_app_->add_flag("-f,--follow", logs_.follows, "Go on until Ctrl-C");
    logs_app_->add_option("-n,--lines", logs_.lines, "So many lines to begin with")
        ->option_text("LINES (20)")
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000}));
    logs_app_
        ->add_option("-e,--env", logs_.where.env, "Without a master: section of the config files")
        ->option_text("ENV (development)");
    logs_app_->add_option("--config", logs_.where.config, "Without a master: where host.yaml is")
        ->option_text("DIR (./config, else the installed one)");
    add_run(*logs_app_, logs_.where);
}

void running_arguments::add_log(CLI::App& app) {
    log_app_ = app.add_subcommand("log", "Show or change the log levels of running servers");
    log_app_->group(change_group)->footer(log_help);
    log_app_->add_option("target", log_.target, "A type, an id, master, or all")
        ->option_text("TYPE|ID|master|all")
        ->required();
    log_app_
        ->add_option_function<std::string>(
            "level", [this](const std::string& word) { log_.level = base::log::level_of(word); },
            "From which level on lines are written")
        ->option_text("debug|info|warn|error|off")
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}));
    log_app_->add_option("--area", log_.area, "Only what this area says")
        ->option_text("AREA")
        ->check(CLI::IsMember(base::log::areas()));
    add_json(*log_app_, log_.as_json);
    add_run(*log_app_, log_.where);
}

std::optional<command> running_arguments::chosen() const {
    if (stop_app_->parsed()) {
        return stop_;
    }
    if (reload_app_->parsed()) {
        return reload_;
    }
    if (add_app_->parsed()) {
        return add_;
    }
    if (restart_app_->parsed()) {
        return restart_;
    }
    if (kill_app_->parsed()) {
        return kill_;
    }
    if (logs_app_->parsed()) {
        return logs_;
    }
    if (log_app_->parsed()) {
        return log_;
    }
    return std::nullopt;
}

} // namespace shaddock::cli
