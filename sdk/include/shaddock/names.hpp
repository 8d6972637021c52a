#pragma once

#include <shaddock/detail/json_text.hpp>

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock {

struct name_limits {
    std::size_t code_points = 64;
    std::size_t bytes = 256;
};

/// Which rule a name of a person or a room breaks, as the text of an error; nothing when it breaks
/// none. Rules: 1 to `code_points` code points, at most `bytes` bytes of UTF-8, none of C0, DEL,
/// C1, line and paragraph separator (U+2028, U+2029), and controls of the direction of text (U+202A
/// to U+202E, U+2066 to U+2069), which make one name look like another. Thread: any.
inline std::optional<std::string> broken_name_rule(std::string_view name, name_limits limits = {}) {
    if (name.size() > limits.bytes) {
        return "expected at most " + std::to_string(limits.bytes) + " bytes, found " +
               std::to_string(name.size());
    }
    const auto kind_of = [](char32_t code) -> const char* {
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            return "a control character";
        }
        if (code == 0x2028 || code == 0x2029) {
            return "a line separator";
        }
        const bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
        return turns ? "a control of the direction of text" : nullptr;
    };
    std::size_t count = 0;
    for (auto rest = name; !rest.empty(); ++count) {
        const auto one = detail::next_character(rest);
        if (!one.code || detail::is_high_surrogate(*one.code) ||
            detail::is_low_surrogate(*one.code)) {
            return "it is not UTF-8";
        }
        if (const auto* kind = kind_of(*one.code)) {
            std::array<char, 16> number{};
            std::snprintf(number.data(), number.size(), "U+%04X", static_cast<unsigned>(*one.code));
            return std::string(number.data()) + ", " + kind + ", is not allowed";
        }
        rest.remove_prefix(one.size);
    }
    if (count == 0 || count > limits.code_points) {
        return "expected 1 to " + std::to_string(limits.code_points) + " characters, found " +
               std::to_string(count);
    }
    return std::nullopt;
}

} // namespace shaddock
