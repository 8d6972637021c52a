#include "check/rules.hpp"

#include "findings.hpp"

#include <algorithm>

namespace shaddock::bench {
namespace {

constexpr std::string_view words[violation_kinds] = {
    "lost",           "doubled",        "reordered",     "ghost_message",    "leaked_private",
    "stray_push",     "wrong_sender",   "wrong_target",  "self_announced",   "missing_add",
    "doubled_add",    "stray_add",      "missing_leave", "doubled_leave",    "stray_leave",
    "out_of_turn",    "missing_user",   "doubled_user",  "ghost_member",     "unanswered",
    "answered_twice", "unasked_answer", "wrong_answer",  "unexpected_close", "unexpected_kick",
    "mangled"};

} // namespace

std::string_view to_string(violation_kind kind) {
    return words[static_cast<std::size_t>(kind)];
}

bool parse(std::string_view name, violation_kind& kind) {
    const auto* const found = std::find(std::begin(words), std::end(words), name);
    if (found == std::end(words)) {
        return false;
    }
    kind = static_cast<violation_kind>(found - std::begin(words));
    return true;
}

check_report check(const history& log, const check_options& options) {
    check_report report;
    const timeline line = make_timeline(log, options);
    findings found(log, line, options, report);
    const examination all{log, line, found, report};
    check_connections(all);
    check_answers(all);
    check_messages(all);
    check_order(all);
    check_users_lists(all);
    check_notices(all);
    return report;
}

} // namespace shaddock::bench
