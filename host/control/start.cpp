#include "control/start.hpp"

#include "table_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::control {
namespace {

std::string_view word_for(start_outcome outcome) {
    switch (outcome) {
    case start_outcome::ready:
        return "ready";
    case start_outcome::failed:
        return "failed";
    case start_outcome::skipped:
        return "not touched";
    }
    return "unknown";
}

} // namespace

start_outcome start_record::outcome() const {
    if (ok) {
        return start_outcome::ready;
    }
    return skipped.value_or(false) ? start_outcome::skipped : start_outcome::failed;
}

void start_record::end_as(start_outcome how, std::string why) {
    ok = how == start_outcome::ready;
    skipped = how == start_outcome::skipped ? std::optional(true) : std::nullopt;
    reason = ok ? std::nullopt : std::optional(std::move(why));
}

std::string to_table(const start_results& all) {
    std::string text =
        fmt::format("{:<20} {:<12} {:<12} {:>8} {:>8}\n", "id", "type", "state", "pid", "ms");
    for (const auto& one : all.results) {
        const auto outcome = one.outcome();
        text +=
            fmt::format("{:<20} {:<12} {:<12} {:>8} {:>8}\n", one.id, one.type, word_for(outcome),
                        one.pid ? std::to_string(*one.pid) : "-",
                        outcome == start_outcome::skipped ? "-" : fmt::format("{:.0f}", one.ms));
        text += indented(one.reason.value_or(""));
        text += one.warning ? indented("warning: " + *one.warning) : "";
    }
    return text;
}

bool has_succeeded(const start_results& all) {
    return !all.results.empty() && std::ranges::all_of(all.results, &start_record::ok);
}

} // namespace shaddock::control
