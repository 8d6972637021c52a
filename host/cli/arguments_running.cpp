#include "config/units.hpp"
#include "control/requests.hpp"
#include "verb.hpp"

#include <fmt/format.h>

namespace shaddock::cli {
namespace {

constexpr const char* stop_help = R"(
A server that stops takes nothing new and ends what it has begun; then its players are disconnected. What is
not done after limits.stop_timeout is cut off. Others take its rooms over before. Stopped servers stay down,
also under the next master, until host restart.
With --within servers of a type with rooms: stay drain first: new rooms go to others, and each stops when its
rooms are empty, or when the time is over; what it has then moves. The command does not wait for that: host list
shows what is left, host stop ends it now, and host restart takes it back.

Examples:
  host stop chat-server-2                   one server
  host stop chat time                       all servers of two types
  host stop chat-server-2 --within 30min    one server, when its rooms are empty or after half an hour
  host stop                                 everything, the master included

Exit status: 0 they are down (or drain), 1 failed, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* reload_help = R"(
Each server opens the file of its module again, also an unchanged one, checks it in a process of its own,
sets it up beside the running one and changes over between two requests. Connections, sessions and channels
stay; what was accepted before ends with the old code. A module that is refused changes nothing; the rest of
its type is then not asked. Whom the new types of calls cut off is said before the first swap.

Examples:
  host reload chat                          all servers of the type, in order of their ids
  host reload chat-server-1 connector       one server, then a type
  host reload all                           all servers, type by type
  host reload chat --rollback               back to the generation before, which is still in memory
  host reload chat --dry-run                checks, says whom it would cut off, and swaps nothing
  host reload chat --json                   {"results":[{"id","type","ok","from","to" or "reason","ms"},..]}

Exit status: 0 every server has swapped (or would), 1 refused (why stands below the server), 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* add_help = R"(
The keys are those of a record of servers.json; serverType names the type, which may just have been added to
host.yaml. The server is checked as the file is, started, and all others are told. With clusterCount there
are several: ids are made, and a number that ends in ++ counts up. Once it is ready it takes its share of the
rooms over, while people are in them. What does not get ready is taken out again.
It stays until everything stops: write it into servers.json too if it is to come back with the next start.

Examples:
  host add serverType=chat id=chat-server-4 host=127.0.0.1 port=6053
  host add serverType=connector id=connector-server-4 host=127.0.0.1 port=4053 clientPort=3053 frontend=true
  host add serverType=chat clusterCount=3 host=127.0.0.1 port=6060++

Exit status: 0 it serves, 1 refused or not ready (why stands below it), 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* remove_help = R"(
As host stop, and the system does not know it any more. Others take its rooms over before it stops.
Remove it from servers.json too if it is not to come back with the next start.

Examples:
  host remove chat-server-4                 one server
  host remove chat                          all servers of the type

Exit status: 0 they are gone, 1 failed, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* restart_help = R"(
Files and modules are checked first; when they are broken nothing is touched. Each stops in order, which loses no
request, and is started again with host.yaml and the modules as they are now, but with the record that it has: an
edit of servers.json counts after host stop and host start. One that is down is only started. The servers of a type
go one after the other; when one does not come back the rest of its type is left alone. Players of a restarted
connector are disconnected. One that drains is taken back into the list and takes new rooms again. New code alone needs
no restart: host reload.

Examples:
  host restart chat-server-1                one server
  host restart chat                         all servers of the type, in order of their ids
  host restart master                       the master alone, in its process; all serve on meanwhile
  host restart all --json                   {"results":[{"id","type","ok","pid" or "reason","ms"},..]}

Exit status: 0 all are ready, 1 one is not (why stands below it), 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* kill_help = R"(
For what does not stop: nothing ends in order, requests in flight are lost. Killed servers stay down and in the
list: their rooms wait for host restart, or move by host stop. The next master starts them. host health names them.

Examples:
  host kill chat-server-2                   one server
  host kill chat                            all servers of the type
  host kill --all                           all servers, the page's, and the master

Exit status: 0 they are gone, 1 failed, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* logs_help = R"(
Without a word the logs of all servers, of the page and of the master, merged by time. Needs no master.

Examples:
  host logs chat-server-1                   the last 20 lines
  host logs chat-server-1 -f                and what comes, also over a rotation, until Ctrl-C
  host logs chat                            all servers of the type, merged
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

constexpr const char* servers_only = "Types, ids as `host list` shows them, or all";
constexpr const char* servers_too = "Types, ids as `host list --all` shows them, or all";

void add_stop(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, stop] =
        add_verb<stop_command>(host, chosen, "stop",
                               "Stop servers, which then stay stopped; without a word everything, "
                               "the master included",
                               run_group, stop_help);
    add_place(app, stop->where);
    auto* targets = add_targets(app, stop->targets, servers_too);
    app.add_option_function<std::string>(
           "--within",
           [&within = stop->within](const std::string& text) {
               within = config::parse_duration(text, std::chrono::seconds(1));
               if (!within || within->count() == 0 || *within > control::longest_drain) {
                   throw CLI::ValidationError(
                       "--within",
                       fmt::format("found '{}', expected a time such as '30 min', from "
                                   "1 ms to {}",
                                   text, config::show_duration(control::longest_drain)));
               }
           },
           "Rooms that stay may go on for so long")
        ->option_text("TIME")
        ->needs(targets);
}

void add_reload(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, reload] = add_verb<reload_command>(
        host, chosen, "reload", "Replace the code of running servers without losing a request",
        change_group, reload_help);
    add_place(app, reload->where);
    add_targets(app, reload->wanted.targets, servers_only)->required();
    app.add_flag("--rollback", reload->wanted.rollback, "Back to the generation before");
    app.add_flag("--dry-run", reload->wanted.dry_run, "All but the swap");
    add_json(app, reload->as_json);
}

