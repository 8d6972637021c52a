#include "javascript.hpp"

#include <shaddock/detail/json_text.hpp>

#include <charconv>

namespace shaddock::protocol {

namespace {

/// Whether half of a surrogate pair stands alone there, in three bytes.
bool is_half_pair(std::string_view text) {
    const auto next = detail::next_character(text);
    return next.code && *next.code >= 0xd800 && *next.code <= 0xdfff;
}

} // namespace

void append_javascript_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            detail::append_special(out, byte);
        } else if (byte == 0xed && is_half_pair(text.substr(i))) {
            detail::append_escape(out, detail::next_character(text.substr(i)).code.value());
            i += 2;
        } else {
            out += text[i];
        }
    }
    out += '"';
}

std::optional<std::uint32_t> array_index(std::string_view key) {
    if (key.empty() || (key.front() == '0' && key.size() > 1)) {
        return std::nullopt;
    }
    std::uint32_t index = 0;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), index);
    if (read.ec != std::errc() || read.ptr != key.data() + key.size() || index == 0xffffffffU) {
        return std::nullopt;
    }
    return index;
}

} // namespace shaddock::protocol
