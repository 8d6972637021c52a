#include <protocol/dispatch.hpp>

#include <array>
#include <cassert>

namespace shaddock::protocol {

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1) != 0 ? 0xedb88320U ^ (value >> 1) : value >> 1;
        }
        table[i] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();
constexpr std::uint32_t replacement_character = 0xfffd;

struct code_point {
    std::uint32_t value;
    std::size_t bytes;
};

/// The character at the front of `text`; surrogates count as characters (CESU-8), what is no
/// character is one byte long and U+FFFD.
code_point next_code_point(std::string_view text) {
    const auto byte = [text](std::size_t i) -> std::uint32_t {
        return static_cast<unsigned char>(text[i]);
    };
    const std::uint32_t first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t bytes = first < 0xc2   ? 0
                              : first < 0xe0 ? 2
                              : first < 0xf0 ? 3
                              : first < 0xf5 ? 4
                                             : 0;
    if (bytes == 0 || text.size() < bytes) {
        return {replacement_character, 1};
    }
    std::uint32_t value = first & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return {replacement_character, 1};
        }
        value = value << 6 | (byte(i) & 0x3f);
    }
    const bool is_overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
    if (is_overlong || value > 0x10ffff) {
        return {replacement_character, 1};
    }
    return {value, bytes};
}

std::uint32_t add_low_byte(std::uint32_t crc, std::uint32_t unit) {
    return crc_table[(crc ^ unit) & 0xff] ^ (crc >> 8);
}

} // namespace

std::int32_t dispatch_crc32(std::string_view key) {
    std::uint32_t crc = 0xffffffff;
    while (!key.empty()) {
        const code_point next = next_code_point(key);
        key.remove_prefix(next.bytes);
        if (next.value < 0x10000) {
            crc = add_low_byte(crc, next.value);
        } else {
            const std::uint32_t offset = next.value - 0x10000;
            crc = add_low_byte(crc, 0xd800 + (offset >> 10));
            crc = add_low_byte(crc, 0xdc00 + (offset & 0x3ff));
        }
    }
    return static_cast<std::int32_t>(~crc);
}

std::size_t dispatch_index(std::string_view key, std::size_t count) {
    assert(count > 0);
    // 64 bits: the absolute value of -2^31 does not fit into 32.
    const std::int64_t hash = dispatch_crc32(key);
    return static_cast<std::size_t>(hash < 0 ? -hash : hash) % count;
}

} // namespace shaddock::protocol
