#pragma once

#include <protocol/package.hpp>
#include <shaddock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace shaddock::protocol {

/// What a message is; bits 1-3 of its flag byte.
enum class message_type : std::uint8_t {
    /// Client to server, answered by the response with the same id. With id 0: a notify.
    request = 0,
    /// Client to server, never answered.
    notify = 1,
    /// Server to client; has an id and no route.
    response = 2,
    /// Server to client; has a route and no id.
    push = 3,
};

inline constexpr std::size_t max_route_bytes = 255;

/// One message; the body of a data package. The views point into the decoded bytes.
struct message {
    message_type type = message_type::request;
    /// Request and response; 0 for the others. A request with id 0 is to be treated as a notify.
    std::uint32_t id = 0;
    /// 0: `route` counts. Otherwise the route's code in the dictionary (code 0 is never assigned:
    /// a code of 0 on the wire is decoded as the empty route, which no handler has).
    std::uint16_t route_code = 0;
    /// Not checked to be UTF-8 or to contain a dot. Empty for a response.
    std::string_view route;
    /// JSON, or the protobuf dialect; may be empty.
    std::string_view body;
};

/// Reads one message out of the body of a data package.
/// Form: 1 byte flag (bit 0: route is a code; bits 1-3: type; the rest ignored), id as a
/// little-endian base-128 varint (request, response), route as 2 bytes big-endian or 1 byte length
/// and bytes (all but response), body (the rest).
/// Errors: bad_request for no flag, types 4-7, an id cut off, over 5 bytes or over 2^32-1, a route
/// cut off. Answer to each: close the connection. Copies nothing. Thread: any. Source:
/// pomelo-protocol lib/protocol.js, Message.decode.
result<message> decode_message(std::string_view in);

/// Appends a message without its package header. `id` of notify and push and `route` of a response
/// are not written; the gzip bit is never set.
/// Errors: bad_request when the route is over 255 bytes (nothing appended). Thread: any.
result<void> append_message(std::string& out, const message& value);

/// Bytes of a varint id: 1 to 5.
constexpr std::size_t id_bytes(std::uint32_t id) {
    std::size_t bytes = 1;
    while (id >= 0x80) {
        id >>= 7;
        ++bytes;
    }
    return bytes;
}

/// Bytes of the message as append_message writes it.
constexpr std::size_t message_bytes(const message& value) {
    const bool has_id = value.type == message_type::request || value.type == message_type::response;
    const std::size_t route = value.type == message_type::response ? 0
                              : value.route_code != 0              ? 2
                                                                   : 1 + value.route.size();
    return 1 + (has_id ? id_bytes(value.id) : 0) + route + value.body.size();
}

/// Appends a whole data package: header and message. Grows `out` at most once.
/// Errors: as append_message, and bad_request when the message is over 2^24-1 bytes; nothing is
/// appended then. Thread: any.
result<void> append_message_package(std::string& out, const message& value);

/// Appends the data package of a response.
inline result<void> append_response_package(std::string& out, std::uint32_t id,
                                            std::string_view body) {
    return append_message_package(
        out, message{.type = message_type::response, .id = id, .route = {}, .body = body});
}

/// Appends the data package of a push with its route as text.
inline result<void> append_push_package(std::string& out, std::string_view route,
                                        std::string_view body) {
    return append_message_package(
        out, message{.type = message_type::push, .route = route, .body = body});
}

/// Appends the data package of a push whose route has a code in the client's dictionary.
inline result<void> append_push_package(std::string& out, std::uint16_t route_code,
                                        std::string_view body) {
    return append_message_package(
        out,
        message{.type = message_type::push, .route_code = route_code, .route = {}, .body = body});
}

} // namespace shaddock::protocol
