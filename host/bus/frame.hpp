#pragma once

#include "bus/bus.hpp"

#include <shaddock/error.hpp>
#include <shaddock/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The bytes on a link between two servers: frames, their fields as in base/bytes.hpp.
///
/// Form: u32 length of the rest, u8 kind, then by kind
///   hello    u32 magic, u16 lowest and u16 highest version, u8 purpose, u64 incarnation,
///            u64 random, text own id, text id called
///   refuse   text; u64 the incarnation of who is refused, if it is because that was declared dead
///   ping     nothing
///   call     u64 call, u32 remaining ms, u8 what, text
///   reply    u64 call, text
///   failure  u64 call, u16 errc, i32 client code, text
///   cast     u8 what, text
///   bye      nothing
///   mark     u64 number, u32 late us; from version 4 on
///   taken    u64 number; the answer to a mark, when all before it is done
///
/// Growth: a frame may end in fields that its reader does not know; they are passed over. hello and
/// refuse are read before a version is agreed on: they change in no other way. Anything else that
/// an older reader must not meet (a new kind, a field of another meaning) makes a new version, and
/// is sent only on links that speak it (bus::peer::version).
namespace shaddock::bus {

/// The first version of the bus with marks.
inline constexpr std::uint16_t marks_version = 4;
/// The first whose speakers go on as a new incarnation when they are told that they are dead.
inline constexpr std::uint16_t rebirth_version = 5;
inline constexpr std::uint32_t frame_magic = 0x4b444853; // "SHDK"
/// What a frame may be longer than its payload: its other fields, with room for those to come.
inline constexpr std::size_t frame_overhead = 256;

enum class frame_kind : std::uint8_t {
    hello = 1,
    refuse = 2,
    ping = 3,
    call = 4,
    reply = 5,
    failure = 6,
    cast = 7,
    bye = 8,
    mark = 9,
    taken = 10,
};

enum class hello_purpose : std::uint8_t {
    /// "Let us link": from the one who dials.
    link = 1,
    /// "I am here: dial me": from one who may not dial; the connection ends with it.
    poke = 2,
    /// The other side's answer to `link`.
    answer = 3,
};

struct hello {
    version_range versions;
    hello_purpose purpose = hello_purpose::link;
    incarnation life{};
    /// Chosen by the one who dials, sent back in the answer.
    std::uint64_t random = 0;
    std::string id;
    std::string to;
    friend bool operator==(const hello&, const hello&) = default;
};

/// One frame; which fields count depends on the kind. `bytes` views into the input.
struct frame_view {
    frame_kind kind{};
    /// Of a call and its answer; of a mark and its; of a refusal the dead incarnation, or 0.
    std::uint64_t call = 0;
    std::uint32_t remaining_ms = 0;
    /// Of a mark: so long what is sent to this side waits until it is taken.
    std::uint32_t late_us = 0;
    std::uint8_t what = 0;
    errc code{};
    int client_code = 0;
    /// Payload, error text, or the fields of a hello.
    std::string_view bytes;
};

enum class cut_outcome { done, need_more, bad };

/// What `cut_frame` found. `used` bytes are to be dropped from the input (0 unless done).
struct cut_frame_result {
    cut_outcome outcome{};
    std::size_t used = 0;
    frame_view frame;
};

/// Cuts one frame off the front of `in`.
/// Limits: payload <= `limit` bytes. Bad: a longer frame, one too short for its fields, an unknown
/// kind.
cut_frame_result cut_frame(std::string_view in, std::size_t limit);

/// Bytes of an id in a greeting.
inline constexpr std::size_t longest_id = 255;

/// Reads the fields of a hello frame. Errors: bad_request (wrong magic, cut short, no version,
/// empty id).
result<hello> read_hello(std::string_view fields);

void append_hello(std::string& out, const hello& greeting);
void append_call(std::string& out, std::uint64_t call, std::uint32_t remaining_ms,
                 std::uint8_t what, std::string_view bytes);
void append_reply(std::string& out, std::uint64_t call, std::string_view bytes);
void append_failure(std::string& out, std::uint64_t call, const error& failed);
void append_cast(std::string& out, std::uint8_t what, std::string_view bytes);
void append_refuse(std::string& out, std::string_view text, incarnation dead = {});
void append_mark(std::string& out, std::uint64_t number, std::uint32_t late_us);
void append_taken(std::string& out, std::uint64_t number);
/// For the kinds without fields.
void append_plain(std::string& out, frame_kind kind);

} // namespace shaddock::bus
