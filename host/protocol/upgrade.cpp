#include <protocol/http_text.hpp>
#include <protocol/upgrade.hpp>

#include "digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace shaddock::protocol {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

/// RFC 9110, section 5.6.2.
constexpr bool is_token_char(char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

/// What may stand in a field value: no control characters but tab.
constexpr bool is_value_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

/// What may stand in a request target.
constexpr bool is_target_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
}

/// Takes what stands before `separator` off the front of `text`, and the separator.
std::string_view take_until(std::string_view& text, std::string_view separator) {
    const std::size_t at = text.find(separator);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
    return taken;
}

/// Whether a comma-separated list names the token.
bool names_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        if (equals_ignoring_case(trim(take_until(list, ",")), token)) {
            return true;
        }
    }
    return false;
}

/// The fields that matter here; counts tell the absent from the doubled.
struct http_fields {
    int hosts = 0;
    int keys = 0;
    int versions = 0;
    int accepts = 0;
    bool upgrades_to_websocket = false;
    bool connection_names_upgrade = false;
    bool has_body = false;
    bool has_extension = false;
    bool has_subprotocol = false;
    std::string_view key;
    std::string_view version;
    std::string_view accept;
    std::optional<std::string_view> origin;
    std::vector<std::string_view> forwarded_for;
};

void note_field(http_fields& fields, std::string_view name, std::string_view value) {
    const auto is = [name](std::string_view wanted) { return equals_ignoring_case(name, wanted); };
    if (is("Host")) {
        ++fields.hosts;
    } else if (is("Upgrade")) {
        fields.upgrades_to_websocket |= names_token(value, "websocket");
    } else if (is("Connection")) {
        fields.connection_names_upgrade |= names_token(value, "upgrade");
    } else if (is("Sec-WebSocket-Key")) {
        ++fields.keys;
        fields.key = value;
    } else if (is("Sec-WebSocket-Version")) {
        ++fields.versions;
        fields.version = value;
    } else if (is("Sec-WebSocket-Accept")) {
        ++fields.accepts;
        fields.accept = value;
    } else if (is("Sec-WebSocket-Extensions")) {
        fields.has_extension = true;
    } else if (is("Sec-WebSocket-Protocol")) {
        fields.has_subprotocol = true;
    } else if (is("Origin")) {
        fields.origin = value;
    } else if (is("X-Forwarded-For")) {
        fields.forwarded_for.push_back(value);
    } else if (is("Transfer-Encoding") || (is("Content-Length") && value != "0")) {
        fields.has_body = true;
    }
}

/// The field lines after the start line; none when one is malformed (folded lines are, too).
std::optional<http_fields> read_fields(std::string_view lines) {
    http_fields fields;
    while (!lines.empty()) {
        const std::string_view line = take_until(lines, line_end);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
            return std::nullopt;
        }
        const std::string_view value = trim(line.substr(colon + 1));
        if (!std::all_of(value.begin(), value.end(), is_value_char)) {
            return std::nullopt;
        }
        note_field(fields, line.substr(0, colon), value);
    }
    return fields;
}

/// 16 bytes in base64: 22 characters and two `=`.
bool is_key(std::string_view key) {
    constexpr std::string_view others = "+/";
    return key.size() == 24 && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, [&](char c) {
               return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
                      others.find(c) != std::string_view::npos;
           });
}

