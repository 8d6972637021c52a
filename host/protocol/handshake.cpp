#include <protocol/handshake.hpp>

#include <shaddock/detail/json_text.hpp>

#include <fmt/format.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>

namespace shaddock::protocol {

namespace {

struct seen_value {
    bool is_object = false;
    /// If it is a string.
    std::optional<std::string_view> text{};
};

/// Picks the few members we want out of the event stream; counts the depth.
class request_reader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, request_reader> {
public:
    request_reader(std::string_view body, const rapidjson::MemoryStream& in)
        : body_(body), in_(in) {}

    bool has_sys() const { return has_sys_; }
    handshake_request take() { return std::move(request_); }

    bool Null() { return end_value({}, in_.Tell()); }
    bool Bool(bool) { return end_value({}, in_.Tell()); }
    bool RawNumber(const char*, rapidjson::SizeType, bool) { return end_value({}, in_.Tell()); }
    bool String(const char* text, rapidjson::SizeType size, bool) {
        return end_value({.text = std::string_view(text, size)}, in_.Tell());
    }
    bool StartObject() {
        root_is_object_ |= depth_ == 0;
        return ++depth_ <= max_handshake_depth;
    }
    bool StartArray() { return ++depth_ <= max_handshake_depth; }
    // The iterative parser reports the end before it takes the closing bracket.
    bool EndObject(rapidjson::SizeType) { return end_nested({.is_object = true}); }
    bool EndArray(rapidjson::SizeType) { return end_nested({}); }

    bool Key(const char* text, rapidjson::SizeType size, bool) {
        const std::string_view key(text, size);
        if (depth_ == 1) {
            top_ = key == "sys" ? member::sys : key == "user" ? member::user : member::other;
            inner_ = member::other;
            if (top_ == member::sys) { // of a doubled one the last counts
                request_.client_type.clear();
                request_.client_version.clear();
                request_.proto_version.reset();
                request_.dict_version.reset();
                request_.rsa.clear();
            }
            top_start_ = in_.Tell();
        } else if (depth_ == 2 && top_ == member::sys) {
            inner_ = key == "type"           ? member::type
                     : key == "version"      ? member::version
                     : key == "protoVersion" ? member::proto_version
                     : key == "dictVersion"  ? member::dict_version
                     : key == "rsa"          ? member::rsa
                                             : member::other;
            inner_start_ = in_.Tell();
        }
        return true;
    }

private:
    enum class member : std::uint8_t {
        other,
        sys,
        user,
        type,
        version,
        proto_version,
        dict_version,
        rsa
    };

    bool end_nested(const seen_value& value) {
        --depth_;
        return end_value(value, in_.Tell() + 1);
    }

    bool end_value(const seen_value& value, std::size_t end) {
        if (depth_ == 1 && root_is_object_) {
            if (top_ == member::sys) {
                has_sys_ = value.is_object;
            } else if (top_ == member::user) {
                request_.user = raw(top_start_, end);
            }
        } else if (depth_ == 2 && top_ == member::sys) {
            end_sys_member(value, end);
        }
        return true;
    }

    void end_sys_member(const seen_value& value, std::size_t end) {
        switch (inner_) {
        case member::type:
            request_.client_type = value.text.value_or("");
            break;
        case member::version:
            request_.client_version = value.text.value_or("");
            break;
        case member::proto_version:
            request_.proto_version = value.text;
            break;
        case member::dict_version:
            request_.dict_version = value.text;
            break;
        case member::rsa:
            request_.rsa = raw(inner_start_, end);
            break;
        default:
            break;
        }
    }

    /// The text of a value: from behind its key up to its end.
    std::string raw(std::size_t after_key, std::size_t end) const {
        const std::string_view text = body_.substr(after_key, end - after_key);
        const std::size_t first = text.find_first_not_of(" \t\r\n:");
        return std::string(text.substr(std::min(first, text.size())));
    }

    std::string_view body_;
    const rapidjson::MemoryStream& in_;
    handshake_request request_;
    std::size_t top_start_ = 0;
    std::size_t inner_start_ = 0;
    int depth_ = 0;
    member top_ = member::other;
    member inner_ = member::other;
    bool root_is_object_ = false;
    bool has_sys_ = false;
};

std::string quoted(std::string_view text) {
    std::string json;
    detail::append_string(json, text);
    return json;
}

/// Writes `"key":value` members with commas between them.
class member_list {
public:
    explicit member_list(std::string& out) : out_(out) {}

    void raw(std::string_view key, std::string_view json) {
        out_ += is_first_ ? "\"" : ",\"";
        is_first_ = false;
        out_.append(key).append("\":").append(json);
    }
    void text(std::string_view key, std::string_view value) { raw(key, quoted(value)); }

private:
    std::string& out_;
    bool is_first_ = true;
};

std::string protos_object(const handshake_protos& protos) {
    std::string out = "{";
    member_list members(out);
    members.raw("server", protos.server);
    members.raw("client", protos.client);
    members.text("version", protos.version);
    out += '}';
    return out;
}

std::string sys_object(const handshake_response& response) {
    std::string out = "{";
    member_list members(out);
    if (response.heartbeat_s != 0) {
        members.raw("heartbeat", fmt::format("{}", response.heartbeat_s));
    }
    if (response.dictionary) {
        members.raw("dict", response.dictionary->route_to_code);
        members.raw("routeToCode", response.dictionary->route_to_code);
        members.raw("codeToRoute", response.dictionary->code_to_route);
        members.text("dictVersion", response.dictionary->version);
    }
    if (response.use_dict) {
        members.raw("useDict", "true");
    }
    if (response.protos) {
        members.raw("protos", protos_object(*response.protos));
    }
    if (response.use_proto) {
        members.raw("useProto", "true");
    }
    out += '}';
    return out;
}

} // namespace

result<handshake_request> parse_handshake_request(std::string_view body) {
    rapidjson::MemoryStream in(body.data(), body.size());
    rapidjson::Reader reader;
    request_reader handler(body, in);
    constexpr unsigned flags =
        rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    const auto parsed = reader.Parse<flags>(in, handler);
    // A zero byte looks like the end to the parser.
    if (parsed.IsError() || in.Tell() != body.size()) {
        return error(errc::bad_request,
                     fmt::format("handshake: not JSON, or nested over {} levels, at byte {}",
                                 max_handshake_depth,
                                 parsed.IsError() ? parsed.Offset() : in.Tell()));
    }
    if (!handler.has_sys()) {
        return error(errc::bad_request, "handshake: `sys` is missing or no object");
    }
    return handler.take();
}

std::string handshake_success(const handshake_response& response) {
    std::string out = "{";
    member_list members(out);
    members.raw("code", "200");
    members.raw("sys", sys_object(response));
    if (!response.user.empty()) {
        members.raw("user", response.user);
    }
    out += '}';
    return out;
}

std::string handshake_failure(int code) {
    return fmt::format("{{\"code\":{}}}", code);
}

std::string handshake_request_body(const handshake_request& request) {
    std::string sys = "{";
    member_list members(sys);
    members.text("type", request.client_type);
    members.text("version", request.client_version);
    members.raw("rsa", request.rsa.empty() ? "{}" : request.rsa);
    if (request.proto_version) {
        members.text("protoVersion", *request.proto_version);
    }
    if (request.dict_version) {
        members.text("dictVersion", *request.dict_version);
    }
    sys += '}';
    std::string out = "{\"sys\":" + sys;
    if (!request.user.empty()) {
        out.append(",\"user\":").append(request.user);
    }
    out += '}';
    return out;
}

} // namespace shaddock::protocol
