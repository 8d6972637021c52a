#pragma once

#include "control/targets.hpp"
#include "master/supervisor.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

std::vector<control::target_name> names_of(const std::vector<child_report>& children);

/// Null when there is none.
const child_report* find_child(const std::vector<child_report>& children, std::string_view id);

/// The children that are meant, as control::resolve has them.
result<std::vector<child_report>> find_targets(const std::vector<std::string>& words,
                                               const std::vector<child_report>& children,
                                               control::target_words taken);

} // namespace shaddock::master
