#pragma once

#include "master/master.hpp"

#include <filesystem>
#include <optional>

namespace shaddock::cli {

/// Speaks to standard output, each line flushed.
master::terminal foreground();

/// Goes into the background. In the caller's process it copies what the master says until the start
/// is over and returns the exit status; in the background process it returns nothing and `to`
/// speaks to the caller until then. Call it before any thread, loop or lock is made. Output that
/// comes later is appended to `output`.
std::optional<int> daemonise(const std::filesystem::path& output, master::terminal& to);

} // namespace shaddock::cli
