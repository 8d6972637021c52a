#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// JSON that remembers where it stood. RapidJSON stays in json.cpp.
namespace shaddock::config {

struct json_member;

struct json_value {
    enum class kind { null, boolean, number, string, list, object };

    kind is = kind::null;
    bool truth = false;
    /// string: decoded; number: as written.
    std::string text;
    /// list and object; elements of a list have empty keys.
    std::vector<json_member> members;
    /// Bytes of the value in the parsed text: [begin, end).
    std::size_t begin = 0;
    std::size_t end = 0;
    /// Line of the first byte, from 1.
    std::size_t line = 1;

    /// The member with this key, or null.
    const json_member* find(std::string_view key) const;
    json_member* find(std::string_view key);
    /// The keys of an object in file order.
    std::vector<std::string> keys() const;

    static json_value number(std::size_t value);
    static json_value string(std::string value);
    static json_value boolean(bool value);
};

struct json_member {
    std::string key;
    /// Line of the key; of the value for elements of a list.
    std::size_t line = 1;
    json_value value;
};

/// Strict JSON, UTF-8, at most 64 levels, no key twice in one object. Throws `error` (config) with
/// file and line.
json_value parse_json(std::string_view text, const std::filesystem::path& path);

/// The value as JSON without white space; numbers as they were written.
std::string compact(const json_value& value);

/// What an error text calls the value: `the text 'x'`, `the number 5`, `an object`, ...
std::string describe(const json_value& value);

} // namespace shaddock::config
