#include "asks.hpp"

#include "control/codec.hpp"
#include "control/words.hpp"

#include <fmt/format.h>

namespace shaddock::master {

void asks::ask(std::string_view id, std::string_view what, std::string_view args_json,
               base::duration patience, done_call done) {
    const auto number = next_++;
    const auto at =
        open_.emplace(number, question{std::string(id), std::string(what), std::move(done), {}})
            .first;
    const control::question said{number, std::string(what), raw_json{std::string(args_json)}};
    if (!say_(id, control::word::ask, control::to_json(said))) {
        at->second.limit = clock_.after({}, [this, at] {
            end(at, error(errc::no_server,
                          fmt::format("{} has no line to this master", at->second.id)));
        });
        return;
    }
    at->second.limit = clock_.after(patience, [this, at, patience] {
        end(at,
            error(errc::timeout,
                  fmt::format(
                      "{} has not answered '{}' within {} ms", at->second.id, at->second.what,
                      std::chrono::duration_cast<std::chrono::milliseconds>(patience).count())));
    });
}

void asks::end(place at, result<std::string> answer) {
    auto done = std::move(at->second.done);
    open_.erase(at);
    done(std::move(answer));
}

void asks::on_answer(std::string_view id, std::string_view body) {
    auto said = control::from_json<control::answer>(body, control::word::answer);
    const auto at = said ? open_.find(said->n) : open_.end();
    if (at == open_.end() || at->second.id != id) {
        return; // too late, or to the master before this one
    }
    if (said->body) {
        return end(at, std::move(said->body->text));
    }
    end(at, error(errc::application, fmt::format("{}: {}", id, said->error.value_or(""))));
}

void asks::on_gone(std::string_view id) {
    for (auto at = open_.begin(); at != open_.end();) {
        auto each = at++;
        if (each->second.id == id) {
            end(each, error(errc::disconnected,
                            fmt::format("{} went while it was asked '{}'", id, each->second.what)));
            at = open_.begin(); // `done` may have asked anew
        }
    }
}

} // namespace shaddock::master
