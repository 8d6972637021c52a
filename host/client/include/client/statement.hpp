#pragma once

#include <shaddock/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The lines of `host client`: one statement each, typed at the prompt or read from a script.
namespace shaddock::client {

/// An empty line, or a comment: `#` is its first character that is no space.
struct nothing {};
/// `request ROUTE [JSON]`, or short `ROUTE [JSON]`.
struct ask {
    std::string route;
    /// JSON as it was written; `{}` when it was left out.
    std::string body;
};
/// `notify ROUTE [JSON]`.
struct tell {
    std::string route;
    std::string body;
};
/// `listen [ROUTE...|off]`: which pushes are printed.
struct listen {
    bool is_on = true;
    /// Empty: all.
    std::vector<std::string> routes;
};
/// `wait ROUTE [SECONDS]`.
struct await_push {
    std::string route;
    /// None: as long as for an answer.
    std::optional<std::chrono::milliseconds> limit;
};
/// `expect JSON`.
struct expect {
    std::string part;
};
/// `sleep SECONDS`.
struct pause {
    std::chrono::milliseconds time{0};
};
struct info {};
struct routes {};
struct help {};
struct quit {};

using statement =
    std::variant<nothing, ask, tell, listen, await_push, expect, pause, info, routes, help, quit>;

/// Errors: bad_request, saying what was found and expected. Limits: a line of 64 KiB, a route of
/// 255 bytes, JSON of 64 levels, one hour.
result<statement> parse_line(std::string_view line);

/// `1.5`, `10s`, `500ms` or `2min`; a bare number counts seconds. None when it is none of these,
/// negative, or over an hour.
std::optional<std::chrono::milliseconds> parse_time(std::string_view text);

/// The first words of lines, in the order of the help.
const std::vector<std::string>& words();

/// What `help` prints: each word, and a log-in to the chat that comes with the host.
std::string_view help_text();

/// What could stand at the end of `line` (the part before the cursor), whole words: words of the
/// language, `known_routes` where a route is expected. Sorted.
std::vector<std::string> completions(std::string_view line,
                                     const std::vector<std::string>& known_routes);

} // namespace shaddock::client
