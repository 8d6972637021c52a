#pragma once

#include <string>

namespace shaddock::cli {

/// What `host --version` says: version, build id, what it was built with, and the SDK's numbers
/// that a plugin must share.
std::string version_text();

} // namespace shaddock::cli
