#include "control/reload.hpp"

#include "control/status.hpp"
#include "table_text.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace shaddock::control {
namespace {

std::string cell(const running_build& build) {
    if (build.generation == 0) {
        return "-";
    }
    return fmt::format("{} {} generation {}", build.version, short_build_id(build.build_id),
                       build.generation);
}

std::string cell_of_next(const reload_record& one) {
    if (one.ok && one.to) {
        return (one.outcome() == reload_outcome::would_swap ? "would be " : "") + cell(*one.to);
    }
    return one.outcome() == reload_outcome::skipped ? "not touched" : "refused";
}

} // namespace

std::string to_string(const running_build& build) {
    return fmt::format("{} ({}, generation {})", build.version, short_build_id(build.build_id),
                       build.generation);
}

reload_outcome reload_record::outcome() const {
    if (ok) {
        return dry_run.value_or(false) ? reload_outcome::would_swap : reload_outcome::swapped;
    }
    return skipped.value_or(false) ? reload_outcome::skipped : reload_outcome::refused;
}

bool has_succeeded(const reload_results& all) {
    const auto is_refused = [](const reload_record& one) {
        return one.outcome() == reload_outcome::refused;
    };
    return std::ranges::none_of(all.results, is_refused) &&
           std::ranges::any_of(all.results, &reload_record::ok);
}

std::string to_table(const reload_results& all) {
    auto table = fmt::format("{:<20} {:<36}    {:<36} {:>8}\n", "id", "from", "to", "ms");
    for (const auto& one : all.results) {
        const bool is_skipped = one.outcome() == reload_outcome::skipped;
        table += fmt::format("{:<20} {:<36} -> {:<36} {:>8}\n", one.id, cell(one.from),
                             cell_of_next(one), is_skipped ? "-" : fmt::format("{:.1f}", one.ms));
        table += indented(one.reason.value_or("")) + indented(one.cut_off.value_or(""));
    }
    return table;
}

std::string to_warning(const reload_results& looked) {
    std::map<std::string, std::vector<std::string>> ids_by_text;
    for (const auto& one : looked.results) {
        if (one.cut_off) {
            ids_by_text[*one.cut_off].push_back(one.id);
        }
    }
    std::string warning;
    for (const auto& [text, ids] : ids_by_text) {
        warning += fmt::format("before the swap of {}:\n{}", fmt::join(ids, ", "), indented(text));
    }
    return warning;
}

double rounded_ms(double ms) {
    return std::round(ms * 10) / 10;
}

} // namespace shaddock::control
