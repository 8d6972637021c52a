#include <protocol/websocket.hpp>

#include <cassert>
#include <cstring>

namespace shaddock::protocol {

namespace {

constexpr unsigned fin_bit = 0x80;
constexpr unsigned reserved_bits = 0x70;
constexpr unsigned opcode_bits = 0x0f;
constexpr unsigned mask_bit = 0x80;
constexpr unsigned length_bits = 0x7f;
constexpr std::size_t max_control_bytes = 125;

constexpr bool is_control(websocket_opcode opcode) {
    return static_cast<unsigned>(opcode) >= 8;
}

constexpr bool is_opcode(unsigned value) {
    return value <= 2 || (value >= 8 && value <= 10);
}

/// Bytes of the length that follow the second byte, by what that says.
constexpr std::size_t bytes_of_length(std::size_t short_length) {
    return short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
}

std::uint64_t read_big_endian(const char* data, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        value = value << 8 | static_cast<unsigned char>(data[i]);
    }
    return value;
}

/// Header bytes without mask into `head`; how many there are.
std::size_t write_header(char (&head)[10], websocket_opcode opcode, std::size_t payload_bytes,
                         unsigned mask) {
    head[0] = static_cast<char>(fin_bit | static_cast<unsigned>(opcode));
    const std::size_t size = websocket_header_bytes(payload_bytes);
    const std::size_t length_bytes = size == 2 ? 0 : size - 2;
    const std::size_t short_form = size == 2 ? payload_bytes : size == 4 ? 126 : 127;
    head[1] = static_cast<char>(mask | short_form);
    for (std::size_t i = 0; i < length_bytes; ++i) {
        head[2 + i] = static_cast<char>(payload_bytes >> (8 * (length_bytes - 1 - i)) & 0xff);
    }
    return size;
}

} // namespace

/// One frame's header, and its payload once that is there.
struct websocket_decoder::raw_frame {
    websocket_opcode opcode = websocket_opcode::continuation;
    bool is_final = false;
    bool is_whole = false;
    std::size_t header_bytes = 0;
    std::size_t length = 0;
    std::string_view payload;
};

websocket_event websocket_decoder::fail(std::uint16_t code, const char* problem) {
    state_ = state::finished;
    gathered_ = std::string();
    websocket_event event;
    event.kind = websocket_event_kind::error;
    event.code = code;
    event.problem = problem;
    return event;
}

const char* websocket_decoder::check_first_bytes(unsigned first, unsigned second) const {
    const unsigned raw_opcode = first & opcode_bits;
    if ((first & reserved_bits) != 0) {
        return "a reserved bit is set";
    }
    if (!is_opcode(raw_opcode)) {
        return "unknown opcode";
    }
    if (((second & mask_bit) != 0) != (peer_ == websocket_peer::client)) {
        return peer_ == websocket_peer::client ? "a client's frame without mask"
                                               : "a server's frame with mask";
    }
    const auto opcode = static_cast<websocket_opcode>(raw_opcode);
    if (is_control(opcode)) {
        if ((first & fin_bit) == 0) {
            return "a fragmented control frame";
        }
        return (second & length_bits) > max_control_bytes ? "a control frame over 125 bytes"
                                                          : nullptr;
    }
    const bool continues = opcode == websocket_opcode::continuation;
    if (continues != (state_ != state::idle)) {
        return continues ? "a continuation of nothing" : "a new message inside a fragmented one";
    }
    return nullptr;
}

websocket_event websocket_decoder::next(char* data, std::size_t size) {
    if (gathered_is_out_) {
        gathered_ = std::string();
        gathered_is_out_ = false;
    }
    std::size_t used = 0;
    while (state_ != state::finished) {
        raw_frame frame;
        websocket_event event = read_frame(data + used, size - used, frame);
        if (event.kind == websocket_event_kind::need_more && frame.is_whole) {
            used += frame.header_bytes + frame.length;
            event = is_control(frame.opcode) ? control_frame(frame) : data_frame(frame);
            if (event.kind == websocket_event_kind::need_more) {
                continue; // a fragment was gathered
            }
        }
        event.used = event.kind == websocket_event_kind::error ? size : used;
        return event;
    }
    websocket_event swallowed;
    swallowed.used = size;
    return swallowed;
}

/// need_more or error; need_more with frame.is_whole: the frame is there, unmasked.
websocket_event websocket_decoder::read_frame(char* data, std::size_t size, raw_frame& frame) {
    websocket_event event;
    if (size < 2) {
        return event;
    }
    const unsigned first = static_cast<unsigned char>(data[0]);
    const unsigned second = static_cast<unsigned char>(data[1]);
    if (const char* problem = check_first_bytes(first, second)) {
        return fail(close_code::protocol_error, problem);
    }
    frame.opcode = static_cast<websocket_opcode>(first & opcode_bits);
    frame.is_final = (first & fin_bit) != 0;

    const unsigned short_length = second & length_bits;
    const std::size_t length_bytes = bytes_of_length(short_length);
    const std::size_t mask_bytes = peer_ == websocket_peer::client ? 4 : 0;
    frame.header_bytes = 2 + length_bytes + mask_bytes;
    event.wanted = frame.header_bytes;
    if (size < 2 + length_bytes) {
        return event;
    }
    const std::uint64_t length =
        length_bytes == 0 ? short_length : read_big_endian(data + 2, length_bytes);
    if ((length_bytes == 2 && length < 126) || (length_bytes == 8 && length <= 0xffff) ||
        length >> 63 != 0) {
        return fail(close_code::protocol_error, "not the shortest form of a length");
    }
    if (!is_control(frame.opcode) && length > limit_bytes_ - gathered_.size()) {
        return fail(close_code::too_big, "a message over the limit");
    }
    frame.length = static_cast<std::size_t>(length);
    event.wanted = frame.header_bytes + frame.length;
    if (size < frame.header_bytes || size - frame.header_bytes < frame.length) {
        return event;
    }
    char* const payload = data + frame.header_bytes;
    if (mask_bytes != 0) {
        char mask[4];
        std::memcpy(mask, payload - 4, 4);
        websocket_mask(payload, frame.length, mask);
    }
    frame.payload = std::string_view(payload, frame.length);
    frame.is_whole = true;
    return event;
}

