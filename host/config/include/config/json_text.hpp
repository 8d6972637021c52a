#pragma once

#include <cstddef>
#include <string_view>

/// Where things stand in a JSON text, for error messages.
namespace shaddock::config {

/// The line (from 1) of the key, or list element, that `path` names in `text`; 0 = the text has
/// none such, or is not JSON. The empty path is the value itself.
///
/// Form: `/servers/0/port` (RFC 6901, with ~0 and ~1) or `servers[0].port` (as our error texts
/// write it).
std::size_t line_of(std::string_view text, std::string_view path);

} // namespace shaddock::config
