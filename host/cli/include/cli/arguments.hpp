#pragma once

#include "base/log.hpp"
#include "client/address.hpp"
#include "control/reload.hpp"
#include "node/complain.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The command line of `host`, as values.
namespace shaddock::cli {

/// What most commands share.
struct place {
    std::string env = "development";
    /// Empty: ./config if present, else the installed one.
    std::optional<std::filesystem::path> config;
    /// Instead of the config folder's servers.json.
    std::optional<std::filesystem::path> servers;
    /// Sockets, locks and tokens.
    std::filesystem::path run = "run";
    /// The list that the run folder has counts although nobody runs: a master that has replaced
    /// itself has stopped all its servers before.
    bool keeps_list = false;
};

/// `host --type T --id I`: one server.
struct serve_command {
    place where;
    std::string type;
    std::string id;
    /// Started by a master: its output is a file that the master reads, the log has one of its own.
    bool is_child = false;
    /// With the modules that served before the last swap: the new ones have crashed.
    bool with_modules_before = false;
};
struct start_command {
    place where;
    /// -D: returns after the ready line.
    bool is_daemon = false;
};
struct web_command {
    place where;
    std::optional<std::uint16_t> port;
    std::optional<std::filesystem::path> folder;
    bool is_child = false;
};
struct list_command {
    place where;
    bool as_json = false;
    /// The master and the page's server too.
    bool with_all = false;
};
/// Words of targets, here and below: ids, types, `all`, which is all servers; where it makes sense
/// `web` and `master`. None: what is shown by `host list --all`.
struct health_command {
    place where;
    std::vector<std::string> targets;
    bool as_json = false;
};
struct stop_command {
    place where;
    /// Empty: everything, the master included.
    std::vector<std::string> targets;
    /// Absent: at once. Else they drain first, at most for so long.
    std::optional<std::chrono::milliseconds> within{};
};
struct reload_command {
    place where;
    control::reload_request wanted;
    bool as_json = false;
};
/// `host admin`: where the admin page is.
struct admin_command {
    place where;
};
/// `host add serverType=chat id=chat-server-9 ...`.
struct add_command {
    place where;
    std::vector<std::pair<std::string, std::string>> keys;
    bool as_json = false;
};
struct remove_command {
    place where;
    std::vector<std::string> targets;
};
struct restart_command {
    place where;
    std::vector<std::string> targets;
    bool as_json = false;
};
struct kill_command {
    place where;
    /// Empty: everything, the master included.
    std::vector<std::string> targets;
};
struct logs_command {
    place where;
    /// Empty: all processes of the system.
    std::vector<std::string> targets;
    /// Goes on with what is written, until SIGINT or SIGTERM.
    bool follows = false;
    std::size_t lines = 20;
};
struct log_command {
    place where;
    /// `all`: the master too.
    std::string target;
    /// Absent: only shows the levels.
    std::optional<base::log::level> level;
    /// Empty: all areas.
    std::string area;
    bool as_json = false;
};
/// `host check`: whether a system would start. With modules: whether these would be accepted.
struct check_command {
    place where;
    bool as_json = false;
    /// Prints the reference of host.yaml; nothing is checked.
    bool shows_options = false;
    /// Together; they are what a server of the type would run. Empty: the whole system is checked.
    std::vector<std::filesystem::path> modules;
    std::string type;
    /// Whose part they play; absent: the first server of the type.
    std::optional<std::string> id;
    /// Given by a server that reloads: where copies stand meanwhile. The process then lives no
    /// longer than that server.
    std::optional<std::filesystem::path> scratch;
    /// A start that still waits after it is good enough.
    std::uint32_t patience_ms = 1000;
};
/// `host routes [TYPE]`: what handlers and remotes take and give.
struct routes_command {
    place where;
    /// Empty: all types.
    std::string type;
    bool as_json = false;
};
/// `host new DIR --type T` or `--types A,B`: a plugin project.
struct new_command {
    std::filesystem::path folder;
    /// Empty when `types` are given.
    std::string type;
    std::vector<std::string> types;
};

/// `host client`: a client of a frontend in the terminal.
struct client_command {
    /// Where the gate stands when neither `gate` nor `connect` is given.
    place where;
    std::optional<client::address> gate;
    /// A frontend itself.
    std::optional<client::address> connect;
    bool over_tcp = false;
    /// Whom the gate is asked for; empty: a name of its own.
    std::string uid;
    /// `-`: standard input.
    std::optional<std::filesystem::path> script;
    bool as_json = false;
    std::chrono::milliseconds timeout{10'000};
};
/// Nothing to run: help, the version, or what is wrong with the arguments.
struct answer {
    std::string text;
    int status = 0;
};

using command =
    std::variant<answer, serve_command, start_command, web_command, list_command, stop_command,
                 reload_command, admin_command, check_command, routes_command, client_command,
                 new_command, add_command, remove_command, restart_command, kill_command,
                 logs_command, log_command, health_command>;

/// Exit statuses of `host`.
using node::exit_failed;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_master = 3;

/// The commands by name, as `host --help` lists them.
std::vector<std::string> verbs();

/// `arguments` without the program's name. Wrong ones are an answer with status `exit_usage`.
command parse(const std::vector<std::string>& arguments);

} // namespace shaddock::cli
