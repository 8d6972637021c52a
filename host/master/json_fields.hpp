#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Members of JSON objects, written and read. Only for the .cpp files that speak JSON.
namespace shaddock::master {

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

inline void put(json_writer& out, const char* key, std::string_view value) {
    out.Key(key);
    out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
inline void put(json_writer& out, const char* key, std::uint64_t value) {
    out.Key(key);
    out.Uint64(value);
}

inline void put(json_writer& out, const char* key, const std::vector<std::string>& texts) {
    out.Key(key);
    out.StartArray();
    for (const auto& text : texts) {
        out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    }
    out.EndArray();
}

/// However deep it is nested, no stack is used.
inline rapidjson::Document parsed(std::string_view text) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    return document;
}

/// The list under `key` of an object; null for anything else.
inline const rapidjson::Value* list_in(const rapidjson::Document& document, const char* key) {
    if (document.HasParseError() || !document.IsObject()) {
        return nullptr;
    }
    const auto at = document.FindMember(key);
    return at != document.MemberEnd() && at->value.IsArray() ? &at->value : nullptr;
}
/// The texts under `key` of an object; nothing when it is no list, or has anything else in it.
inline std::optional<std::vector<std::string>> texts_in(const rapidjson::Document& document,
                                                        const char* key) {
    const auto* list = list_in(document, key);
    if (list == nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const auto& each : list->GetArray()) {
        if (!each.IsString()) {
            return std::nullopt;
        }
        texts.emplace_back(each.GetString(), each.GetStringLength());
    }
    return texts;
}

/// Empty when the member is absent or something else.
inline std::string text_of(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    return at != from.MemberEnd() && at->value.IsString()
               ? std::string(at->value.GetString(), at->value.GetStringLength())
               : std::string();
}
/// 0 when the member is absent or something else.
inline std::uint64_t number_of(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    return at != from.MemberEnd() && at->value.IsUint64() ? at->value.GetUint64() : 0;
}
/// False when the member is absent or something else.
inline bool is_set(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    return at != from.MemberEnd() && at->value.IsTrue();
}

inline std::string text_of(const rapidjson::StringBuffer& buffer) {
    return {buffer.GetString(), buffer.GetSize()};
}

/// `{"results":[..]}`; `write` writes one of them.
template <class Line, class Write>
std::string results_json(const std::vector<Line>& lines, Write write) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    out.Key("results");
    out.StartArray();
    for (const auto& line : lines) {
        write(out, line);
    }
    out.EndArray();
    out.EndObject();
    return text_of(buffer);
}

} // namespace shaddock::master
