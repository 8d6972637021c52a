#pragma once

#include "master/master.hpp"

#include <shaddock/error.hpp>

namespace shaddock::master {

/// Begins master.log, with what looks like a slip in the config. Errors: config (the file cannot be
/// opened; the text names it).
result<void> start_log(const master_options& options);

} // namespace shaddock::master
