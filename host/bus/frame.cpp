#include "frame.hpp"

#include <algorithm>
#include <type_traits>

namespace shaddock::bus {

namespace {

constexpr std::size_t length_bytes = 4;
/// Error texts are for people; a longer one is cut.
constexpr std::size_t text_limit = std::size_t{64} * 1024;

template <class Number>
void put(std::string& out, Number value) {
    using raw = std::make_unsigned_t<Number>;
    char bytes[sizeof(Number)];
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
        bytes[i] = static_cast<char>((static_cast<raw>(value) >> (8 * i)) & 0xffU);
    }
    out.append(bytes, sizeof(bytes));
}

template <class Number>
Number get(const char* from) {
    using raw = std::make_unsigned_t<Number>;
    raw value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
        value = static_cast<raw>(
            value |
            static_cast<raw>(static_cast<raw>(static_cast<unsigned char>(from[i])) << (8 * i)));
    }
    return static_cast<Number>(value);
}

/// Takes numbers and texts off the front; once something was missing all that follows is missing
/// too.
class reader {
public:
    explicit reader(std::string_view in) : in_(in) {}
    template <class Number>
    Number number() {
        if (in_.size() < sizeof(Number)) {
            failed_ = true;
            in_ = {};
            return 0;
        }
        const auto value = get<Number>(in_.data());
        in_.remove_prefix(sizeof(Number));
        return value;
    }
    std::string_view text(std::size_t length) {
        if (in_.size() < length) {
            failed_ = true;
            in_ = {};
            return {};
        }
        const auto value = in_.substr(0, length);
        in_.remove_prefix(length);
        return value;
    }
    std::string_view rest() const { return in_; }
    bool failed() const { return failed_; }

private:
    std::string_view in_;
    bool failed_ = false;
};

void put_head(std::string& out, frame_kind kind, std::size_t fields) {
    put(out, static_cast<std::uint32_t>(1 + fields));
    put(out, static_cast<std::uint8_t>(kind));
}

} // namespace

cut_frame_result cut_frame(std::string_view in, std::size_t limit) {
    if (in.size() < length_bytes) {
        return {cut_outcome::need_more, 0, {}};
    }
    const std::size_t length = get<std::uint32_t>(in.data());
    if (length == 0 || length > limit + frame_overhead) {
        return {cut_outcome::bad, 0, {}};
    }
    if (in.size() - length_bytes < length) {
        return {cut_outcome::need_more, 0, {}};
    }
    reader fields(in.substr(length_bytes, length));
    frame_view frame;
    frame.kind = static_cast<frame_kind>(fields.number<std::uint8_t>());
    switch (frame.kind) {
    case frame_kind::hello:
    case frame_kind::refuse:
    case frame_kind::ping:
    case frame_kind::bye:
        break;
    case frame_kind::call:
        frame.call = fields.number<std::uint64_t>();
        frame.remaining_ms = fields.number<std::uint32_t>();
        frame.what = fields.number<std::uint8_t>();
        break;
    case frame_kind::reply:
        frame.call = fields.number<std::uint64_t>();
        break;
    case frame_kind::failure:
        frame.call = fields.number<std::uint64_t>();
        frame.code = static_cast<errc>(fields.number<std::uint16_t>());
        frame.client_code = fields.number<std::int32_t>();
        break;
    case frame_kind::cast:
        frame.what = fields.number<std::uint8_t>();
        break;
    default:
        return {cut_outcome::bad, 0, {}};
    }
    if (fields.failed() || fields.rest().size() > limit) {
        return {cut_outcome::bad, 0, {}};
    }
    frame.bytes = fields.rest();
    return {cut_outcome::done, length_bytes + length, frame};
}

result<hello> read_hello(std::string_view in) {
    reader fields(in);
    if (fields.number<std::uint32_t>() != frame_magic) {
        return error(errc::bad_request, "the greeting is not one of a shaddock bus");
    }
    hello greeting;
    greeting.version = fields.number<std::uint16_t>();
    if (!fields.failed() && greeting.version != bus_version) {
        return greeting;
    }
    greeting.purpose = static_cast<hello_purpose>(fields.number<std::uint8_t>());
    greeting.life = static_cast<incarnation>(fields.number<std::uint64_t>());
    greeting.random = fields.number<std::uint64_t>();
    greeting.id = fields.text(fields.number<std::uint8_t>());
    greeting.to = fields.text(fields.number<std::uint8_t>());
    const bool known =
        greeting.purpose >= hello_purpose::link && greeting.purpose <= hello_purpose::answer;
    if (fields.failed() || !fields.rest().empty() || !known || greeting.id.empty()) {
        return error(errc::bad_request, "the greeting is damaged");
    }
    return greeting;
}

void append_hello(std::string& out, const hello& greeting) {
    const auto id = std::string_view(greeting.id).substr(0, 255);
    const auto to = std::string_view(greeting.to).substr(0, 255);
    put_head(out, frame_kind::hello, 4 + 2 + 1 + 8 + 8 + 1 + id.size() + 1 + to.size());
    put(out, frame_magic);
    put(out, greeting.version);
    put(out, static_cast<std::uint8_t>(greeting.purpose));
    put(out, number(greeting.life));
    put(out, greeting.random);
    put(out, static_cast<std::uint8_t>(id.size()));
    out.append(id);
    put(out, static_cast<std::uint8_t>(to.size()));
    out.append(to);
}

void append_call(std::string& out, std::uint64_t call, std::uint32_t remaining_ms,
                 std::uint8_t what, std::string_view bytes) {
    put_head(out, frame_kind::call, 8 + 4 + 1 + bytes.size());
    put(out, call);
    put(out, remaining_ms);
    put(out, what);
    out.append(bytes);
}

void append_reply(std::string& out, std::uint64_t call, std::string_view bytes) {
    put_head(out, frame_kind::reply, 8 + bytes.size());
    put(out, call);
    out.append(bytes);
}

void append_failure(std::string& out, std::uint64_t call, const error& failed) {
    const auto text = std::string_view(failed.text()).substr(0, text_limit);
    put_head(out, frame_kind::failure, 8 + 2 + 4 + text.size());
    put(out, call);
    put(out, static_cast<std::uint16_t>(failed.code()));
    put(out, static_cast<std::int32_t>(failed.client_code()));
    out.append(text);
}

void append_cast(std::string& out, std::uint8_t what, std::string_view bytes) {
    put_head(out, frame_kind::cast, 1 + bytes.size());
    put(out, what);
    out.append(bytes);
}

void append_plain(std::string& out, frame_kind kind, std::string_view text) {
    put_head(out, kind, text.size());
    out.append(text);
}

} // namespace shaddock::bus
