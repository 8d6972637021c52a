#pragma once

#include <shaddock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace shaddock::protocol {

/// What a package carries; the first byte on the wire.
enum class package_type : std::uint8_t {
    /// Both ways; body is the handshake JSON.
    handshake = 1,
    /// Client to server; no body.
    handshake_ack = 2,
    /// Both ways; no body.
    heartbeat = 3,
    /// Both ways; body is one message (message.hpp).
    data = 4,
    /// Server to client; body is `{"reason":"..."}` (kick.hpp).
    kick = 5,
};

/// Whether a package may begin with this byte: the numbers of the first to the last type.
/// Thread: any.
inline bool is_package_type(char first) {
    return first >= static_cast<char>(package_type::handshake) &&
           first <= static_cast<char>(package_type::kick);
}

/// Bytes before each body: 1 byte type, 3 bytes big-endian body length.
inline constexpr std::size_t package_header_bytes = 4;
/// The longest body that the 24-bit length can name.
inline constexpr std::size_t max_package_body_bytes = 0xffffff;

/// The two packages without a body, whole.
inline constexpr std::string_view handshake_ack_package{"\x02\x00\x00\x00", 4};
inline constexpr std::string_view heartbeat_package{"\x03\x00\x00\x00", 4};

/// Appends the 4 header bytes; the caller appends exactly `body_bytes` bytes after them.
/// Limits: `body_bytes` <= max_package_body_bytes, checked by the caller. Thread: any.
inline void append_package_header(std::string& out, package_type type, std::size_t body_bytes) {
    const char header[package_header_bytes] = {
        static_cast<char>(type),
        static_cast<char>(body_bytes >> 16 & 0xff),
        static_cast<char>(body_bytes >> 8 & 0xff),
        static_cast<char>(body_bytes & 0xff),
    };
    out.append(header, package_header_bytes);
}

/// Appends a whole package. Errors: bad_request when the body is longer than 2^24-1 (nothing
/// appended; the original encoder wraps the length to 0 instead). Thread: any.
result<void> append_package(std::string& out, package_type type, std::string_view body);

/// A whole package as a string of its own; otherwise as append_package.
result<std::string> encode_package(package_type type, std::string_view body);

/// What cut_package found at the front of the bytes.
enum class cut_status : std::uint8_t {
    /// A whole package.
    ok,
    /// The front is fine as far as it goes, but the package is not all there. Also for no bytes.
    need_more,
    /// The first byte is no type of a package: close the connection.
    bad_type,
    /// The header announces a body over the limit: close the connection.
    too_long,
};

/// One package cut off the front. `body` views into the input.
struct package_cut {
    cut_status status = cut_status::need_more;
    /// Valid when ok.
    package_type type = package_type::handshake;
    /// Valid when ok; empty when the package has no body.
    std::string_view body;
    /// ok: bytes of the whole package, to be taken off the input. need_more: bytes the input must
    /// reach at least before another try can give more. Otherwise 0.
    std::size_t size = 0;
};

/// Cuts one package off the front of `in`, a piece of a TCP stream or a WebSocket message.
/// Form: 1 byte type, 3 bytes big-endian body length, body.
/// Limits: body <= `limit_bytes` (at most 2^24-1). Nothing is copied or kept: the caller keeps the
/// bytes until ok. In a WebSocket message a package must not be cut off: there need_more with
/// bytes left (or with an empty message) means malformed. Thread: any.
/// Source: pomelo-protocol lib/protocol.js, Package.decode.
inline package_cut cut_package(std::string_view in, std::size_t limit_bytes) {
    package_cut cut;
    if (in.empty()) {
        cut.size = package_header_bytes;
        return cut;
    }
    const auto byte = [in](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(in[i]));
    };
    if (!is_package_type(in[0])) {
        cut.status = cut_status::bad_type;
        return cut;
    }
    if (in.size() < package_header_bytes) {
        cut.size = package_header_bytes;
        return cut;
    }
    const std::size_t length = byte(1) << 16 | byte(2) << 8 | byte(3);
    if (length > limit_bytes) {
        cut.status = cut_status::too_long;
        return cut;
    }
    cut.size = package_header_bytes + length;
    if (in.size() < cut.size) {
        return cut;
    }
    cut.status = cut_status::ok;
    cut.type = static_cast<package_type>(byte(0));
    cut.body = in.substr(package_header_bytes, length);
    return cut;
}

} // namespace shaddock::protocol
