#include "wire/bodies.hpp"

#include <rapidjson/document.h>

#include <array>

namespace shaddock::bench {
namespace {

using json = rapidjson::Value;

std::string_view text_of(const json& value) {
    return {value.GetString(), value.GetStringLength()};
}

const json* find(const json& object, const char* key) {
    if (!object.IsObject()) {
        return nullptr;
    }
    const auto found = object.FindMember(key);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

/// A document whose values live on the stack: no allocation for small bodies.
class parsed {
public:
    explicit parsed(std::string_view text)
        : pool_(memory_.data(), memory_.size()), document_(&pool_) {
        document_.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    }
    bool is_object() const { return !document_.HasParseError() && document_.IsObject(); }
    const json& root() const { return document_; }

private:
    std::array<char, 4096> memory_;
    rapidjson::MemoryPoolAllocator<> pool_;
    rapidjson::Document document_;
};

push_proto read_proto(const json& fields) {
    push_proto proto;
    for (const auto& field : fields.GetObject()) {
        const auto* tag = find(field.value, "tag");
        const auto* type = find(field.value, "type");
        if (tag != nullptr && tag->IsUint() && type != nullptr && type->IsString() &&
            text_of(*type) == "string") {
            proto[tag->GetUint()] = text_of(field.name);
        }
    }
    return proto;
}

void read_protos(const json& protos, handshake_reply& reply) {
    if (const auto* client = find(protos, "client");
        client != nullptr && client->IsObject() && client->MemberCount() > 0) {
        reply.problem = "the server wants requests in protobuf, which this client does not speak";
    }
    if (const auto* server = find(protos, "server"); server != nullptr && server->IsObject()) {
        for (const auto& route : server->GetObject()) {
            if (route.value.IsObject()) {
                reply.protos[std::string(text_of(route.name))] = read_proto(route.value);
            }
        }
    }
}

/// The protobuf dialect's varint; false when it is cut off or too long.
bool take_varint(std::string_view& in, std::uint32_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 32 && !in.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(in.front());
        in.remove_prefix(1);
        value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

bool set_field(push_fields& fields, std::string_view name, std::string_view value) {
    if (name == "msg") {
        fields.msg = value;
    } else if (name == "from") {
        fields.from = value;
    } else if (name == "target") {
        fields.target = value;
    } else if (name == "user") {
        fields.user = value;
    } else {
        return false;
    }
    return true;
}

std::optional<push_fields> parse_proto_push(std::string_view body, const push_proto& proto) {
    push_fields fields;
    while (!body.empty()) {
        std::uint32_t head = 0;
        std::uint32_t length = 0;
        if (!take_varint(body, head) || (head & 7) != 2 || !take_varint(body, length) ||
            length > body.size()) {
            return std::nullopt;
        }
        const auto field = proto.find(head >> 3);
        if (field == proto.end() || !set_field(fields, field->second, body.substr(0, length))) {
            return std::nullopt;
        }
        body.remove_prefix(length);
    }
    return fields;
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') {
            out += '\\';
        }
        out += letter;
    }
}

} // namespace

handshake_reply parse_handshake_reply(std::string_view body) {
    handshake_reply reply;
    const parsed text(body);
    const auto* code = text.is_object() ? find(text.root(), "code") : nullptr;
    if (code == nullptr || !code->IsInt()) {
        reply.problem = "the handshake answer has no code";
        return reply;
    }
    reply.code = code->GetInt();
    if (reply.code != 200) {
        reply.problem = "the handshake was refused with " + std::to_string(reply.code);
        return reply;
    }
    const auto* sys = find(text.root(), "sys");
    if (sys == nullptr || !sys->IsObject()) {
        reply.problem = "the handshake answer has no sys";
        return reply;
    }
    if (const auto* heartbeat = find(*sys, "heartbeat");
        heartbeat != nullptr && heartbeat->IsUint()) {
        reply.heartbeat_s = heartbeat->GetUint();
    }
    if (const auto* dict = find(*sys, "dict"); dict != nullptr && dict->IsObject()) {
        for (const auto& entry : dict->GetObject()) {
            if (entry.value.IsUint() && entry.value.GetUint() <= 0xffff) {
                const auto number = static_cast<std::uint16_t>(entry.value.GetUint());
                reply.route_to_code[std::string(text_of(entry.name))] = number;
                reply.code_to_route[number] = text_of(entry.name);
            }
        }
    }
    if (const auto* protos = find(*sys, "protos"); protos != nullptr) {
        read_protos(*protos, reply);
    }
    return reply;
}

std::optional<push_fields> parse_push(std::string_view body, const push_proto* proto) {
    if (proto != nullptr) {
        return parse_proto_push(body, *proto);
    }
    const parsed text(body);
    if (!text.is_object()) {
        return std::nullopt;
    }
    push_fields fields;
    for (const auto& member : text.root().GetObject()) {
        if (!member.value.IsString()) {
            return std::nullopt;
        }
        set_field(fields, text_of(member.name), text_of(member.value));
    }
    return fields;
}

std::optional<answer> parse_answer(std::string_view body) {
    answer read;
    if (body == "{}") {
        return read;
    }
    const parsed text(body);
    if (!text.is_object()) {
        return std::nullopt;
    }
    if (const auto* code = find(text.root(), "code")) {
        if (!code->IsInt()) {
            return std::nullopt;
        }
        read.code = code->GetInt();
    }
    if (const auto* users = find(text.root(), "users")) {
        if (!users->IsArray()) {
            return std::nullopt;
        }
        read.has_users = true;
        for (const auto& user : users->GetArray()) {
            if (!user.IsString()) {
                return std::nullopt;
            }
            read.users.emplace_back(text_of(user));
        }
    }
    const auto* host = find(text.root(), "host");
    const auto* port = find(text.root(), "port");
    if (host != nullptr && port != nullptr) {
        if (!host->IsString() || !port->IsUint() || port->GetUint() > 0xffff) {
            return std::nullopt;
        }
        read.host = text_of(*host);
        read.port = static_cast<std::uint16_t>(port->GetUint());
    }
    return read;
}

std::string parse_kick(std::string_view body) {
    const parsed text(body);
    const auto* reason = text.is_object() ? find(text.root(), "reason") : nullptr;
    return std::string(reason != nullptr && reason->IsString() ? text_of(*reason) : body);
}

std::string query_body(std::string_view uid) {
    std::string out = R"({"uid":")";
    append_escaped(out, uid);
    return out + "\"}";
}

std::string enter_body(std::string_view username, std::string_view rid) {
    std::string out = R"({"username":")";
    append_escaped(out, username);
    out += R"(","rid":")";
    append_escaped(out, rid);
    return out + "\"}";
}

void append_send_body(std::string& out, std::string_view rid, std::string_view content,
                      std::string_view from, std::string_view target) {
    out.append(R"({"rid":")").append(rid);
    out.append(R"(","content":")").append(content);
    out.append(R"(","from":")").append(from);
    out.append(R"(","target":")").append(target).append("\"}");
}

} // namespace shaddock::bench
