#pragma once

#include "run.hpp"

#include <string>

namespace shaddock::bench {

/// What a run was, measured and found, for a person.
std::string text_report(const load_options& options, const stage& all, const measures& measured,
                        const check_report& found);
/// The same as one JSON object; the form is in bench/README.md.
std::string json_report(const load_options& options, const stage& all, const measures& measured,
                        const check_report& found);

} // namespace shaddock::bench
