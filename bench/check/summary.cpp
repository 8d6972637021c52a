#include "check/summary.hpp"

#include <fmt/format.h>

#include <iterator>
#include <stdexcept>

namespace shaddock::bench {

std::string summary(const check_report& report) {
    std::string out;
    const auto to = std::back_inserter(out);
    fmt::format_to(to,
                   "checked: {} requests, {} joins, {} messages, {} deliveries ({} owed), {} "
                   "onAdd/onLeave\n",
                   report.requests, report.joins, report.messages, report.deliveries,
                   report.deliveries_owed, report.notices);
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        if (report.counts[i] > 0) {
            fmt::format_to(to, "  {:>8} {}\n", report.counts[i],
                           to_string(static_cast<violation_kind>(i)));
        }
    }
    for (const auto& broken : report.explained) {
        fmt::format_to(to, "violation {}: {}\n", to_string(broken.kind), broken.text);
    }
    return out + (report.is_clean() ? std::string("clean\n")
                                    : fmt::format("FAILED: {} violations\n", report.failures));
}

std::string summary_json(const check_report& report) {
    std::string out = fmt::format(
        R"({{"clean":{},"requests":{},"joins":{},"messages":{},"deliveries":{},"owed":{},"notices":{},"violations":{{)",
        report.is_clean(), report.requests, report.joins, report.messages, report.deliveries,
        report.deliveries_owed, report.notices);
    const char* comma = "";
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        if (report.counts[i] > 0) {
            fmt::format_to(std::back_inserter(out), R"({}"{}":{})", comma,
                           to_string(static_cast<violation_kind>(i)), report.counts[i]);
            comma = ",";
        }
    }
    return out + "}}";
}

void allow(check_options& options, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        violation_kind kind;
        if (!parse(name, kind)) {
            throw std::invalid_argument("--allow " + name + ": there is no such violation");
        }
        options.allowed[static_cast<std::size_t>(kind)] = true;
    }
}

} // namespace shaddock::bench
