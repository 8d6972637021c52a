#include "wire.hpp"

namespace shaddock::server::wire {

void write(writer& out, const session_ref& ref) {
    out.text(ref.frontend);
    out.u64(number(ref.life));
    out.u64(number(ref.id));
    out.text(ref.uid);
}

session_ref read_ref(reader& in) {
    session_ref ref;
    ref.frontend = in.text();
    ref.life = incarnation{in.u64()};
    ref.id = session_id{in.u64()};
    ref.uid = in.text();
    return ref;
}

namespace {

void write(writer& out, const std::vector<door::setting>& settings) {
    out.u32(static_cast<std::uint32_t>(settings.size()));
    for (const auto& each : settings) {
        out.text(each.key);
        out.text(each.json);
    }
}

std::vector<door::setting> read_settings(reader& in) {
    // Too many are the frontend's to refuse; what is cut off here would vanish without a word.
    const auto count = in.u32();
    std::vector<door::setting> settings;
    settings.reserve(std::min<std::size_t>(count, 16));
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        std::string key(in.text());
        settings.push_back({std::move(key), std::string(in.text())});
    }
    return settings;
}

} // namespace

void write(writer& out, const door::session_data& session) {
    write(out, session.ref);
    write(out, session.settings);
}

door::session_data read_session(reader& in) {
    door::session_data session;
    session.ref = read_ref(in);
    session.settings = read_settings(in);
    return session;
}

std::string encode(std::string_view route, const request_id& id, std::uint64_t contract,
                   const door::session_data* session, door::body_view body, std::string_view caller,
                   std::uint64_t epoch) {
    std::string bytes;
    bytes.reserve(route.size() + body.size() + 212);
    writer out(bytes);
    out.text(route);
    out.u64(number(id.origin));
    out.u64(number(id.session));
    out.u64(id.number);
    out.u64(contract);
    if (contract != 0) {
        out.text(caller);
    }
    out.u8(session != nullptr ? 1 : 0);
    if (session != nullptr) {
        write(out, *session);
    }
    out.text(body);
    // Later fields, which an older reader passes over.
    if (session != nullptr) {
        out.text(session->address);
    }
    out.u64(epoch);
    return bytes;
}

bool decode(std::string_view in, request& out) {
    reader fields(in);
    out.route = fields.text();
    out.id.origin = incarnation{fields.u64()};
    out.id.session = session_id{fields.u64()};
    out.id.number = fields.u64();
    out.contract = fields.u64();
    out.caller = out.contract != 0 ? fields.text() : std::string_view{};
    out.has_session = fields.u8() != 0;
    if (out.has_session) {
        out.session = read_session(fields);
    }
    out.body = fields.text();
    if (out.has_session && !fields.at_end()) {
        out.session.address = fields.text();
    }
    out.epoch = fields.at_end() ? 0 : fields.u64();
    return fields.ok();
}

std::string encode(const contract_rows& rows) {
    std::string bytes;
    writer out(bytes);
    out.u32(static_cast<std::uint32_t>(rows.size()));
    for (const auto& row : rows) {
        out.u8(static_cast<std::uint8_t>(row.as));
        out.text(row.route);
        out.u64(row.hash);
        out.text(row.shape);
    }
    return bytes;
}

bool decode(std::string_view in, contract_rows& out) {
    reader fields(in);
    const auto count = fields.u32();
    for (std::uint32_t i = 0; i < count && fields.ok(); ++i) {
        contract_row row;
        row.as = static_cast<contract_row::role>(fields.u8());
        row.route = fields.text();
        row.hash = fields.u64();
        row.shape = fields.text();
        out.push_back(std::move(row));
    }
    return fields.ok();
}

std::string encode(const session_ref& who, const door::session_change& change) {
    std::string bytes;
    writer out(bytes);
    write(out, who);
    out.u8(static_cast<std::uint8_t>(change.what));
    out.text(change.uid);
    write(out, change.settings);
    out.text(change.text);
    return bytes;
}

bool decode(std::string_view in, session_ref& who, door::session_change& change) {
    reader fields(in);
    who = read_ref(fields);
    change.what = static_cast<door::session_change::kind>(fields.u8());
    change.uid = fields.text();
    change.settings = read_settings(fields);
    change.text = fields.text();
    return fields.ok();
}

std::string encode_push(std::string_view route, door::body_view message,
                        std::span<const session_id> to) {
    std::string bytes;
    bytes.reserve(route.size() + message.size() + 16 + 8 * to.size());
    writer out(bytes);
    out.text(route);
    out.text(message);
    out.u32(static_cast<std::uint32_t>(to.size()));
    for (const auto id : to) {
        out.u64(number(id));
    }
    return bytes;
}

void write(writer& out, const membership& value) {
    out.text(value.channel);
    out.u64(number(value.session));
    out.text(value.uid);
    out.u64(value.joined);
}

membership read_membership(reader& in) {
    membership value;
    value.channel = in.text();
    value.session = session_id{in.u64()};
    value.uid = in.text();
    value.joined = in.u64();
    return value;
}

} // namespace shaddock::server::wire
