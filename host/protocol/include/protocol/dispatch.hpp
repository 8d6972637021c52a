#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shaddock::protocol {

/// The hash behind dispatch_index: the reflected CRC-32 over the low byte of each UTF-16 unit of
/// the key, read as a signed number, so that keys land where the original puts them. `key` is
/// UTF-8; a surrogate coded alone (CESU-8) counts as its unit, any other stray byte as U+FFFD.
/// Source: npm crc 0.2.0 as the chat demo's dispatcher uses it. Thread: any.
std::int32_t dispatch_crc32(std::string_view key);

/// Which of `count` servers (sorted by id) gets the key: |dispatch_crc32(key)| mod count.
/// Limits: count > 0.
std::size_t dispatch_index(std::string_view key, std::size_t count);

} // namespace shaddock::protocol
