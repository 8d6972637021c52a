#pragma once

#include "history.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::reload {

/// A broken promise of reload. The names (to_string) stand in reports and tests.
enum class rule : std::uint8_t {
    /// Every request is answered, once, and nothing else is.
    unanswered,
    answered_twice,
    unasked_answer,
    /// A request failed; none may because of a reload.
    refused,
    /// Answers of a serial method came in another order than they were asked for.
    out_of_order,
    /// An answer's parts, or an answer and its push, are by different generations.
    mixed_generations,
    /// A version's name beside what another build computes.
    mixed_code,
    /// By order of asking (answers), or of coming (pushes for one sender's messages), a session saw
    /// an older life or generation of a server after a younger one.
    went_back,
    /// Asked after a swap was reported, answered by the generation before it.
    stale,
    /// A version or generation that no reload reported.
    unknown_generation,
    /// A member of the room did not get a message, got it twice, in another order than its sender
    /// said it or another member got it, or nobody said it.
    lost_push,
    doubled_push,
    push_out_of_order,
    ghost_push,
    /// A room's messages did not go on counting: the plugin's state did not cross. Only where the
    /// servers drain: without, what was accepted before the swap changes the old state after it.
    lost_state,
    /// What is in the database at the end is not what a session said.
    lost_row,
    /// A row was overwritten by an older one, as by a flush of a generation that was replaced.
    stale_row,
    closed,
    mangled,
    /// `host reload` failed, or an instance did not swap, or not to the next generation.
    reload_failed,
};
inline constexpr std::size_t rules = 20;
std::string_view to_string(rule broken);

struct violation {
    rule broken;
    /// Who, what, when.
    std::string text;
};

struct findings {
    std::array<std::size_t, rules> counts{};
    /// The first of each rule, and a few more.
    std::vector<violation> explained;
    std::size_t requests = 0;
    std::size_t pushes = 0;
    std::size_t swaps = 0;
    std::size_t rows = 0;
    /// Requests that were sent before a swap ended and answered after it began.
    std::size_t across = 0;

    std::size_t count(rule broken) const { return counts[static_cast<std::size_t>(broken)]; }
    std::size_t failures() const;
    bool is_clean() const { return failures() == 0; }
};

/// Checks a whole run. All sessions must have entered their rooms before the first `say`. Thread:
/// any.
findings check(const history& all);

} // namespace shaddock::reload
