#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Where things stand in a JSON text, for error messages.
namespace shaddock::config {

/// The keys and indices of a JSON pointer. Form: `/servers/0/port` (RFC 6901, with ~0 and ~1).
std::vector<std::string> steps_of(std::string_view pointer);

/// The line (from 1) of the key, or list element, that `pointer` names in `text`; 0 = the text has
/// none such, or is not JSON. The empty pointer is the value itself.
std::size_t line_of(std::string_view text, std::string_view pointer);

} // namespace shaddock::config
