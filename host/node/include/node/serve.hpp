#pragma once

#include "node/setting.hpp"

namespace shaddock::node {

/// Runs one server until it is stopped, and returns the exit status; why it could not start is said
/// on stderr. The log and the report of crashes have begun. `with_modules_before`: with what served
/// before the last swap (control::modules_before).
/// Thread: of a process that is there for nothing else; blocks.
int serve(const setting& found, const config::server_record& record, bool with_modules_before);

} // namespace shaddock::node