void add_add(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, add] = add_verb<add_command>(
        host, chosen, "add", "Add servers to the running system, of new types too", change_group,
        add_help);
    app.add_option_function<std::vector<std::string>>(
           "keys",
           [&keys = add->keys](const std::vector<std::string>& words) {
               for (const auto& word : words) {
                   const auto equals = word.find('=');
                   if (equals == std::string::npos || equals == 0) {
                       throw CLI::ValidationError(
                           fmt::format("'{}'", word),
                           "expected key=value, such as serverType=chat or port=6053");
                   }
                   keys.emplace_back(word.substr(0, equals), word.substr(equals + 1));
               }
           },
           "What servers.json would say of it")
        ->option_text("KEY=VALUE ...")
        ->required();
    add_json(app, add->as_json);
    add_run(app, add->where);
}

void add_remove(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, remove] = add_verb<remove_command>(
        host, chosen, "remove", "Stop servers and forget them", change_group, remove_help);
    add_targets(app, remove->targets, servers_only)->required();
    add_run(app, remove->where);
}

void add_restart(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, restart] = add_verb<restart_command>(
        host, chosen, "restart", "Stop servers in order and start them again", change_group,
        restart_help);
    add_targets(app, restart->targets,
                "Types, ids as `host list --all` shows them, all, or master alone")
        ->required();
    add_json(app, restart->as_json);
    add_run(app, restart->where);
}

void add_kill(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, kill] = add_verb<kill_command>(
        host, chosen, "kill", "End servers at once, without order", change_group, kill_help);
    auto* targets = add_targets(app, kill->targets, servers_too);
    const auto all = std::make_shared<bool>(false);
    app.add_flag("--all", *all, "Everything, the master included")->excludes(targets);
    app.callback([&chosen, wanted = kill, all] {
        if (wanted->targets.empty() && !*all) {
            throw CLI::RequiredError("targets, or --all");
        }
        chosen = *wanted;
    });
    add_run(app, kill->where);
}

void add_logs(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, logs] = add_verb<logs_command>(
        host, chosen, "logs", "Show the last lines of logs, and what comes", look_group, logs_help);
    add_targets(app, logs->targets, servers_too);
    app.add_flag("-f,--follow", logs->follows, "Go on until Ctrl-C");
    app.add_option("-n,--lines", logs->lines, "So many lines to begin with")
        ->option_text("LINES (20)")
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000}));
    app.add_option("-e,--env", logs->where.env, "Without a master: section of the config files")
        ->option_text("ENV (development)");
    app.add_option("--config", logs->where.config, "Without a master: where host.yaml is")
        ->option_text("DIR (./config, else the installed one)");
    add_run(app, logs->where);
}

void add_log(CLI::App& host, std::optional<command>& chosen) {
    const auto [app, log] = add_verb<log_command>(
        host, chosen, "log", "Show or change the log levels of running servers", change_group,
        log_help);
    app.add_option("target", log->target, "A type, an id, master, or all")
        ->option_text("TYPE|ID|master|all")
        ->required();
    app.add_option_function<std::string>(
           "level",
           [&level = log->level](const std::string& word) { level = base::log::level_of(word); },
           "From which level on lines are written")
        ->option_text("debug|info|warn|error|off")
        ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}));
    app.add_option("--area", log->area, "Only what this area says")
        ->option_text("AREA")
        ->check(CLI::IsMember(base::log::areas()));
    add_json(app, log->as_json);
    add_run(app, log->where);
}

} // namespace

void add_running_verbs(CLI::App& host, std::optional<command>& chosen) {
    add_stop(host, chosen);
    add_add(host, chosen);
    add_remove(host, chosen);
    add_restart(host, chosen);
    add_kill(host, chosen);
    add_logs(host, chosen);
    add_log(host, chosen);
    add_reload(host, chosen);
}

} // namespace shaddock::cli
