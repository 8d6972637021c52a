#include <protocol/message.hpp>

#include <fmt/format.h>

#include <array>

namespace shaddock::protocol {

namespace {

constexpr unsigned route_is_code = 0x01;
constexpr unsigned type_mask = 0x07;

constexpr bool has_id(message_type type) {
    return type == message_type::request || type == message_type::response;
}

error malformed(const char* what) {
    return error(errc::bad_request, what);
}

/// A view that is read from the front.
class byte_reader {
public:
    explicit byte_reader(std::string_view in) : in_(in) {}
    std::size_t left() const { return in_.size(); }
    unsigned byte() { return static_cast<unsigned char>(take(1)[0]); }
    std::string_view take(std::size_t count) {
        const std::string_view taken = in_.substr(0, count);
        in_.remove_prefix(count);
        return taken;
    }
    std::string_view rest() const { return in_; }

private:
    std::string_view in_;
};

/// Null when fine, otherwise what is wrong.
const char* read_id(byte_reader& in, std::uint32_t& id) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (in.left() == 0) {
            return "message: the id is cut off";
        }
        const std::uint64_t byte = in.byte();
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (value > 0xffffffff) {
                return "message: the id is over 4294967295";
            }
            id = static_cast<std::uint32_t>(value);
            return nullptr;
        }
    }
    return "message: the id is over 5 bytes";
}

const char* read_route(byte_reader& in, bool is_code, message& value) {
    if (is_code) {
        if (in.left() < 2) {
            return "message: the route code is cut off";
        }
        const unsigned high = in.byte();
        value.route_code = static_cast<std::uint16_t>(high << 8 | in.byte());
        return nullptr;
    }
    if (in.left() < 1) {
        return "message: the route is missing";
    }
    const std::size_t length = in.byte();
    if (in.left() < length) {
        return "message: the route is cut off";
    }
    value.route = in.take(length);
    return nullptr;
}

/// All that stands before the body: flag, id, and the route's code or length; the route's text
/// follows.
struct message_head {
    std::array<char, 8> bytes{};
    std::size_t size = 0;

    void put(unsigned byte) { bytes[size++] = static_cast<char>(byte); }
};

message_head make_head(const message& value) {
    message_head head;
    const bool has_route = value.type != message_type::response;
    const unsigned code_bit = has_route && value.route_code != 0 ? route_is_code : 0;
    head.put(static_cast<unsigned>(value.type) << 1 | code_bit);
    if (has_id(value.type)) {
        std::uint32_t id = value.id;
        for (; id >= 0x80; id >>= 7) {
            head.put((id & 0x7f) | 0x80);
        }
        head.put(id);
    }
    if (code_bit != 0) {
        head.put(value.route_code >> 8);
        head.put(value.route_code & 0xffU);
    } else if (has_route) {
        head.put(static_cast<unsigned>(value.route.size()));
    }
    return head;
}

bool writes_route_text(const message& value) {
    return value.type != message_type::response && value.route_code == 0;
}

void append_parts(std::string& out, const message& value) {
    const message_head head = make_head(value);
    out.append(head.bytes.data(), head.size);
    if (writes_route_text(value)) {
        out.append(value.route);
    }
    out.append(value.body);
}

/// Null when the message can be written.
const char* problem_of(const message& value) {
    if (static_cast<unsigned>(value.type) > static_cast<unsigned>(message_type::push)) {
        return "message: the type is none of request, notify, response, push";
    }
    if (writes_route_text(value) && value.route.size() > max_route_bytes) {
        return "message: the route is over 255 bytes";
    }
    return nullptr;
}

} // namespace

result<message> decode_message(std::string_view in) {
    if (in.empty()) {
        return malformed("message: empty");
    }
    byte_reader reader(in);
    const unsigned flag = reader.byte();
    const unsigned type = flag >> 1 & type_mask;
    if (type > static_cast<unsigned>(message_type::push)) {
        return malformed("message: the type is none of request, notify, response, push");
    }
    message value;
    value.type = static_cast<message_type>(type);
    if (has_id(value.type)) {
        if (const char* problem = read_id(reader, value.id)) {
            return malformed(problem);
        }
    }
    if (value.type != message_type::response) {
        if (const char* problem = read_route(reader, (flag & route_is_code) != 0, value)) {
            return malformed(problem);
        }
    }
    value.body = reader.rest();
    return value;
}

result<void> append_message(std::string& out, const message& value) {
    if (const char* problem = problem_of(value)) {
        return malformed(problem);
    }
    append_parts(out, value);
    return {};
}

result<void> append_message_package(std::string& out, const message& value) {
    if (const char* problem = problem_of(value)) {
        return malformed(problem);
    }
    const std::size_t body_bytes = message_bytes(value);
    if (body_bytes > max_package_body_bytes) {
        return error(errc::bad_request,
                     fmt::format("message: {} bytes do not fit into a package, which holds {}",
                                 body_bytes, max_package_body_bytes));
    }
    out.reserve(out.size() + package_header_bytes + body_bytes);
    append_package_header(out, package_type::data, body_bytes);
    append_parts(out, value);
    return {};
}

} // namespace shaddock::protocol
