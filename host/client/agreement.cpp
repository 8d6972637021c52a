#include "client/agreement.hpp"

#include <protocol/protobuf.hpp>
#include <shaddock/detail/json_parse.hpp>
#include <shaddock/detail/json_text.hpp>

#include <fmt/format.h>

#include <charconv>

namespace shaddock::client {
namespace {

using detail::json_value;
using detail::text_of;

const json_value* find(const json_value& object, const char* key) {
    const auto found = object.FindMember(key);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

const json_value* find_object(const json_value& object, const char* key) {
    const auto* found = find(object, key);
    return found != nullptr && found->IsObject() ? found : nullptr;
}

std::string find_text(const json_value& object, const char* key) {
    const auto* found = find(object, key);
    return found != nullptr && found->IsString() ? std::string(text_of(*found)) : std::string();
}

// --- Protos: from the form in which a handshake carries them back to the form of proto files -----

void append_fields(std::string& out, const json_value& message);

void append_key(std::string& out, std::string_view key) {
    if (out.back() != '{') {
        out += ',';
    }
    detail::append_string(out, key);
    out += ':';
}

void append_messages(std::string& out, const json_value& messages) {
    for (const auto& [name, message] : messages.GetObject()) {
        if (message.IsObject()) {
            append_key(out, "message " + std::string(text_of(name)));
            append_fields(out, message);
        }
    }
}

void append_fields(std::string& out, const json_value& message) {
    out += '{';
    for (const auto& [name, field] : message.GetObject()) {
        if (!field.IsObject() || text_of(name) == "__tags") {
            continue;
        }
        if (text_of(name) == "__messages") {
            append_messages(out, field);
            continue;
        }
        const auto* tag = find(field, "tag");
        append_key(out, fmt::format("{} {} {}", find_text(field, "option"),
                                    find_text(field, "type"), text_of(name)));
        out += tag != nullptr && tag->IsUint() ? fmt::format("{}", tag->GetUint()) : "null";
    }
    out += '}';
}

result<protocol::proto_set> read_protos(const json_value& protos, const char* side,
                                        std::vector<std::string>& routes) {
    std::string file = "{";
    if (const auto* messages = find_object(protos, side)) {
        for (const auto& [route, message] : messages->GetObject()) {
            if (!message.IsObject()) {
                continue;
            }
            append_key(file, text_of(route));
            append_fields(file, message);
            if (text_of(route).substr(0, 8) != "message ") {
                routes.emplace_back(text_of(route));
            }
        }
    }
    auto parsed = protocol::proto_set::parse(file + "}");
    if (!parsed) {
        return error(errc::bad_request, fmt::format("protos of the {}: {}: {}", side,
                                                    parsed.error().path, parsed.error().text));
    }
    return {boost::system::in_place_value, std::move(*parsed)};
}

std::uint16_t code_in(const json_value& value) {
    return value.IsUint() && value.GetUint() <= 0xffff ? static_cast<std::uint16_t>(value.GetUint())
                                                       : std::uint16_t{0};
}

error refusal(int code) {
    return {errc::refused,
            fmt::format("the handshake was answered with the code {}, expected 200{}", code,
                        code == 501 ? ": the server wants another client" : "")};
}

/// The dictionary of a handshake's `sys`, as far as it is there.
struct read_codes {
    std::map<std::string, std::uint16_t, std::less<>> codes;
    std::map<std::uint16_t, std::string> routes;
};

read_codes read_dictionary(const json_value& sys) {
    read_codes read;
    // Old servers send only `dict`.
    const auto* codes = find_object(sys, "routeToCode");
    if (codes == nullptr) {
        codes = find_object(sys, "dict");
    }
    if (codes != nullptr) {
        for (const auto& [route, number] : codes->GetObject()) {
            if (const auto known = code_in(number); known != 0) {
                read.codes.insert_or_assign(std::string(text_of(route)), known);
                read.routes.insert_or_assign(known, std::string(text_of(route)));
            }
        }
    }
    // A route may have a second code, under which its pushes may come, too.
    if (const auto* routes = find_object(sys, "codeToRoute")) {
        for (const auto& [digits, route] : routes->GetObject()) {
            const auto name = text_of(digits);
            std::uint16_t number = 0;
            std::from_chars(name.data(), name.data() + name.size(), number);
            if (number != 0 && route.IsString()) {
                read.routes.insert_or_assign(number, std::string(text_of(route)));
            }
        }
    }
    return read;
}

} // namespace

result<agreement> agreement::parse(std::string_view body) {
    const detail::parsed text(body);
    const auto* code =
        text.problem().empty() && text.root().IsObject() ? find(text.root(), "code") : nullptr;
    if (code == nullptr || !code->IsInt()) {
        return error(errc::bad_request, "the handshake was answered without a code");
    }
    if (code->GetInt() != 200) {
        return refusal(code->GetInt());
    }
    agreement made;
    if (const auto* user = find(text.root(), "user")) {
        detail::encode_tree(made.user_, *user);
    }
    const auto* sys = find_object(text.root(), "sys");
    if (sys == nullptr) {
        return made;
    }
    if (const auto* heartbeat = find(*sys, "heartbeat");
        heartbeat != nullptr && heartbeat->IsUint()) {
        made.heartbeat_s_ = heartbeat->GetUint();
    }
    auto dictionary = read_dictionary(*sys);
    made.codes_ = std::move(dictionary.codes);
    made.routes_ = std::move(dictionary.routes);
    made.dictionary_version_ = find_text(*sys, "dictVersion");
    if (const auto* protos = find_object(*sys, "protos")) {
        auto server = read_protos(*protos, "server", made.server_routes_);
        auto client = read_protos(*protos, "client", made.client_routes_);
        if (!server || !client) {
            return !server ? server.error() : client.error();
        }
        made.server_ = std::move(*server);
        made.client_ = std::move(*client);
        made.protos_version_ = find_text(*protos, "version");
    }
    return {boost::system::in_place_value, std::move(made)};
}

result<void> agreement::append_package(std::string& out, std::uint32_t id, std::string_view route,
                                       std::string_view body) const {
    protocol::message said;
    said.type = id == 0 ? protocol::message_type::notify : protocol::message_type::request;
    said.id = id;
    said.route = route;
    said.body = body;
    if (const auto code = codes_.find(route); code != codes_.end()) {
        said.route_code = code->second;
    }
    std::string dialect;
    if (const auto* proto = client_.find(route)) {
        if (auto written = protocol::json_to_protobuf(dialect, *proto, body); !written) {
            return error(errc::bad_request,
                         fmt::format("{}: the body does not fit the proto of its route: {}", route,
                                     written.error().text()));
        }
        said.body = dialect;
    }
    return protocol::append_message_package(out, said);
}

result<std::string> agreement::read_answer(std::string_view route, std::string_view body) const {
    const auto* proto = server_.find(route);
    if (proto == nullptr) {
        return std::string(body);
    }
    std::string json;
    if (auto read = protocol::protobuf_to_json(json, *proto, body); !read) {
        return error(errc::bad_request, fmt::format("{}: a body that does not fit its proto: {}",
                                                    route, read.error().text()));
    }
    return json;
}

result<agreement::push> agreement::read_push(const protocol::message& said) const {
    push read{std::string(said.route), {}};
    if (said.route_code != 0) {
        const auto known = routes_.find(said.route_code);
        if (known == routes_.end()) {
            return error(
                errc::bad_request,
                fmt::format("a push with the code {}, which no route of the dictionary has",
                            said.route_code));
        }
        read.route = known->second;
    }
    auto body = read_answer(read.route, said.body);
    if (!body) {
        return body.error();
    }
    read.body = std::move(*body);
    return {boost::system::in_place_value, std::move(read)};
}

} // namespace shaddock::client
