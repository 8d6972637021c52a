#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

namespace shaddock::protocol::testing {

/// One file of golden vectors: an array of cases. From the folder named by SHADDOCK_VECTORS,
/// otherwise tests/vectors. Throws (the test fails) when the file is missing, no JSON, no array or
/// empty.
rapidjson::Document read_vectors(std::string_view file_name);

/// Bytes of a text of hex digits; throws on anything else.
std::string from_hex(std::string_view hex);

/// The string member, or "" when it is absent or null.
std::string text_of(const rapidjson::Value& object, const char* member);

} // namespace shaddock::protocol::testing
