#pragma once

#include "check/rules.hpp"

#include <string>
#include <vector>

namespace shaddock::bench {

/// The report as lines for a person: what was checked, counts per kind, the explained violations.
std::string summary(const check_report& report);

/// The same counts as a JSON object: `{"clean":true,"requests":..,"violations":{"lost":1}}`.
std::string summary_json(const check_report& report);

/// Marks the kinds that `--allow` names. Throws std::invalid_argument naming an unknown one.
void allow(check_options& options, const std::vector<std::string>& names);

} // namespace shaddock::bench
