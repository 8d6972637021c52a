#include "asks.hpp"

#include "json_fields.hpp"

#include <fmt/format.h>

namespace shaddock::master {
namespace {

std::string question_json(std::uint64_t number, std::string_view what, std::string_view args) {
    return object_json([&](json_writer& out) {
        put(out, "n", number);
        put(out, "what", what);
        put_json(out, "args", args);
    });
}

} // namespace

void asks::ask(std::string_view id, std::string_view what, std::string_view args_json,
               base::duration patience, done_call done) {
    const auto number = next_++;
    const auto at =
        open_.emplace(number, question{std::string(id), std::string(what), std::move(done), {}})
            .first;
    if (!say_(id, "ask", question_json(number, what, args_json))) {
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

void asks::on_answer(std::string_view id, std::string_view json) {
    const auto said = parsed(json);
    if (!said.IsObject()) {
        return;
    }
    const auto at = open_.find(number_of(said, "n"));
    if (at == open_.end() || at->second.id != id) {
        return; // too late, or to the master before this one
    }
    const auto body = said.FindMember("body");
    if (body != said.MemberEnd()) {
        return end(at, compact(body->value));
    }
    end(at, error(errc::application, fmt::format("{}: {}", id, text_of(said, "error"))));
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
