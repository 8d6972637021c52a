#pragma once

#include "check/history.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::bench {

/// A broken promise. The names (to_string) stand in reports, in `--allow` and in tests.
enum class violation_kind : std::uint8_t {
    /// A member did not get a message.
    lost,
    /// Got a message twice.
    doubled,
    /// Got two messages of one sender in the wrong order.
    reordered,
    /// Got a message that nobody sent, or before it was sent.
    ghost_message,
    /// Got a message that was private to somebody else.
    leaked_private,
    /// Got a message of a room of which he was no member.
    stray_push,
    /// `from` of a message is not its sender.
    wrong_sender,
    /// `target` of a message is not what the sender asked for.
    wrong_target,
    /// A client was told of his own coming or going.
    self_announced,
    /// A member was not told of a newcomer; was told twice; was told of nobody.
    missing_add,
    doubled_add,
    stray_add,
    /// The same for somebody who left.
    missing_leave,
    doubled_leave,
    stray_leave,
    /// onAdd and onLeave of one user do not alternate, or do not fit the users list.
    out_of_turn,
    /// The users list of an enter's answer lacks a member (or the newcomer himself).
    missing_user,
    /// It names one twice.
    doubled_user,
    /// It names somebody who is not in the room.
    ghost_member,
    unanswered,
    answered_twice,
    /// An answer to an id that was not asked.
    unasked_answer,
    /// A refusal without a reason, or success where there must be a refusal.
    wrong_answer,
    /// Closed or kicked though the client did not mean to go.
    unexpected_close,
    unexpected_kick,
    /// Bytes, routes or contents that no correct server sends.
    mangled,
};
inline constexpr std::size_t violation_kinds = 26;

std::string_view to_string(violation_kind kind);
/// The kind with that name; false when there is none.
bool parse(std::string_view name, violation_kind& kind);

struct violation {
    violation_kind kind;
    /// Who, what, when (seconds since the first event), why it is wrong.
    std::string text;
};

/// Whom a fault has touched; nobody by default.
struct hurt_ones {
    /// Whose owner it was.
    std::vector<std::string> rooms{};
    /// Ids: clients whose label ends in `@` and one of them.
    std::vector<std::string> frontends{};
};

/// A time in which a fault was at work or was not got over. What is exempt from which rule then
/// stands at `check`.
struct trouble {
    nanoseconds from = 0;
    nanoseconds to = 0;
    /// Whether members are told all the same who came and went, though later: true of the death of
    /// a room's owner, not of a link's.
    bool is_told = false;
    /// Who may miss a message that was sent in this time and answered well; absent: anybody.
    std::optional<hurt_ones> only{};
};

struct check_options {
    /// How long after a client's connection has closed the server may take to tell the others.
    nanoseconds leave_grace = 2'000'000'000;
    /// How many violations are explained; all are counted.
    std::size_t explain = 20;
    /// Kinds that are counted but do not fail, by number.
    std::array<bool, violation_kinds> allowed{};
    /// In any order; they may overlap.
    std::vector<trouble> troubles{};
};

/// What the check found.
struct check_report {
    std::array<std::size_t, violation_kinds> counts{};
    /// The first `explain` that are not allowed.
    std::vector<violation> explained;
    /// Checked: requests, messages sent, deliveries seen, deliveries that had to come, joins.
    std::size_t requests = 0;
    std::size_t messages = 0;
    std::size_t deliveries = 0;
    std::size_t deliveries_owed = 0;
    std::size_t joins = 0;
    /// onAdd and onLeave seen.
    std::size_t notices = 0;
    /// Violations that are not allowed.
    std::size_t failures = 0;

    bool is_clean() const { return failures == 0; }
    std::size_t count(violation_kind kind) const { return counts[static_cast<std::size_t>(kind)]; }
};

/// Checks a whole history.
///
/// A client's membership of a room is known only up to its requests: it is surely a member from the
/// answer of its enter until it begins to leave (or to enter elsewhere), and possibly from the
/// beginning of its enter until the answer of the next, or until `leave_grace` after its
/// connection closed. A message must reach all who were surely members from its send to its answer,
/// may reach those who were possibly members in that time, and nobody else. The same holds for
/// onAdd over the newcomer's enter and onLeave over the leaver's going. bench/README.md has the
/// whole list.
///
/// In a trouble, and `leave_grace` around it, nobody is surely a member, requests may be refused,
/// connections may close, and an enter that was refused may have been carried out until its end;
/// who left is possibly a member until its end. A message that was answered well must all the same
/// reach those who have believed themselves in the room since before it was sent and for a second
/// after it was answered, unless the trouble has hurt them (trouble::only). An enter or leave then
/// must still be told if the trouble `is_told`; and an onLeave may come for an enter that was
/// refused or not answered. Everything else holds all the time: answers, order, nothing twice,
/// nothing to those who were not members, nothing of what did not happen. After it all rules hold
/// for whoever then believes itself in a room: the answer of its last good enter counts, whatever
/// was refused. Throws std::runtime_error when the history contradicts itself (a request id used
/// twice on a connection, a text sent twice). Thread: any.
check_report check(const history& log, const check_options& options);

} // namespace shaddock::bench
