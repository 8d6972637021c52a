#pragma once

#include <optional>
#include <string>
#include <string_view>

/// JSON bodies as people and programs read them in a terminal.
namespace shaddock::client {

/// Why `text` is not JSON; none when it is. Limits: 64 levels.
std::optional<std::string> json_problem(std::string_view text);

/// One line for programs: `text` as compact JSON; `null` for no bytes; what is no JSON as a string.
/// Characters that a terminal obeys are escaped.
std::string json_line(std::string_view text);

/// The same for people: with spaces after `:` and `,`; from 100 characters on, several lines with
/// an indent of two. No bytes are `(no body)`.
std::string json_text(std::string_view text);

/// A JSON string: quoted, control characters escaped.
std::string json_string(std::string_view text);

/// Where `found` does not contain `wanted`, as `path: found <x>, expected <y>`; none when it does.
/// An object contains another if it has its members, a list if it has the other's elements in that
/// order, maybe with others between; numbers, texts and the rest are equal or not.
std::optional<std::string> json_difference(std::string_view found, std::string_view wanted);

} // namespace shaddock::client
