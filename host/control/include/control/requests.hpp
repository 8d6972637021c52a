#pragma once

#include <shaddock/error.hpp>
#include <shaddock/message.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the command line and the admin page ask of the master, as far as it has no file of its own.
namespace shaddock::control {

/// An answer that is none.
struct refusal {
    std::string error{};
};
BOOST_DESCRIBE_STRUCT(refusal, (), (error))

/// `POST /api/restart`: whom the command is for, types and ids.
struct target_request {
    std::vector<std::string> targets{};
};
BOOST_DESCRIBE_STRUCT(target_request, (), (targets))
/// Errors: bad_request: it is not that form, or names nobody.
result<std::vector<std::string>> targets_from(std::string_view body);

/// `POST /api/stop`, `/api/kill` and `/api/remove`: ids, types and `all` (all servers); or `all`
/// instead of these: everything, the master included.
struct end_request {
    std::optional<bool> all{};
    std::optional<std::vector<std::string>> ids{};
};
BOOST_DESCRIBE_STRUCT(end_request, (), (all, ids))
/// None: everything.
end_request end_of(const std::vector<std::string>& ids);
/// None: everything. An empty list of ids is neither: a script that finds no server must not stop
/// everything. Errors: bad_request.
result<std::vector<std::string>> ids_from(std::string_view body);

/// `GET /api/servers`.
struct list_request {
    /// The page's server and the master too.
    bool all = false;
};
BOOST_DESCRIBE_STRUCT(list_request, (), (all))

/// How long a server may drain at most.
inline constexpr std::chrono::hours longest_drain{7 * 24};
/// `POST /api/drain`: at least one id, type or `all`, from 1 ms to longest_drain.
struct drain_request {
    std::vector<std::string> ids{};
    std::uint64_t within_ms = 0;
};
BOOST_DESCRIBE_STRUCT(drain_request, (), (ids, within_ms))
/// Errors: bad_request.
result<drain_request> drain_from(std::string_view body);

/// `key=value` as they were given, in this order.
using addition_keys = std::vector<std::pair<std::string, std::string>>;
/// `POST /api/add`: {"id":"chat-server-9",..}, texts or other JSON.
using addition_request = std::map<std::string, raw_json>;
addition_request addition_of(const addition_keys& keys);
/// What is no text comes as its JSON. Errors: bad_request.
result<addition_keys> keys_from(std::string_view body);
/// Errors: config: a key stands there twice.
result<void> check_keys(const addition_keys& keys);

/// The answer of `GET /api/logs?id=..`.
struct log_tail {
    std::string id{};
    std::string file{};
    std::vector<std::string> lines{};
    /// Where the file is; absent: on the machine that was asked.
    std::optional<std::string> machine{};
    /// Why a machine, under its name as `id`, has answered nothing.
    std::optional<std::string> reason{};
};
BOOST_DESCRIBE_STRUCT(log_tail, (), (id, file, lines, machine, reason))
inline constexpr std::size_t most_log_lines = 10'000;
/// `GET /api/logs`. No targets: all processes.
struct logs_request {
    std::vector<std::string> targets{};
    /// At most most_log_lines.
    std::uint64_t lines = 100;
};
BOOST_DESCRIBE_STRUCT(logs_request, (), (targets, lines))
/// The answer of `GET /api/logs?targets=..`.
struct log_tails {
    std::vector<log_tail> results{};
};
BOOST_DESCRIBE_STRUCT(log_tails, (), (results))

/// What `<run>/admin.json` says: where the master listens and who it is.
struct admin_place {
    std::string host{};
    std::uint16_t port = 0;
    pid_t pid = 0;
};
BOOST_DESCRIBE_STRUCT(admin_place, (), (host, port, pid))

} // namespace shaddock::control
