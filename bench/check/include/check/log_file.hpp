#pragma once

#include "check/history.hpp"

#include <iosfwd>
#include <string>

namespace shaddock::bench {

/// Writes a history, one JSON object per line (the form is in bench/README.md).
void write_log(const history& log, std::ostream& out);

/// Adds the events of one log to a history. Client labels are taken per file, so two files may both
/// have a client "1". `source` names the file in errors.
/// Throws std::runtime_error naming source, line and field. Thread: any.
void read_log(std::istream& in, const std::string& source, history& log);

} // namespace shaddock::bench
