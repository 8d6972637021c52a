#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"

#include <shaddock/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace shaddock::master {

/// The master's questions to servers, over their lines; each is answered once.
///
/// Form, on the line: `{"ask":{"n":7,"what":"metrics","args":{..}}}` to the server, and back
/// `{"answer":{"n":7,"body":<any JSON>}}` or `{"answer":{"n":7,"error":"<text>"}}`.
/// Thread: the loop. Lifetime: `clock` outlives it; destroyed, it answers nobody any more.
class asks {
public:
    /// Says something on the line of a server; false: it has none.
    using say_call = base::unique_function<bool(std::string_view id, std::string_view name,
                                                std::string_view args)>;
    using done_call = base::unique_function<void(result<std::string>)>;

    /// `first`: the number of the first question; another for each life of the master, so that
    /// late answers to the one before are not taken for its own.
    asks(base::clock& clock, say_call say, std::uint64_t first)
        : clock_(clock), say_(std::move(say)), next_(first) {}

    /// `done` once, never inline: the answer's body as compact JSON, or application (the server
    /// says why), no_server (no line), disconnected (the line ended), timeout.
    void ask(std::string_view id, std::string_view what, std::string_view args_json,
             base::duration patience, done_call done);

    /// From the line: what came under `answer`; unknown numbers are ignored.
    void on_answer(std::string_view id, std::string_view body);
    void on_gone(std::string_view id);

private:
    struct question {
        std::string id;
        std::string what;
        done_call done;
        base::timer limit;
    };
    using place = std::map<std::uint64_t, question>::iterator;
    void end(place at, result<std::string> answer);

    base::clock& clock_;
    say_call say_;
    std::uint64_t next_;
    std::map<std::uint64_t, question> open_;
};

} // namespace shaddock::master
