#include "javascript.hpp"

#include <shaddock/detail/json_text.hpp>

#include <charconv>

namespace shaddock::protocol {

void append_javascript_string(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || c == '"' || c == '\\') {
            detail::append_special(out, byte);
        } else {
            out += c;
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
