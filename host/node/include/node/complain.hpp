#pragma once

#include <string_view>

namespace shaddock::node {

/// Exit status of a process that could not do what it was started for.
inline constexpr int exit_failed = 1;

/// How each line of complain() begins.
inline constexpr std::string_view said_by_host = "host: ";

/// `host: <text>` on stderr, for each line of the text; returns `exit_failed`.
int complain(std::string_view text);

} // namespace shaddock::node