/// need_more: a fragment was gathered.
websocket_event websocket_decoder::data_frame(const raw_frame& frame) {
    websocket_event event;
    const bool is_first = state_ == state::idle;
    const bool is_text =
        is_first ? frame.opcode == websocket_opcode::text : state_ == state::in_text;
    if (is_text && !text_.feed(frame.payload)) {
        return fail(close_code::bad_text, "text that is not UTF-8");
    }
    if (!frame.is_final) {
        state_ = is_text ? state::in_text : state::in_binary;
        gathered_.append(frame.payload);
        return event;
    }
    if (is_text && !text_.complete()) {
        return fail(close_code::bad_text, "text that ends inside a character");
    }
    event.kind = is_text ? websocket_event_kind::text : websocket_event_kind::binary;
    event.payload = frame.payload;
    if (!is_first) {
        gathered_.append(frame.payload);
        event.payload = gathered_;
        gathered_is_out_ = true;
        state_ = state::idle;
    }
    return event;
}

websocket_event websocket_decoder::control_frame(const raw_frame& frame) {
    if (frame.opcode == websocket_opcode::close) {
        return close_frame(frame.payload);
    }
    websocket_event event;
    event.kind = frame.opcode == websocket_opcode::ping ? websocket_event_kind::ping
                                                        : websocket_event_kind::pong;
    event.payload = frame.payload;
    return event;
}

websocket_event websocket_decoder::close_frame(std::string_view payload) {
    websocket_event event;
    event.kind = websocket_event_kind::close;
    event.code = close_code::none;
    if (!payload.empty()) {
        if (payload.size() < 2) {
            return fail(close_code::protocol_error, "a close code of one byte");
        }
        event.code = static_cast<std::uint16_t>(read_big_endian(payload.data(), 2));
        event.payload = payload.substr(2);
        if (!is_wire_close_code(event.code)) {
            return fail(close_code::protocol_error, "a close code that may not be sent");
        }
        if (!is_utf8(event.payload)) {
            return fail(close_code::bad_text, "a close reason that is not UTF-8");
        }
    }
    state_ = state::finished;
    gathered_ = std::string();
    return event;
}

void websocket_mask(char* data, std::size_t size, const char (&mask)[4]) {
    std::uint32_t half = 0;
    std::memcpy(&half, mask, 4);
    const std::uint64_t word = static_cast<std::uint64_t>(half) << 32 | half;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, data + i, 8);
        eight ^= word;
        std::memcpy(data + i, &eight, 8);
    }
    for (; i < size; ++i) {
        data[i] = static_cast<char>(data[i] ^ mask[i & 3]);
    }
}

std::size_t websocket_frame_bytes(std::string_view frame) {
    const std::size_t short_length = static_cast<unsigned char>(frame[1]) & length_bits;
    const std::size_t length_bytes = bytes_of_length(short_length);
    const auto length =
        length_bytes == 0 ? short_length : read_big_endian(frame.data() + 2, length_bytes);
    return 2 + length_bytes + static_cast<std::size_t>(length);
}

std::size_t websocket_client_frame_bytes(std::string_view sent) {
    constexpr std::size_t mask_bytes = 4;
    const bool has_length =
        sent.size() >= 2 &&
        sent.size() >= 2 + bytes_of_length(static_cast<unsigned char>(sent[1]) & length_bits);
    return has_length ? websocket_frame_bytes(sent) + mask_bytes : 0;
}

void append_websocket_header(std::string& out, websocket_opcode opcode, std::size_t payload_bytes) {
    assert(!is_control(opcode) || payload_bytes <= max_control_bytes);
    char head[10];
    out.append(head, write_header(head, opcode, payload_bytes, 0));
}

void append_websocket_frame(std::string& out, websocket_opcode opcode, std::string_view payload) {
    out.reserve(out.size() + websocket_header_bytes(payload.size()) + payload.size());
    append_websocket_header(out, opcode, payload.size());
    out.append(payload);
}

void append_masked_websocket_frame(std::string& out, websocket_opcode opcode,
                                   std::string_view payload, std::uint32_t mask) {
    assert(!is_control(opcode) || payload.size() <= max_control_bytes);
    char head[10];
    const std::size_t head_bytes = write_header(head, opcode, payload.size(), mask_bit);
    char key[4];
    std::memcpy(key, &mask, 4);
    out.reserve(out.size() + head_bytes + sizeof key + payload.size());
    out.append(head, head_bytes);
    out.append(key, sizeof key);
    const std::size_t start = out.size();
    out.append(payload);
    websocket_mask(out.data() + start, payload.size(), key);
}

std::string websocket_close_payload(std::uint16_t code, std::string_view reason) {
    std::string payload;
    if (code == close_code::none) {
        return payload;
    }
    if (reason.size() > max_control_bytes - 2) {
        std::size_t cut = max_control_bytes - 2;
        while (cut > 0 && (static_cast<unsigned char>(reason[cut]) & 0xc0) == 0x80) {
            --cut;
        }
        reason = reason.substr(0, cut);
    }
    payload.push_back(static_cast<char>(code >> 8));
    payload.push_back(static_cast<char>(code & 0xff));
    payload.append(reason);
    return payload;
}

} // namespace shaddock::protocol
