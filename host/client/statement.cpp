#include "client/statement.hpp"

#include "client/json.hpp"

#include <protocol/message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace shaddock::client {
namespace {

constexpr std::size_t line_limit_bytes = std::size_t{64} * 1024;
constexpr std::string_view spaces = " \t\r\n";

/// Takes the first word off; empty when there is none. `line` then begins with the next one.
std::string_view take_word(std::string_view& line) {
    const auto end = std::min(line.find_first_of(spaces), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(spaces, end), line.size()));
    return word;
}

std::string_view trimmed(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(spaces), line.size()));
    return line.substr(0, line.find_last_not_of(spaces) + 1);
}

error wrong(std::string text) {
    return {errc::bad_request, std::move(text)};
}

std::string found(std::string_view text) {
    return text.empty() ? "nothing" : json_string(text.substr(0, 60));
}

result<std::string> read_route(std::string_view word, std::string_view rest) {
    const auto route = take_word(rest);
    if (route.empty() || route.front() == '{' || route.size() > protocol::max_route_bytes) {
        return wrong(fmt::format("{}: found {}, expected a route of at most {} bytes", word,
                                 found(route), protocol::max_route_bytes));
    }
    return std::string(route);
}

result<std::string> read_json(std::string_view word, std::string_view text) {
    if (const auto problem = json_problem(text)) {
        return wrong(fmt::format("{}: found {}, expected JSON as in {{\"rid\":\"hall\"}}: {}", word,
                                 found(text), *problem));
    }
    return std::string(text);
}

/// `ROUTE [JSON]`.
template <class Said>
result<statement> read_said(std::string_view word, std::string_view rest) {
    auto route = read_route(word, rest);
    if (!route) {
        return route.error();
    }
    take_word(rest);
    auto body = rest.empty() ? result<std::string>("{}") : read_json(*route, rest);
    if (!body) {
        return body.error();
    }
    return statement(Said{std::move(*route), std::move(*body)});
}

result<statement> read_listen(std::string_view rest) {
    listen wanted;
    while (!rest.empty()) {
        wanted.routes.emplace_back(take_word(rest));
    }
    if (wanted.routes == std::vector<std::string>{"off"}) {
        wanted = {false, {}};
    }
    return statement(std::move(wanted));
}

result<std::chrono::milliseconds> read_time(std::string_view word, std::string_view text) {
    const auto time = parse_time(text);
    if (!time) {
        return wrong(
            fmt::format("{}: found {}, expected a time of at most an hour as in 1.5, 500ms "
                        "or 10s",
                        word, found(text)));
    }
    return *time;
}

result<statement> read_wait(std::string_view rest) {
    auto route = read_route("wait", rest);
    if (!route) {
        return route.error();
    }
    take_word(rest);
    await_push wanted{std::move(*route), {}};
    if (!rest.empty()) {
        const auto limit = read_time("wait", rest);
        if (!limit) {
            return limit.error();
        }
        wanted.limit = *limit;
    }
    return statement(std::move(wanted));
}

result<statement> read_expect(std::string_view rest) {
    auto part = read_json("expect", rest);
    if (!part) {
        return part.error();
    }
    return statement(expect{std::move(*part)});
}

result<statement> read_sleep(std::string_view rest) {
    const auto time = read_time("sleep", rest);
    if (!time) {
        return time.error();
    }
    return statement(pause{*time});
}

/// A word that takes nothing after it.
template <class Word>
result<statement> read_alone(std::string_view word, std::string_view rest) {
    if (!rest.empty()) {
        return wrong(fmt::format("{}: found {}, expected nothing after it", word, found(rest)));
    }
    return statement(Word{});
}

} // namespace

result<statement> parse_line(std::string_view line) {
    if (line.size() > line_limit_bytes) {
        return wrong(fmt::format("found a line of {} bytes, expected at most {}", line.size(),
                                 line_limit_bytes));
    }
    auto rest = trimmed(line);
    if (rest.empty() || rest.front() == '#') {
        return statement(nothing{});
    }
    const auto whole = rest;
    const auto word = take_word(rest);
    if (word == "request") {
        return read_said<ask>(word, rest);
    }
    if (word == "notify") {
        return read_said<tell>(word, rest);
    }
    if (word == "listen") {
        return read_listen(rest);
    }
    if (word == "wait") {
        return read_wait(rest);
    }
    if (word == "expect") {
        return read_expect(rest);
    }
    if (word == "sleep") {
        return read_sleep(rest);
    }
    if (word == "info") {
        return read_alone<info>(word, rest);
    }
    if (word == "routes") {
        return read_alone<routes>(word, rest);
    }
    if (word == "help") {
        return read_alone<help>(word, rest);
    }
    if (word == "quit" || word == "exit") {
        return read_alone<quit>(word, rest);
    }
    if (word.find('.') != std::string_view::npos && word.front() != '{') {
        return read_said<ask>("request", whole);
    }
    return wrong(fmt::format("found {}, expected {} or a route type.handler.method; help says more",
                             found(word), fmt::join(words(), ", ")));
}

std::optional<std::chrono::milliseconds> parse_time(std::string_view text) {
    constexpr double limit_ms = 3600e3;
    double number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failed] =
        std::from_chars(text.data(), end, number, std::chars_format::fixed);
    const auto unit = trimmed({stopped, static_cast<std::size_t>(end - stopped)});
    const double factor = unit.empty() || unit == "s" ? 1e3
                          : unit == "ms"              ? 1
                          : unit == "min"             ? 60e3
                                                      : 0;
    const double time = number * factor;
    if (failed != std::errc() || factor == 0 || !(time >= 0 && time <= limit_ms)) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(std::llround(time));
}

const std::vector<std::string>& words() {
    static const std::vector<std::string> all = {"request", "notify", "listen", "wait", "expect",
                                                 "sleep",   "info",   "routes", "help", "quit"};
    return all;
}

std::string_view help_text() {
    return R"(request ROUTE [JSON]    ask and print the answer; short: ROUTE [JSON]; without JSON it is {}
notify ROUTE [JSON]     tell; there is no answer
listen [ROUTE...|off]   which pushes are printed: all, those of these routes, none. At first all
wait ROUTE [SECONDS]    until a push of this route has come that no wait has taken yet
expect JSON             the last answer, or the push waited for, must contain this: an object its
                        members, a list its elements in this order; else it is an error
sleep SECONDS           1.5, 500ms or 2min
info                    what the handshake said
routes                  the routes of the dictionary
help, quit              and # begins a comment line

A log-in to the chat that comes with the host, and a word to all in the room:
  connector.entryHandler.enter {"username":"ada","rid":"hall"}
  chat.chatHandler.send {"content":"hello","target":"*"}
  wait onChat
  expect {"msg":"hello","from":"ada"}
)";
}

std::vector<std::string> completions(std::string_view line,
                                     const std::vector<std::string>& known_routes) {
    const auto begin = line.find_last_of(spaces) + 1; // npos + 1 is 0
    const auto start = line.substr(begin);
    auto before = trimmed(line.substr(0, begin));
    std::vector<std::string> found;
    const auto add = [&](const std::vector<std::string>& all) {
        for (const auto& one : all) {
            if (std::string_view(one).substr(0, start.size()) == start) {
                found.push_back(one);
            }
        }
    };
    const auto first = take_word(before);
    if (first.empty()) {
        add(words());
        add(known_routes);
    } else if (first == "listen" ||
               (before.empty() && (first == "request" || first == "notify" || first == "wait"))) {
        add(known_routes);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

} // namespace shaddock::client
