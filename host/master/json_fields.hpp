#pragma once

#include <shaddock/error.hpp>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <sys/types.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Members of JSON objects, written and read. Only for the .cpp files that speak JSON.
namespace shaddock::master {

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

inline void put_key(json_writer& out, std::string_view key) {
    out.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}
inline void put(json_writer& out, std::string_view key, std::string_view value) {
    put_key(out, key);
    out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
template <std::integral Number>
void put(json_writer& out, std::string_view key, Number value) {
    put_key(out, key);
    if constexpr (std::same_as<Number, bool>) {
        out.Bool(value);
    } else {
        out.Uint64(static_cast<std::uint64_t>(value));
    }
}
inline void put(json_writer& out, std::string_view key, const std::vector<std::string>& texts) {
    put_key(out, key);
    out.StartArray();
    for (const auto& text : texts) {
        out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    }
    out.EndArray();
}
/// Null when there is none.
inline void put(json_writer& out, std::string_view key, const std::optional<pid_t>& pid) {
    put_key(out, key);
    pid ? out.Int(*pid) : out.Null();
}
/// A value that is JSON text already.
inline void put_json(json_writer& out, std::string_view key, std::string_view text) {
    put_key(out, key);
    out.RawValue(text.data(), text.size(), rapidjson::kObjectType);
}
/// Milliseconds with one digit behind the point.
inline void put_ms(json_writer& out, double ms) {
    out.Key("ms");
    out.Double(std::round(ms * 10) / 10);
}

/// However deep it is nested, no stack is used. Null when it is no JSON.
inline rapidjson::Document parsed(std::string_view text) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    return document;
}

/// The list under `key` of an object; null for anything else.
inline const rapidjson::Value* list_in(const rapidjson::Document& document, const char* key) {
    if (!document.IsObject()) {
        return nullptr;
    }
    const auto at = document.FindMember(key);
    return at != document.MemberEnd() && at->value.IsArray() ? &at->value : nullptr;
}
inline std::string text_of(const rapidjson::Value& text) {
    return {text.GetString(), text.GetStringLength()};
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
        texts.push_back(text_of(each));
    }
    return texts;
}

/// Empty when the member is absent or something else.
inline std::string text_of(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    return at != from.MemberEnd() && at->value.IsString() ? text_of(at->value) : std::string();
}
/// 0 when the member is absent or something else.
inline std::uint64_t number_of(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    return at != from.MemberEnd() && at->value.IsUint64() ? at->value.GetUint64() : 0;
}
/// Under `pid`; nothing when the member is absent, null or 0.
inline std::optional<pid_t> pid_of(const rapidjson::Value& from) {
    const auto pid = number_of(from, "pid");
    return pid == 0 ? std::nullopt : std::optional(static_cast<pid_t>(pid));
}
/// False when the member is absent or something else.
inline bool is_set(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    return at != from.MemberEnd() && at->value.IsTrue();
}

inline double ms_of(const rapidjson::Value& from) {
    const auto at = from.FindMember("ms");
    return at != from.MemberEnd() && at->value.IsNumber() ? at->value.GetDouble() : 0;
}

/// The text of what `write` writes.
template <class Write>
std::string json_text(Write write) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    write(out);
    return {buffer.GetString(), buffer.GetSize()};
}
inline std::string compact(const rapidjson::Value& value) {
    return json_text([&](json_writer& out) { value.Accept(out); });
}
/// `write` writes the members.
template <class Write>
std::string object_json(Write write) {
    return json_text([&](json_writer& out) {
        out.StartObject();
        write(out);
        out.EndObject();
    });
}
/// `[{..},..]`; `write` writes the members of one.
template <class Line, class Write>
void put_objects(json_writer& out, const std::vector<Line>& lines, Write write) {
    out.StartArray();
    for (const auto& line : lines) {
        out.StartObject();
        write(out, line);
        out.EndObject();
    }
    out.EndArray();
}
/// `{"results":[{..},..]}`.
template <class Line, class Write>
std::string results_json(const std::vector<Line>& lines, Write write) {
    return object_json([&](json_writer& out) {
        out.Key("results");
        put_objects(out, lines, write);
    });
}

/// What `read` makes of each object of the list. Errors: bad_request with `expected`, when it is no
/// list or has anything else in it.
template <class Read>
auto read_objects(const rapidjson::Value* list, Read read, std::string_view expected)
    -> result<std::vector<decltype(read(*list))>> {
    const error wrong(errc::bad_request, std::string(expected));
    if (list == nullptr || !list->IsArray()) {
        return wrong;
    }
    std::vector<decltype(read(*list))> lines;
    for (const auto& each : list->GetArray()) {
        if (!each.IsObject()) {
            return wrong;
        }
        lines.push_back(read(each));
    }
    return {boost::system::in_place_value, std::move(lines)};
}
template <class Read>
auto results_from_json(std::string_view text, Read read) {
    const auto document = parsed(text);
    return read_objects(list_in(document, "results"), read, R"(expected {"results":[{..},..]})");
}

} // namespace shaddock::master
