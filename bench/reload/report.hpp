#pragma once

#include "rules.hpp"
#include "run.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::reload {

/// One bound and what was found. Its name stands in reports and in `--allow`.
struct bound {
    std::string_view name;
    std::string unit;
    double limit = 0;
    double found = 0;
    bool is_kept = false;
    /// Where it is worst, or how it was computed.
    std::string text;
};

/// `rate`: the slowest window. `memory`, `maps`: the largest growth of a server per generation.
/// `threads`, `descriptors`: the largest growth of a server. `ending`: generations that had not
/// ended. `latency`: the median over the windows of p99.9 with reloads less that without.
/// `memory_slack_kib` is taken off a server's growth first: what noise adds in a short run.
std::vector<bound> bounds_of(const run_options& options, const history& seen,
                             const measures& measured, std::uint64_t memory_slack_kib);

/// For a person.
std::string text_report(const run_options& options, const history& seen, const measures& measured,
                        const findings& found, const std::vector<bound>& bounds);

} // namespace shaddock::reload
