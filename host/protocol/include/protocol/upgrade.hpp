#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::protocol {

/// The longest head of an HTTP request or response that we read, with its empty line.
inline constexpr std::size_t max_http_head_bytes = std::size_t{8} * 1024;

enum class upgrade_status : std::uint8_t {
    /// The head is not whole yet, and within bounds.
    need_more,
    /// Server: send `answer`, then speak WebSocket. Client: speak WebSocket.
    accepted,
    /// Server: send `answer` and close. Client: close; `problem` says why.
    refused,
};

/// What became of a request to speak WebSocket, seen from the server or from the client.
struct upgrade_outcome {
    upgrade_status status = upgrade_status::need_more;
    /// accepted: bytes of the head; what follows them in the input is already WebSocket.
    std::size_t used = 0;
    /// 101, 400, 405, 426 or 431 as sent; on the client's side, what the server sent. 0: need_more,
    /// or not HTTP.
    int http_status = 0;
    /// Server only: the whole response to send.
    std::string answer;
    /// Server only, accepted: the request's target ("/"), a view into the input.
    std::string_view target;
    /// Server only, accepted: what the request says of its page; views into the input.
    std::optional<std::string_view> origin{};
    /// Server only, accepted: the values of all X-Forwarded-For fields, in their order; views into
    /// the input.
    std::vector<std::string_view> forwarded_for{};
    /// refused: why, for the log; a literal.
    const char* problem = "";
};

/// Reads a client's HTTP head and answers it. Any path, any origin; no sub-protocol or extension is
/// chosen. accepted: GET, HTTP/1.1, `Host`, `Upgrade: websocket`, `Connection` naming `upgrade`,
/// `Sec-WebSocket-Version: 13`, one `Sec-WebSocket-Key` of 16 bytes in base64, no body.
/// refused: 400 malformed, 405 another method, 426 no or another version of WebSocket, 431 head
/// over max_http_head_bytes. Each is a complete response with `Connection: close`. Source: RFC 6455
/// section 4.2, RFC 9112. Thread: any.
upgrade_outcome answer_upgrade_request(std::string_view in);

/// A whole response that refuses a request, with `text` for people.
std::string http_refusal(int status, std::string_view reason, std::string_view text);

/// A client's request. `host` as it goes into the Host field (`name:port`), `target` begins with
/// `/`, `key` from make_websocket_key.
std::string make_upgrade_request(std::string_view host, std::string_view target,
                                 std::string_view key);

/// A client's key: 16 random bytes (given by the caller as two numbers) in base64.
std::string make_websocket_key(std::uint64_t random_1, std::uint64_t random_2);

/// Reads a server's response to make_upgrade_request with the same `key`.
/// accepted: 101 with `Upgrade`, `Connection`, the right `Sec-WebSocket-Accept`, no extension and
/// no sub-protocol (none were asked for). Thread: any.
upgrade_outcome check_upgrade_response(std::string_view in, std::string_view key);

/// The Sec-WebSocket-Accept value that belongs to a key.
std::string websocket_accept(std::string_view key);

} // namespace shaddock::protocol