upgrade_outcome refuse(int status, std::string_view reason, const char* problem,
                       std::string_view extra_fields = {}) {
    upgrade_outcome outcome;
    outcome.status = upgrade_status::refused;
    outcome.http_status = status;
    outcome.problem = problem;
    outcome.answer = fmt::format("HTTP/1.1 {} {}\r\n{}X-Content-Type-Options: "
                                 "nosniff\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                                 status, reason, extra_fields);
    return outcome;
}

upgrade_outcome bad_request(const char* problem) {
    return refuse(400, "Bad Request", problem);
}

upgrade_outcome upgrade_required(const char* problem) {
    // Connection: close stands beside it, so the offer is for the next connection.
    return refuse(426, "Upgrade Required", problem,
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
}

upgrade_outcome refused_response(int status, const char* problem) {
    upgrade_outcome outcome;
    outcome.status = upgrade_status::refused;
    outcome.http_status = status;
    outcome.problem = problem;
    return outcome;
}

enum class head_state : std::uint8_t { need_more, too_long, whole };

/// The head at the front of `in` without its last empty line; `lines` ends without a line end.
head_state find_head(std::string_view in, std::string_view& lines) {
    const std::size_t end = in.substr(0, max_http_head_bytes).find(head_end);
    if (end == std::string_view::npos) {
        return in.size() < max_http_head_bytes ? head_state::need_more : head_state::too_long;
    }
    lines = in.substr(0, end);
    return head_state::whole;
}

/// Why the fields do not make a request to speak WebSocket; accepted when they do.
upgrade_outcome judge_request(std::string_view version, const http_fields& fields) {
    if (version != "HTTP/1.1" || !fields.upgrades_to_websocket ||
        !fields.connection_names_upgrade) {
        return upgrade_required("no request to upgrade to WebSocket");
    }
    if (fields.hosts != 1) {
        return bad_request("Host is missing or doubled");
    }
    if (fields.has_body) {
        return bad_request("an upgrade request with a body");
    }
    if (fields.versions != 1 || fields.version != "13") {
        return upgrade_required("another version of WebSocket than 13");
    }
    if (fields.keys != 1 || !is_key(fields.key)) {
        return bad_request("Sec-WebSocket-Key is missing, doubled or malformed");
    }
    upgrade_outcome outcome;
    outcome.status = upgrade_status::accepted;
    outcome.http_status = 101;
    outcome.answer = fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                 "Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                                 websocket_accept(fields.key));
    return outcome;
}

/// `HTTP/1.1 101 text`; 0 when it is not of this form.
int status_of(std::string_view line) {
    const std::string_view version = take_until(line, " ");
    const std::string_view code = take_until(line, " ");
    if (!version.starts_with("HTTP/1.") || version.size() != 8 || code.size() != 3) {
        return 0;
    }
    int status = 0;
    for (const char digit : code) {
        if (digit < '0' || digit > '9') {
            return 0;
        }
        status = status * 10 + (digit - '0');
    }
    return status;
}

} // namespace

upgrade_outcome answer_upgrade_request(std::string_view in) {
    std::string_view lines;
    switch (find_head(in, lines)) {
    case head_state::need_more:
        return {};
    case head_state::too_long:
        return refuse(431, "Request Header Fields Too Large", "the head is over 8192 bytes");
    case head_state::whole:
        break;
    }
    const std::size_t used = lines.size() + head_end.size();
    std::string_view version = take_until(lines, line_end);
    const std::string_view method = take_until(version, " ");
    const std::string_view target = take_until(version, " ");
    auto fields = read_fields(lines);
    if (!is_token(method) || target.empty() ||
        !std::all_of(target.begin(), target.end(), is_target_char) ||
        (version != "HTTP/1.1" && version != "HTTP/1.0")) {
        return bad_request("malformed request line");
    }
    if (!fields) {
        return bad_request("malformed header field");
    }
    if (method != "GET") {
        return refuse(405, "Method Not Allowed", "the method is not GET", "Allow: GET\r\n");
    }
    upgrade_outcome outcome = judge_request(version, *fields);
    if (outcome.status == upgrade_status::accepted) {
        outcome.used = used;
        outcome.target = target;
        outcome.origin = fields->origin;
        outcome.forwarded_for = std::move(fields->forwarded_for);
    }
    return outcome;
}

std::string http_refusal(int status, std::string_view reason, std::string_view text) {
    return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: text/plain\r\n"
                       "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
                       "Content-Length: {}\r\n\r\n{}\n",
                       status, reason, text.size() + 1, text);
}

std::string make_upgrade_request(std::string_view host, std::string_view target,
                                 std::string_view key) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
                       "Sec-WebSocket-Version: 13\r\n\r\n",
                       target, host, key);
}

std::string make_websocket_key(std::uint64_t random_1, std::uint64_t random_2) {
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<unsigned char>(random_1 >> (8 * i) & 0xff);
        bytes[8 + i] = static_cast<unsigned char>(random_2 >> (8 * i) & 0xff);
    }
    return base64(bytes);
}

upgrade_outcome check_upgrade_response(std::string_view in, std::string_view key) {
    std::string_view lines;
    switch (find_head(in, lines)) {
    case head_state::need_more:
        return {};
    case head_state::too_long:
        return refused_response(0, "the head of the response is over 8192 bytes");
    case head_state::whole:
        break;
    }
    const std::size_t used = lines.size() + head_end.size();
    const int status = status_of(take_until(lines, line_end));
    const auto fields = read_fields(lines);
    if (status == 0 || !fields) {
        return refused_response(0, "the response is not HTTP");
    }
    if (status != 101) {
        return refused_response(status, "the server refused to speak WebSocket");
    }
    if (!fields->upgrades_to_websocket || !fields->connection_names_upgrade) {
        return refused_response(status, "101 without an upgrade to WebSocket");
    }
    if (fields->accepts != 1 || fields->accept != websocket_accept(key)) {
        return refused_response(status, "Sec-WebSocket-Accept does not belong to our key");
    }
    if (fields->has_extension || fields->has_subprotocol) {
        return refused_response(status, "an extension or sub-protocol that was not asked for");
    }
    upgrade_outcome outcome;
    outcome.status = upgrade_status::accepted;
    outcome.used = used;
    outcome.http_status = status;
    return outcome;
}

std::string websocket_accept(std::string_view key) {
    // RFC 6455, section 1.3.
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    return sha1_base64(text);
}

} // namespace shaddock::protocol
