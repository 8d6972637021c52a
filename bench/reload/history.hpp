#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// What the sessions of shaddock-reload did and saw while modules were exchanged under them.
namespace shaddock::reload {

/// Nanoseconds of the monotonic clock.
using nanoseconds = std::int64_t;
inline constexpr std::uint32_t none = 0xffffffff;

/// The code that made an answer or a push, as it says itself.
struct stamp {
    std::string server;
    std::string life;
    std::string version;
    std::uint64_t generation = 0;

    friend bool operator==(const stamp&, const stamp&) = default;
};
/// Index of a stamp; runs have few stamps and millions of answers.
using stamp_id = std::uint32_t;

/// What is asked. `echo` and `say` are registered as serial, so that their answers come in the
/// order of asking.
enum class kind : std::uint8_t {
    /// Answered by the connector.
    echo,
    /// Answered by the chat server of the room, after a push to all members.
    say,
    /// The connector asks a chat server and then answers.
    relay,
    /// The chat server answers after some milliseconds.
    wait,
};
inline constexpr std::size_t kinds = 4;
std::string_view to_string(kind what);

/// One request. Noted when sent; the rest when answered.
struct request {
    nanoseconds sent = 0;
    nanoseconds answered = 0;
    std::uint32_t session = 0;
    /// Its number in the session, from 0; also what was sent as `n`.
    std::uint32_t n = 0;
    /// How many answers came.
    std::uint32_t answers = 0;
    /// Place of the first answer among all answers of the session.
    std::uint32_t place = none;
    /// say: place of the message in its room.
    std::uint32_t seq = none;
    stamp_id taken = none;
    stamp_id given = none;
    stamp_id asked = none;
    kind what = kind::echo;
    bool is_refused = false;
    /// Each stamp's proof is what its version gives for `n`.
    bool is_proved = true;
};

/// One onSaid, in the order in which its session saw it.
struct push {
    std::uint32_t from = none;
    std::uint32_t n = 0;
    std::uint32_t seq = 0;
    stamp_id by = none;
    bool is_proved = true;
};

/// One row that the chat server wrote of a session: how many of its messages it had counted by
/// then, and the sum of their numbers.
struct row {
    std::uint64_t count = 0;
    std::uint64_t sum = 0;

    friend bool operator==(const row&, const row&) = default;
};

struct session {
    std::uint32_t room = 0;
    /// Indices into history::requests, by n.
    std::vector<std::uint32_t> requests;
    std::deque<push> pushes;
    /// All rows ever written of it, in their order; the last is what a restart would find.
    std::vector<row> rows;
    std::uint32_t answers = 0;
    /// Answers to ids that were never asked.
    std::uint32_t unasked = 0;
    /// Empty: open to the end.
    std::string closed;
    /// Bytes that no correct server sends.
    std::vector<std::string> mangled;
};

/// One instance's line of a reload.
struct swap {
    std::string server;
    bool is_ok = false;
    std::string from_version;
    std::uint64_t from_generation = 0;
    std::string to_version;
    std::uint64_t to_generation = 0;
    double ms = 0;
    std::string reason;
};

/// One `host reload`.
struct reload {
    nanoseconds began = 0;
    nanoseconds ended = 0;
    std::string target;
    int status = 0;
    std::vector<swap> swaps;
    /// What the command said when it failed.
    std::string said;
};

/// All of a run. Thread: one.
struct history {
    std::vector<session> sessions;
    /// Never moved while it grows: that would take milliseconds of the time that is measured.
    std::deque<request> requests;
    std::vector<reload> reloads;
    std::vector<stamp> stamps;
    /// The servers drain before a swap, so that the rooms' count of messages has to go on over it.
    bool has_state = false;
    /// The servers write rows, and flush before a swap.
    bool has_rows = false;

    stamp_id intern(const stamp& one);
    /// Notes a request that is about to be sent.
    request& ask(std::uint32_t who, kind what, nanoseconds now);

private:
    std::unordered_map<std::string, stamp_id> known_;
    std::string key_;
};

/// What the build of this version computes for `n` (tests/plugin/hot); none for a version that is
/// unknown.
std::uint32_t proof_of(std::string_view version, std::uint32_t n);

} // namespace shaddock::reload
