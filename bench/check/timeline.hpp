#pragma once

#include "check/history.hpp"

#include <unordered_map>
#include <vector>

namespace shaddock::bench {

/// A client in a room, with the times between which it came and went.
struct membership {
    client_id client = 0;
    name_id user = 0;
    name_id room = 0;
    nanoseconds join_begin = 0;
    /// never: its enter was not answered, so it is never surely a member.
    nanoseconds join_ok = never;
    nanoseconds leave_begin = never;
    nanoseconds leave_ok = never;
    std::uint32_t users_list = 0;

    bool surely(nanoseconds from, nanoseconds to) const {
        return join_ok < from && to < leave_begin;
    }
    bool possibly(nanoseconds from, nanoseconds to) const {
        return join_begin <= to && from <= leave_ok;
    }
};

struct request {
    client_id client = 0;
    std::uint32_t id = 0;
    event_kind kind = event_kind::query;
    nanoseconds begin = 0;
    nanoseconds end = never;
    unsigned answers = 0;
    bool is_ok = false;
    std::uint32_t code = 0;
    /// As in the event.
    std::uint32_t b = 0;
    std::uint32_t c = 0;
    /// Its connection closed within the grace after it, before an answer came.
    bool is_excused = false;
};

inline constexpr std::size_t nothing = static_cast<std::size_t>(-1);

/// A history, sorted out: requests with their answers, memberships with their windows.
struct timeline {
    std::vector<request> requests;
    std::vector<membership> memberships;
    /// Indices into memberships.
    std::unordered_map<name_id, std::vector<std::size_t>> by_room;
    std::vector<std::vector<std::size_t>> by_client;
    /// Per message: index of the send, or nothing.
    std::vector<std::size_t> sends;
    /// Answers to ids that were not asked: indices into the events.
    std::vector<std::size_t> unasked;
    nanoseconds start = 0;
};

/// Throws std::runtime_error when a request id or a message text is used twice.
timeline make_timeline(const history& log, nanoseconds leave_grace);

} // namespace shaddock::bench
