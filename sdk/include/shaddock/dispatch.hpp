#pragma once

#include <shaddock/detail/json_text.hpp>

#include <array>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace shaddock {

namespace detail {

constexpr std::array<std::uint32_t, 256> crc32_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xedb88320U : crc >> 1U;
        }
        table[i] = crc;
    }
    return table;
}
inline constexpr auto crc32_of_byte = crc32_table();

} // namespace detail

/// The reflected CRC-32 over the low byte of each UTF-16 unit of the key, read as a signed number,
/// so that keys land where the original puts them. `key` is UTF-8; a surrogate coded alone (CESU-8)
/// counts as its unit, any other stray byte as U+FFFD. Thread: any. Source: npm crc 0.2.0 as the
/// chat demo's dispatcher uses it, observed.
inline std::int32_t dispatch_crc32(std::string_view key) {
    std::uint32_t crc = 0xffffffffU;
    const auto feed = [&](char32_t unit) {
        crc = crc >> 8U ^ detail::crc32_of_byte[(crc ^ unit) & 0xffU];
    };
    while (!key.empty()) {
        const auto next = detail::next_character(key);
        const char32_t code = next.code.value_or(detail::replacement);
        if (code < 0x10000) {
            feed(code);
        } else {
            feed(0xd800 + ((code - 0x10000) >> 10U));
            feed(0xdc00 + ((code - 0x10000) & 0x3ffU));
        }
        key.remove_prefix(next.size);
    }
    return static_cast<std::int32_t>(~crc);
}

/// Which of `count` servers (sorted by id) a key belongs to: |dispatch_crc32(key)| mod count.
/// The numbers are the original's; the gate chooses connectors by it, and the host and `route_by`
/// choose servers. Another hash is another function.
/// Limits: count > 0. Thread: any.
inline std::size_t dispatch_index(std::string_view key, std::size_t count) {
    assert(count > 0);
    const auto magnitude = std::abs(static_cast<std::int64_t>(dispatch_crc32(key)));
    return static_cast<std::size_t>(magnitude) % count;
}

} // namespace shaddock
