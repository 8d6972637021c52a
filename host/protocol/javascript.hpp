#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// JSON exactly as JavaScript's JSON.stringify writes it, where its bytes are hashed or signed.
/// (What goes out to clients is written with shaddock/detail/json_text.hpp, which escapes
/// characters beyond U+FFFF; to a JSON parser both are the same text.)
namespace shaddock::protocol {

/// Appends `text`, which is UTF-8, quoted; half of a surrogate pair as `\ud800`.
void append_javascript_string(std::string& out, std::string_view text);

/// The number of a key that JavaScript takes for an array index ("0" to "4294967294", no leading
/// zeros): such keys come first in an object, in ascending order.
std::optional<std::uint32_t> array_index(std::string_view key);

} // namespace shaddock::protocol
