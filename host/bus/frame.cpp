#include "frame.hpp"

#include "base/bytes.hpp"

namespace shaddock::bus {

namespace {

/// Of the length and the kind in front of the fields.
constexpr std::size_t length_bytes = 4;
constexpr std::size_t head_bytes = length_bytes + 1;
/// Error texts are for people; a longer one is cut.
constexpr std::size_t text_limit = std::size_t{64} * 1024;

/// `add` writes the fields.
template <class Fields>
void append(std::string& out, frame_kind kind, Fields add) {
    const auto begin = out.size();
    base::writer fields(out);
    fields.u32(0);
    fields.u8(static_cast<std::uint8_t>(kind));
    add(fields);
    fields.set_length(begin);
}

} // namespace

cut_frame_result cut_frame(std::string_view in, std::size_t limit) {
    if (in.size() < length_bytes) {
        return {cut_outcome::need_more, 0, {}};
    }
    const std::size_t length = base::reader(in).u32();
    if (length == 0 || length > limit + frame_overhead) {
        return {cut_outcome::bad, 0, {}};
    }
    if (in.size() - length_bytes < length) {
        return {cut_outcome::need_more, 0, {}};
    }
    const auto whole = in.substr(0, length_bytes + length);
    base::reader fields(whole.substr(head_bytes));
    frame_view frame;
    frame.kind = static_cast<frame_kind>(whole[length_bytes]);
    switch (frame.kind) {
    case frame_kind::hello:
        frame.bytes = whole.substr(head_bytes);
        break;
    case frame_kind::refuse:
        frame.bytes = fields.text();
        frame.call = fields.at_end() ? 0 : fields.u64();
        break;
    case frame_kind::ping:
    case frame_kind::bye:
        break;
    case frame_kind::call:
        frame.call = fields.u64();
        frame.remaining_ms = fields.u32();
        frame.what = fields.u8();
        frame.bytes = fields.text();
        break;
    case frame_kind::reply:
        frame.call = fields.u64();
        frame.bytes = fields.text();
        break;
    case frame_kind::failure:
        frame.call = fields.u64();
        frame.code = static_cast<errc>(fields.u16());
        frame.client_code = static_cast<std::int32_t>(fields.u32());
        frame.bytes = fields.text();
        break;
    case frame_kind::cast:
        frame.what = fields.u8();
        frame.bytes = fields.text();
        break;
    case frame_kind::mark:
        frame.call = fields.u64();
        frame.late_us = fields.at_end() ? 0 : fields.u32();
        break;
    case frame_kind::taken:
        frame.call = fields.u64();
        break;
    default:
        return {cut_outcome::bad, 0, {}};
    }
    if (!fields.ok() || frame.bytes.size() > limit) {
        return {cut_outcome::bad, 0, {}};
    }
    return {cut_outcome::done, whole.size(), frame};
}

result<hello> read_hello(std::string_view in) {
    base::reader fields(in);
    if (fields.u32() != frame_magic) {
        return error(errc::bad_request, "the greeting is not one of a shaddock bus");
    }
    hello greeting;
    greeting.versions.lowest = fields.u16();
    greeting.versions.highest = fields.u16();
    greeting.purpose = static_cast<hello_purpose>(fields.u8());
    greeting.life = static_cast<incarnation>(fields.u64());
    greeting.random = fields.u64();
    greeting.id = fields.text();
    greeting.to = fields.text();
    const bool known =
        greeting.purpose >= hello_purpose::link && greeting.purpose <= hello_purpose::answer;
    const bool speaks =
        greeting.versions.lowest != 0 && greeting.versions.lowest <= greeting.versions.highest;
    if (!fields.ok() || !speaks || !known || greeting.id.empty() ||
        greeting.id.size() > longest_id || greeting.to.size() > longest_id) {
        return error(errc::bad_request, "the greeting is damaged");
    }
    return greeting;
}

void append_hello(std::string& out, const hello& greeting) {
    append(out, frame_kind::hello, [&](base::writer& fields) {
        fields.u32(frame_magic);
        fields.u16(greeting.versions.lowest);
        fields.u16(greeting.versions.highest);
        fields.u8(static_cast<std::uint8_t>(greeting.purpose));
        fields.u64(number(greeting.life));
        fields.u64(greeting.random);
        fields.text(greeting.id);
        fields.text(greeting.to);
    });
}

void append_refuse(std::string& out, std::string_view text, incarnation dead) {
    append(out, frame_kind::refuse, [&](base::writer& fields) {
        fields.text(text);
        fields.u64(number(dead));
    });
}

void append_call(std::string& out, std::uint64_t call, std::uint32_t remaining_ms,
                 std::uint8_t what, std::string_view bytes) {
    append(out, frame_kind::call, [&](base::writer& fields) {
        fields.u64(call);
        fields.u32(remaining_ms);
        fields.u8(what);
        fields.text(bytes);
    });
}

void append_reply(std::string& out, std::uint64_t call, std::string_view bytes) {
    append(out, frame_kind::reply, [&](base::writer& fields) {
        fields.u64(call);
        fields.text(bytes);
    });
}

void append_failure(std::string& out, std::uint64_t call, const error& failed) {
    append(out, frame_kind::failure, [&](base::writer& fields) {
        fields.u64(call);
        fields.u16(static_cast<std::uint16_t>(failed.code()));
        fields.u32(static_cast<std::uint32_t>(failed.client_code()));
        fields.text(std::string_view(failed.text()).substr(0, text_limit));
    });
}

void append_cast(std::string& out, std::uint8_t what, std::string_view bytes) {
    append(out, frame_kind::cast, [&](base::writer& fields) {
        fields.u8(what);
        fields.text(bytes);
    });
}

void append_mark(std::string& out, std::uint64_t number, std::uint32_t late_us) {
    append(out, frame_kind::mark, [&](base::writer& fields) {
        fields.u64(number);
        fields.u32(late_us);
    });
}

void append_taken(std::string& out, std::uint64_t number) {
    append(out, frame_kind::taken, [&](base::writer& fields) { fields.u64(number); });
}

void append_plain(std::string& out, frame_kind kind) {
    append(out, kind, [](base::writer&) {});
}

} // namespace shaddock::bus
