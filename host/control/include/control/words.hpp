#pragma once

#include "config/load.hpp"

#include <shaddock/error.hpp>
#include <shaddock/ids.hpp>
#include <shaddock/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a server and its master say to each other: each under its word, `{"status":{..}}` on a
/// line.
namespace shaddock::control {

namespace word {
/// From the server.
inline constexpr std::string_view registration = "register"; // registration
inline constexpr std::string_view status = "status";         // server_status
inline constexpr std::string_view answer = "answer";         // answer
inline constexpr std::string_view reloaded = "reloaded";     // reload_record
/// From the master.
inline constexpr std::string_view servers = "servers"; // server_list
inline constexpr std::string_view dead = "dead";       // server_life
inline constexpr std::string_view leaving = "leaving"; // server_life
inline constexpr std::string_view ask = "ask";         // question
inline constexpr std::string_view reload = "reload";   // reload_order
} // namespace word

/// Who speaks.
struct registration {
    std::string id{};
    incarnation life{};
};
BOOST_DESCRIBE_STRUCT(registration, (), (id, life))

/// Of whom it is said: `dead`, its process was seen to end; `leaving`, it has begun to stop
/// (not server_list::leaving, whose rooms stay).
struct server_life {
    std::string id{};
    incarnation life{};
};
BOOST_DESCRIBE_STRUCT(server_life, (), (id, life))

/// Who is expected.
struct server_list {
    /// 0: a master that is older than epochs.
    std::uint64_t epoch = 0;
    /// Each the JSON text of a record; absent is no list.
    std::optional<std::vector<std::string>> list{};
    std::vector<std::string> guests{};
    /// Ids of guests: those who leave (take no new rooms, and end when theirs are empty) are in the
    /// list, but count as guests for a server that does
    /// not know of leaving.
    std::vector<std::string> leaving{};
};
BOOST_DESCRIBE_STRUCT(server_list, (), (epoch, list, guests, leaving))

server_list list_of(const config::system& system);

/// What is read of such a record; the names are those of servers.json.
struct listed_server {
    std::string id{};
    std::string serverType{};
    std::string host{};
    std::string clientHost{};
    std::uint16_t clientPort = 0;
    std::uint16_t publicPort = 0;
    bool frontend = false;
};
BOOST_DESCRIBE_STRUCT(listed_server, (),
                      (id, serverType, host, clientHost, clientPort, publicPort, frontend))

/// `args` is an object.
struct question {
    std::optional<std::uint64_t> n{};
    std::string what{};
    raw_json args{"{}"};
};
BOOST_DESCRIBE_STRUCT(question, (), (n, what, args))

/// To the question of that number: any JSON, or why there is none.
struct answer {
    std::uint64_t n = 0;
    std::optional<raw_json> body{};
    std::optional<std::string> error{};
};
BOOST_DESCRIBE_STRUCT(answer, (), (n, body, error))

} // namespace shaddock::control
