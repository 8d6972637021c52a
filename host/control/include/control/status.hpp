#pragma once

#include <shaddock/ids.hpp>
#include <shaddock/message.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// How a server does: what it tells its master, and what the master tells of it.
namespace shaddock::control {

/// `stalled`: its loop has not turned for a second. `silent`: the master of another
/// machine that does not answer. `failed`: it ended and is not up; in a crash
/// loop it waits so for the next try. A server itself is never one of both. `draining`: it stops,
/// and ends what it has accepted; in a list also one that serves and takes no new rooms, which has
/// server_row::draining. `joining`: it serves, and is not in the list that several machines share
/// yet, so that nobody routes to it.
enum class server_state { starting, ready, draining, stopped, failed, stalled, silent, joining };
std::string_view to_string(server_state state);

/// Of a server that drains: the rooms that are not empty yet.
struct rooms_left {
    std::uint64_t rooms = 0;
    std::uint64_t members = 0;

    friend bool operator==(const rooms_left&, const rooms_left&) = default;
};
BOOST_DESCRIBE_STRUCT(rooms_left, (), (rooms, members))

/// What a server says of itself. A member more stands here alone: `host list --json`, the admin API
/// and page and the metrics show every member.
struct server_status {
    /// As to_string(server_state). A text: a master need not know the states of later versions.
    std::string state = "starting";
    std::uint64_t connections = 0;
    std::string module{};
    std::string version{};
    /// Hexadecimal; empty: the module has none.
    std::string build_id{};
    /// Counts from 1.
    std::uint64_t generation = 1;
    /// Generations that were replaced and still have work under way.
    std::uint64_t ending = 0;
    /// Those that did not end when they were cancelled: their objects are kept for ever.
    std::uint64_t kept = 0;
    /// Links to other servers: up, and how many there should be (servers expected, without itself).
    std::uint64_t links = 0;
    std::uint64_t expected = 0;
    /// Of the list over which it routes, once the rooms that moved by it have moved. 0: not told.
    std::uint64_t epoch = 0;
    /// Of one that drains and knows what stays with it.
    std::optional<rooms_left> staying{};

    bool is(server_state wanted) const { return state == to_string(wanted); }

    friend bool operator==(const server_status&, const server_status&) = default;
};
BOOST_DESCRIBE_STRUCT(server_status, (),
                      (state, connections, module, version, build_id, generation, ending, kept,
                       links, expected, epoch, staying))

/// Of a server that leaves (`rooms: stay`): it takes no new rooms, and ends when those that it has
/// are empty.
struct drain_left {
    /// What is left; absent: it has not said so yet.
    std::optional<std::uint64_t> rooms{};
    std::optional<std::uint64_t> members{};
    /// Then it ends anyway; absent: no time limit.
    std::optional<std::uint64_t> ends_in_s{};

    friend bool operator==(const drain_left&, const drain_left&) = default;
};
BOOST_DESCRIBE_STRUCT(drain_left, (), (rooms, members, ends_in_s))

/// One process of `host list`: a server's status, and what the master knows of it.
struct server_row : server_status {
    std::string id{};
    std::string type{};
    /// Null: not running.
    std::variant<std::monostate, pid_t> pid;
    std::uint64_t uptime_s = 0;
    std::uint64_t rss_kb = 0; // VmRSS
    /// Its life; 0: not known.
    std::uint64_t incarnation = 0;
    /// It should serve, and does not.
    bool missing = false;
    /// Out of the list of servers.
    bool stopped = false;
    std::optional<drain_left> draining{};
    /// Where it runs; absent while the system is on one machine.
    std::optional<std::string> machine{};
    /// Why it is silent.
    std::optional<std::string> reason{};

    std::optional<pid_t> process() const;
    void set_process(std::optional<pid_t> now);

    friend bool operator==(const server_row&, const server_row&) = default;
};
BOOST_DESCRIBE_STRUCT(server_row, (server_status),
                      (id, type, pid, uptime_s, rss_kb, incarnation, missing, stopped, draining,
                       machine, reason))

/// The answer of `GET /api/servers`.
using server_rows = std::vector<server_row>;

/// What stands for a machine whose master does not answer.
server_row silent_row(const std::string& machine, std::string reason);

/// For people: one aligned row per server under a heading (with its machine when the system is on
/// several), and below them what is left of those that drain, which machines are silent and why,
/// and a warning for each that keeps generations which do not end.
std::string to_table(const server_rows& rows);

/// The first digits of a build id; `-` when there is none.
std::string short_build_id(std::string_view build_id);

struct missing_server {
    std::string id{};
    std::string state{};
};
BOOST_DESCRIBE_STRUCT(missing_server, (), (id, state))

/// Whether all that should serve do.
struct health {
    bool healthy = true;
    std::vector<missing_server> missing{};
};
BOOST_DESCRIBE_STRUCT(health, (), (healthy, missing))

health health_of(const server_rows& rows);
/// For people: `not healthy: 1 of 2 serve, chat-server-2 is stalled, 1 drains`. Who drains serves.
std::string to_text(const health& said, const server_rows& rows);

} // namespace shaddock::control
