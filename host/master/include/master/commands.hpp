#pragma once

#include "base/log.hpp"
#include "config/options.hpp"

#include <shaddock/error.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the command line, the master and the servers say to each other for `host add`, `restart`,
/// `kill` and `log`.
namespace shaddock::master {

/// {"targets":["<type or id>",..]}: whom a command is for.
std::string targets_json(const std::vector<std::string>& targets);

/// The list of a running system to which servers were added: `<run>/servers.json`, in the form of
/// servers.json without sections. It is there from the first addition until everything stops, and
/// counts instead of the config folder's file as long as any process of the system runs.
std::filesystem::path running_list(const std::filesystem::path& run);

/// `key=value` as they were given, in this order.
using addition_keys = std::vector<std::pair<std::string, std::string>>;

/// {"id":"chat-server-9",..}: every value as text.
std::string addition_json(const addition_keys& keys);

/// What a server is told over its line, `servers`: {"list":["<record as JSON text>",..]}.
std::string expected_json(const std::vector<config::server_record>& servers);
/// The texts of it. Errors: bad_request.
result<std::vector<std::string>> records_from_expected_json(std::string_view text);

/// What `POST /api/log` asks of a server; without a level nothing changes.
struct log_change {
    std::optional<base::log::level> level;
    /// Empty: all areas.
    std::string area;
};
/// The body of `POST /api/log`: the targets and the change.
std::string log_request_json(const std::vector<std::string>& targets, const log_change& wanted);
/// The arguments of the question `log`: {"level":"debug","area":"net"}.
std::string to_json(const log_change& wanted);
/// Errors: bad_request, naming the known levels or areas.
result<log_change> log_change_from_json(std::string_view text);
/// {"level":"info","areas":{"net":"debug"}}.
std::string to_json(const base::log::levels& now);
/// Does it in this process; answers what the levels are now.
base::log::levels apply(const log_change& wanted);

/// The answer to `POST /api/log`, one server's.
struct log_answer {
    std::string id;
    /// Or why it has not answered.
    result<base::log::levels> levels;
};
/// {"results":[{"id","ok":true,"levels":{"level","areas"}},{"id","ok":false,"reason"},..]}.
/// Errors: bad_request.
result<std::vector<log_answer>> log_answers_from_json(std::string_view text);

} // namespace shaddock::master
