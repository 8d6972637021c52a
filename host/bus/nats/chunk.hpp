#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The messages of a pipe over NATS. Form: fields as in base/bytes.hpp; u8 kind, then by kind
///   dial    u32 magic, u16 version, u32 window: to an id; its reply subject is the caller's inbox
///   accept  u64 number 0, u32 window: to that inbox; its reply subject is the other one
///   data    u64 number, bytes
///   taken   u64 number, u64 cost of all data that was read so far
///   end     u64 number
///   echo    u64 number: to itself
/// What one side sends to the other is numbered from 0 without a gap, whatever its kind.
namespace shaddock::bus {

inline constexpr std::uint32_t chunk_magic = 0x504e4853; // "SHNP"
inline constexpr std::uint16_t chunk_version = 1;
/// Bytes before those of a data chunk.
inline constexpr std::size_t chunk_header = 9;
/// What a data chunk counts beside its bytes, in what is not read yet: the memory that it takes.
inline constexpr std::size_t chunk_cost = 256;

enum class chunk_kind : std::uint8_t {
    dial = 1,
    accept = 2,
    data = 3,
    taken = 4,
    end = 5,
    echo = 6
};

/// `bytes` views into the input.
struct chunk_view {
    chunk_kind kind{};
    std::uint64_t number = 0;
    /// Of taken.
    std::uint64_t cost = 0;
    /// Of dial and accept.
    std::uint32_t window = 0;
    std::string_view bytes;
};

/// Nothing: an unknown kind, cut short, another magic or version, a window of 0.
std::optional<chunk_view> read_chunk(std::string_view in);

std::string dial_chunk(std::uint32_t window);
std::string accept_chunk(std::uint32_t window);
std::string data_chunk(std::uint64_t number, std::string_view bytes);
std::string taken_chunk(std::uint64_t number, std::uint64_t cost);
/// end, echo
std::string plain_chunk(chunk_kind kind, std::uint64_t number);

} // namespace shaddock::bus
