#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The letters of JSON: strings and numbers as JavaScript writes them, UTF-8 in both its dialects.
namespace shaddock::detail {

/// One character of UTF-8, or nothing and `size` 1 for a stray byte.
/// A surrogate coded alone in three bytes (half of a CESU-8 pair) comes back as its unit.
struct character {
    std::optional<char32_t> code;
    std::size_t size = 1;
};

inline character next_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0U) == 0x80U; };
    const auto bits = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3fU); };
    const unsigned first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    if (first >= 0xc2 && first < 0xe0 && tail(1)) {
        return {(first & 0x1fU) << 6U | bits(1), 2};
    }
    if (first >= 0xe0 && first < 0xf0 && tail(1) && tail(2)) {
        const char32_t code = (first & 0x0fU) << 12U | bits(1) << 6U | bits(2);
        return code < 0x800 ? character{} : character{code, 3};
    }
    if (first >= 0xf0 && first < 0xf5 && tail(1) && tail(2) && tail(3)) {
        const char32_t code = (first & 0x07U) << 18U | bits(1) << 12U | bits(2) << 6U | bits(3);
        return code < 0x10000 || code > 0x10ffff ? character{} : character{code, 4};
    }
    return {};
}

inline bool is_high_surrogate(char32_t code) {
    return code >= 0xd800 && code < 0xdc00;
}
inline bool is_low_surrogate(char32_t code) {
    return code >= 0xdc00 && code < 0xe000;
}
inline constexpr char32_t replacement = 0xfffd;

/// The character at the front with a CESU-8 pair put together; a lone surrogate becomes U+FFFD.
inline character whole_character(std::string_view text) {
    const auto one = next_character(text);
    if (!one.code || *one.code < 0xd800 || *one.code > 0xdfff) {
        return one;
    }
    if (is_high_surrogate(*one.code) && text.size() >= 6) {
        const auto two = next_character(text.substr(3));
        if (two.code && is_low_surrogate(*two.code)) {
            return {0x10000 + ((*one.code - 0xd800) << 10U) + (*two.code - 0xdc00), 6};
        }
    }
    return {replacement, 3};
}

inline void append_utf8(std::string& out, char32_t code) {
    const auto put = [&](char32_t byte) {
        out += static_cast<char>(static_cast<unsigned char>(byte));
    };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0U | code >> 6U);
        put(0x80U | (code & 0x3fU));
    } else if (code < 0x10000) {
        put(0xe0U | code >> 12U);
        put(0x80U | (code >> 6U & 0x3fU));
        put(0x80U | (code & 0x3fU));
    } else {
        put(0xf0U | code >> 18U);
        put(0x80U | (code >> 12U & 0x3fU));
        put(0x80U | (code >> 6U & 0x3fU));
        put(0x80U | (code & 0x3fU));
    }
}

inline void append_escape(std::string& out, char32_t unit) {
    constexpr auto digits = "0123456789abcdef";
    out += "\\u";
    for (unsigned shift = 16; shift > 0;) {
        shift -= 4;
        out += digits[unit >> shift & 0xfU];
    }
}

/// One character that does not stand for itself. Beyond U+FFFF as an escaped pair: old browser
/// clients misread the four bytes.
inline void append_special(std::string& out, char32_t code) {
    switch (code) {
    case U'"':
        out += "\\\"";
        return;
    case U'\\':
        out += "\\\\";
        return;
    case U'\b':
        out += "\\b";
        return;
    case U'\f':
        out += "\\f";
        return;
    case U'\n':
        out += "\\n";
        return;
    case U'\r':
        out += "\\r";
        return;
    case U'\t':
        out += "\\t";
        return;
    default:
        break;
    }
    if (code < 0x20) {
        append_escape(out, code);
    } else if (code < 0x10000) {
        append_utf8(out, code);
    } else {
        append_escape(out, 0xd800 + ((code - 0x10000) >> 10U));
        append_escape(out, 0xdc00 + ((code - 0x10000) & 0x3ffU));
    }
}

/// Appends `text` quoted. Bytes that are not UTF-8 become U+FFFD.
inline void append_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t plain_from = 0;
    std::size_t i = 0;
    while (i < text.size()) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
            ++i;
            continue;
        }
        const auto at = whole_character(text.substr(i));
        if (at.size < 4 && at.code && *at.code >= 0x80 && *at.code != replacement) {
            i += at.size;
            continue;
        }
        out.append(text, plain_from, i - plain_from);
        append_special(out, at.code.value_or(replacement));
        i += at.size;
        plain_from = i;
    }
    out.append(text, plain_from);
    out += '"';
}

inline void append_integer(std::string& out, auto value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

/// Appends the shortest text that reads back as `value`, laid out as JavaScript does: `1`, `0.1`,
/// `1e+21`, `1e-7`; `null` for NaN and infinities.
inline void append_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    if (value == 0) {
        out += '0';
        return;
    }
    char text[32];
    const auto end =
        std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
    std::string_view rest(text, static_cast<std::size_t>(end - text));
    if (rest.front() == '-') {
        out += '-';
        rest.remove_prefix(1);
    }
    const auto e = rest.find('e');
    int exponent = 0;
    const auto sign_skip = rest[e + 1] == '+' ? e + 2 : e + 1;
    std::from_chars(rest.data() + sign_skip, rest.data() + rest.size(), exponent);
    char digits[24];
    std::size_t count = 0;
    for (const char c : rest.substr(0, e)) {
        if (c != '.') {
            digits[count++] = c;
        }
    }
    const int size = static_cast<int>(count);
    const std::string_view all(digits, count);
    if (exponent >= 21 || exponent < -6) {
        out += all[0];
        if (size > 1) {
            out += '.';
            out += all.substr(1);
        }
        out += exponent < 0 ? "e-" : "e+";
        append_integer(out, exponent < 0 ? -exponent : exponent);
    } else if (exponent < 0) {
        out += "0.";
        out.append(static_cast<std::size_t>(-exponent - 1), '0');
        out += all;
    } else if (size <= exponent + 1) {
        out += all;
        out.append(static_cast<std::size_t>(exponent + 1 - size), '0');
    } else {
        out += all.substr(0, static_cast<std::size_t>(exponent) + 1);
        out += '.';
        out += all.substr(static_cast<std::size_t>(exponent) + 1);
    }
}

} // namespace shaddock::detail
