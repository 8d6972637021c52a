#pragma once

#include "history.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// What stands in the bodies of tests/plugin/hot, and what `host ... --json` prints.
namespace shaddock::reload {

struct read_stamp {
    stamp by;
    std::uint32_t proof = 0;
};
struct read_reply {
    /// Not empty: it is a refusal, whole.
    std::string refusal;
    read_stamp taken;
    read_stamp given;
    std::uint32_t seq = none;
    std::optional<read_stamp> asked;
};
/// An answer; that of `echo` is one stamp for taken and given. None when it is malformed.
std::optional<read_reply> parse_reply(std::string_view body);

struct read_push {
    /// The user's name.
    std::string from;
    std::uint32_t n = 0;
    std::uint32_t seq = 0;
    read_stamp by;
};
std::optional<read_push> parse_push(std::string_view body);

/// `host reload --json`. None when it is no such thing.
std::optional<std::vector<swap>> parse_swaps(std::string_view text);

struct listed_server {
    std::string id;
    std::string type;
    pid_t pid = 0;
    std::uint64_t generation = 0;
    /// Generations that still end, and those that never will.
    std::uint64_t ending = 0;
    std::uint64_t kept = 0;
};
/// `host list --json`, the running ones. None when it is no such thing.
std::optional<std::vector<listed_server>> parse_list(std::string_view text);

} // namespace shaddock::reload
