#pragma once

#include "check/history.hpp"
#include "check/rules.hpp"

#include <unordered_map>
#include <vector>

namespace shaddock::bench {

/// So long what is sent in a trouble may be on its way.
inline constexpr nanoseconds late_in_trouble = 1'000'000'000;

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
    /// leave_begin as the client knows it: not brought forward to where a trouble began.
    nanoseconds believed_until = never;
    std::uint32_t users_list = 0;

    bool surely(nanoseconds from, nanoseconds to) const {
        return join_ok < from && to < leave_begin;
    }
    /// Whether it stays for so long that what comes late comes in time.
    bool steadily(nanoseconds from, nanoseconds to) const {
        return join_ok < from && to < believed_until - late_in_trouble;
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
    nanoseconds leave_grace = 0;
    /// By time; they do not overlap.
    std::vector<trouble> troubles;

    /// Whether no trouble has to do with that time.
    bool is_calm(nanoseconds from, nanoseconds to) const { return count(from, to, false); }
    /// Whether all that had to be told in that time was told in the end.
    bool is_told(nanoseconds from, nanoseconds to) const { return count(from, to, true); }
    bool surely(const membership& who, nanoseconds from, nanoseconds to) const {
        return who.surely(from, to) && is_calm(from, to);
    }
    /// Whether every trouble of that time has hurt others only.
    bool is_unhurt(client_id client, const std::string& room, nanoseconds from,
                   nanoseconds to) const;
    /// The beginning and the end of the trouble at a time; of none: the time.
    nanoseconds began(nanoseconds t) const;
    nanoseconds over(nanoseconds t) const;

    /// As they were told, each with the clients that it has hurt.
    struct told_trouble {
        trouble what;
        std::vector<bool> clients;
    };
    std::vector<told_trouble> told;

private:
    bool is_at(const trouble& each, nanoseconds from, nanoseconds to) const;
    bool count(nanoseconds from, nanoseconds to, bool told_are_fine) const;
};

/// Throws std::runtime_error when a request id or a message text is used twice.
timeline make_timeline(const history& log, const check_options& options);

} // namespace shaddock::bench
