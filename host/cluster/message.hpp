#pragma once

#include <optional>
#include <string>
#include <string_view>

/// What goes between master and servers: one JSON object per line with one member, whose name is
/// the word under which something is said: `{"status":{..}}`.
namespace shaddock::cluster {

struct message {
    std::string word;
    /// The value as compact JSON text.
    std::string body;
};

/// Empty: not JSON, not an object, or not exactly one member.
std::optional<message> read_message(std::string_view line);
/// With its line break. `body` is JSON text without line breaks (compact).
std::string write_message(std::string_view word, std::string_view body);

} // namespace shaddock::cluster
