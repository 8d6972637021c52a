#pragma once

#include "control/status.hpp"

#include <shaddock/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What the masters of several machines say to each other: a question, and one answer to it.
namespace shaddock::control {

struct master_question {
    /// A command of the admin API (`list`, `stop`, ..), `rows` or `more`.
    std::string what{};
    /// An object: what the admin API takes as the command's body; of `more` a part_request.
    raw_json args{"{}"};
};
BOOST_DESCRIBE_STRUCT(master_question, (), (what, args))

/// A piece of an answer that is too long for one message.
struct answer_part {
    /// Under this number the rest can be asked for, for a while.
    std::uint64_t number = 0;
    /// How many there are.
    std::uint64_t parts = 0;
    /// Of the JSON text of the body; it is cut between characters.
    std::string text{};
};
BOOST_DESCRIBE_STRUCT(answer_part, (), (number, parts, text))

/// One of the three: any JSON, its first part, or why there is none.
struct master_answer {
    std::optional<raw_json> body{};
    std::optional<answer_part> part{};
    std::optional<std::string> error{};
    /// The number of an errc, with `error`.
    std::optional<std::uint16_t> code{};
};
BOOST_DESCRIBE_STRUCT(master_answer, (), (body, part, error, code))

/// The arguments of `more`; the answer is that part.
struct part_request {
    std::uint64_t number = 0;
    /// From 0.
    std::uint64_t part = 0;
};
BOOST_DESCRIBE_STRUCT(part_request, (), (number, part))

/// The answer to `rows`: what a machine runs.
struct machine_rows {
    /// Its addresses and names, as records have them under `host`.
    std::vector<std::string> hosts{};
    /// As of `host list --all`.
    server_rows rows{};
};
BOOST_DESCRIBE_STRUCT(machine_rows, (), (hosts, rows))

/// What each master says once a second to all others, and how they find each other.
struct master_presence {
    /// The id of its machine (bus::machine_id).
    std::string machine{};
    /// For people.
    std::string name{};
    /// The last that is heard of it.
    bool leaves = false;
    /// Another number for each master that has run there; who asked the one before hears nothing
    /// any more.
    std::uint64_t life = 0;
};
BOOST_DESCRIBE_STRUCT(master_presence, (), (machine, name, leaves, life))

} // namespace shaddock::control
