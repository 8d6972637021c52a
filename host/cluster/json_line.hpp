#pragma once

#include "bus/bus.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// What goes between master and children: one JSON object per line with one member, its name is
/// what is said: `{"status":{..}}`.
namespace shaddock::cluster {

/// Bytes of one line, without its end.
inline constexpr std::size_t line_limit = std::size_t{1024} * 1024;

struct json_line {
    std::string name;
    /// The value as compact JSON text.
    std::string args;
};

/// Empty: not JSON, not an object, or not exactly one member.
std::optional<json_line> read_line(std::string_view text);
/// `args` is JSON text without line breaks (compact).
std::string make_line(std::string_view name, std::string_view args);

/// The text under `key` of an object; empty when it is not there.
std::string text_of(std::string_view args, const char* key);
/// `{"id":"chat-server-1","life":1700000000000000000}`; empty when it is not that.
std::optional<bus::peer> peer_of(std::string_view args);
std::string json_of(const bus::peer& who);

} // namespace shaddock::cluster
