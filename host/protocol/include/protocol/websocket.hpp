#pragma once

#include <protocol/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace shaddock::protocol {

/// Frame kinds of RFC 6455, section 5.2.
enum class websocket_opcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

/// Close codes we send ourselves (RFC 6455, section 7.4).
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t protocol_error = 1002;
/// Never on the wire: the peer's close frame had no code.
inline constexpr std::uint16_t none = 1005;
inline constexpr std::uint16_t bad_text = 1007;
inline constexpr std::uint16_t policy = 1008;
inline constexpr std::uint16_t too_big = 1009;
} // namespace close_code

/// Whose frames a decoder reads: a client's are masked, a server's are not.
enum class websocket_peer : std::uint8_t { client, server };

enum class websocket_event_kind : std::uint8_t {
    /// Nothing whole is left; come back with more bytes.
    need_more,
    /// A whole text message, valid UTF-8.
    text,
    /// A whole binary message.
    binary,
    /// Answer with a pong of the same payload.
    ping,
    pong,
    /// The peer closes: answer with the same code (websocket_close_payload), then end the
    /// connection.
    close,
    /// The peer broke the protocol: send a close frame with `code`, then end the connection.
    error,
};

/// What websocket_decoder::next found.
struct websocket_event {
    websocket_event_kind kind = websocket_event_kind::need_more;
    /// Bytes to take off the front of the input, for every kind: need_more, too, may have taken
    /// fragments.
    std::size_t used = 0;
    /// text, binary, ping, pong: the unmasked payload. close: the reason. Points into the input, or
    /// for a fragmented message into the decoder: valid until the next call and until the input
    /// moves.
    std::string_view payload = {};
    /// close: the peer's code, close_code::none if it gave none. error: the code to close with.
    std::uint16_t code = 0;
    /// error: what was wrong, for the log; a literal.
    const char* problem = "";
    /// need_more: bytes the rest (after `used`) must reach at least before another try can give
    /// more.
    std::size_t wanted = 2;
};

/// Takes WebSocket frames off a stream of bytes, unmasking in place.
///
/// Call next() with all bytes not yet used, take `used` bytes off, repeat until need_more; then
/// read more and call again with what was left in front. A frame is touched only once it is whole,
/// so what is left may be moved or copied. A message in one frame is never copied; fragments are
/// gathered inside, control frames between them come out at once.
///
/// Checked: mask present (from a client) or absent (from a server), reserved bits, opcodes,
/// shortest length form, control frames whole and <= 125 bytes, order of fragments, UTF-8 of text
/// across fragments and of close reasons, close codes, `limit_bytes` per message. After close or
/// error all further bytes are swallowed (need_more, all used). Source: RFC 6455. No extensions.
/// Thread: any, one at a time.
class websocket_decoder {
public:
    /// `limit_bytes`: longest message, all fragments together; over it: error 1009, found in the
    /// header.
    websocket_decoder(websocket_peer peer, std::size_t limit_bytes)
        : limit_bytes_(limit_bytes), peer_(peer) {}

    /// The next event at the front of `data[0..size)`.
    websocket_event next(char* data, std::size_t size);

    /// Bytes of an unfinished message that it keeps.
    std::size_t kept_bytes() const { return gathered_.empty() ? 0 : gathered_.capacity(); }

    /// Whether a close or an error has been seen.
    bool is_finished() const { return state_ == state::finished; }

private:
    enum class state : std::uint8_t { idle, in_text, in_binary, finished };
    struct raw_frame;

    const char* check_first_bytes(unsigned first, unsigned second) const;
    websocket_event read_frame(char* data, std::size_t size, raw_frame& frame);
    websocket_event fail(std::uint16_t code, const char* problem);
    websocket_event data_frame(const raw_frame& frame);
    websocket_event control_frame(const raw_frame& frame);
    websocket_event close_frame(std::string_view payload);

    std::string gathered_;
    std::size_t limit_bytes_;
    /// Between text messages it is in its first state again: a whole text ends no other way.
    utf8_checker text_;
    websocket_peer peer_;
    state state_ = state::idle;
    bool gathered_is_out_ = false;
};

/// XORs `size` bytes with the 4 mask bytes, first byte first: masks and unmasks, 8 bytes at a time.
void websocket_mask(char* data, std::size_t size, const char (&mask)[4]);

/// Bytes of a server's frame header before `payload_bytes` of payload: 2, 4 or 10.
constexpr std::size_t websocket_header_bytes(std::size_t payload_bytes) {
    return payload_bytes <= 125 ? 2 : payload_bytes <= 0xffff ? 4 : 10;
}

/// Bytes of the server's frame that `frame` begins with; its header is there, whole.
std::size_t websocket_frame_bytes(std::string_view frame);

/// Bytes of the client's frame that `sent` begins with, as its header says; nothing is checked.
/// 0: too little of the header is there. Thread: any.
std::size_t websocket_client_frame_bytes(std::string_view sent);

/// Appends the header of a server's whole (unfragmented) frame; the payload follows. The longest
/// header is 10 bytes. Control frames: payload <= 125 bytes, checked by the caller. Thread: any.
void append_websocket_header(std::string& out, websocket_opcode opcode, std::size_t payload_bytes);

/// Appends a server's whole frame.
void append_websocket_frame(std::string& out, websocket_opcode opcode, std::string_view payload);

/// Appends a client's whole frame, masked with the 4 bytes of `mask` (fresh random bytes per
/// frame).
void append_masked_websocket_frame(std::string& out, websocket_opcode opcode,
                                   std::string_view payload, std::uint32_t mask);

/// The payload of a close frame: code and reason, the reason cut to 123 bytes between characters;
/// empty for close_code::none. Give it to one of the frame functions.
std::string websocket_close_payload(std::uint16_t code, std::string_view reason = {});

/// Whether a close frame may carry the code: 1000-1003, 1007-1014, 3000-4999.
constexpr bool is_wire_close_code(std::uint16_t code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

} // namespace shaddock::protocol
