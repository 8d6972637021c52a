#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <string>
#include <string_view>

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

} // namespace shaddock::master
