#include "json_line.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>

namespace shaddock::cluster {

namespace {

/// Iterative: a line of brackets must not overflow the stack.
rapidjson::Document parsed(std::string_view text) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    return document;
}

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

std::string text_of(const rapidjson::StringBuffer& buffer) {
    return {buffer.GetString(), buffer.GetSize()};
}

} // namespace

std::optional<json_line> read_line(std::string_view text) {
    const auto document = parsed(text);
    if (document.HasParseError() || !document.IsObject() || document.MemberCount() != 1) {
        return std::nullopt;
    }
    const auto member = document.MemberBegin();
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    member->value.Accept(out);
    return json_line{{member->name.GetString(), member->name.GetStringLength()}, text_of(buffer)};
}

std::string make_line(std::string_view name, std::string_view args) {
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    out.StartObject();
    out.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    out.RawValue(args.data(), args.size(), rapidjson::kObjectType);
    out.EndObject();
    return text_of(buffer) + '\n';
}

std::string text_of(std::string_view args, const char* key) {
    const auto document = parsed(args);
    if (document.HasParseError() || !document.IsObject()) {
        return {};
    }
    const auto member = document.FindMember(key);
    if (member == document.MemberEnd() || !member->value.IsString()) {
        return {};
    }
    return {member->value.GetString(), member->value.GetStringLength()};
}

std::optional<bus::peer> peer_of(std::string_view args) {
    const auto document = parsed(args);
    if (document.HasParseError() || !document.IsObject()) {
        return std::nullopt;
    }
    const auto life = document.FindMember("life");
    auto id = text_of(args, "id");
    if (id.empty() || life == document.MemberEnd() || !life->value.IsUint64()) {
        return std::nullopt;
    }
    return bus::peer{std::move(id), static_cast<incarnation>(life->value.GetUint64())};
}

std::string json_of(const bus::peer& who) {
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    out.StartObject();
    out.Key("id");
    out.String(who.id.data(), static_cast<rapidjson::SizeType>(who.id.size()));
    out.Key("life");
    out.Uint64(number(who.life));
    out.EndObject();
    return text_of(buffer);
}

} // namespace shaddock::cluster
