#pragma once

#include "vectors.hpp"

#include <protocol/package.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the tests of the golden vectors share.
namespace shaddock::protocol::testing {

/// Hands every case of the file to `judge`, in order, under its name, and prints `N cases`. Fails
/// for each case of which `judge` says (false) that it has nothing in it that can be judged; a file
/// that is missing or empty throws.
void each_case(std::string_view file_name,
               const std::function<bool(const rapidjson::Value&)>& judge);

/// Null when absent or null.
const rapidjson::Value* find(const rapidjson::Value& object, const char* member);

/// Compact, in the order of the members.
std::string to_json(const rapidjson::Value& value);

/// Whether they are the same JSON: members in any order, 1 and 1.0 alike.
bool is_same_json(std::string_view left, std::string_view right);

/// Lower case.
std::string to_hex(std::string_view bytes);

std::string sha256_hex(std::string_view bytes);

/// Proper UTF-8 of UTF-16 units in hex (`d83d de00`), of a lone surrogate U+FFFD.
std::string from_utf16_hex(std::string_view units);

struct plain_package {
    package_type type;
    std::string body;
    bool operator==(const plain_package&) const = default;
};

/// The packages at the front of `in`, and the status after the last one.
std::pair<std::vector<plain_package>, cut_status> cut_all(std::string_view in, std::size_t limit);

/// Fails unless `stream`, arriving in two pieces split at every point, and byte by byte, gives the
/// same packages and the same end as in one piece.
void expect_same_at_every_split(std::string_view stream, std::size_t limit);

} // namespace shaddock::protocol::testing
