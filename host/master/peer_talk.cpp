#include "peer_talk.hpp"

#include "control/codec.hpp"
#include "control/masters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace shaddock::master {
namespace {

constexpr std::size_t most_open = 64;
constexpr std::size_t most_kept = 8;
constexpr std::chrono::seconds kept_for{10};

std::string request_of(std::string_view what, const std::string& args) {
    return control::to_json(control::master_question{std::string(what), raw_json{args}});
}

/// An answer that comes in parts.
struct question : std::enable_shared_from_this<question> {
    question(peers& whom, std::string name, base::duration time, peers::done_call call)
        : to(whom), machine(std::move(name)), patience(time), done(std::move(call)) {}

    void ask(std::string request) {
        to.ask(
            machine, std::move(request), patience,
            [self = shared_from_this()](const result<std::string>& reply) { self->heard(reply); });
    }

    void heard(const result<std::string>& reply) {
        if (!reply) {
            return done(reply.error());
        }
        auto said = control::from_json<control::master_answer>(*reply, machine);
        if (!said) {
            return done(said.error());
        }
        if (said->error) {
            return done(error(static_cast<errc>(said->code.value_or(
                                  static_cast<std::uint16_t>(errc::application))),
                              *said->error));
        }
        if (said->part) {
            return add(*said->part);
        }
        done(said->body ? result<std::string>(std::move(said->body->text)) : unreadable());
    }

    void add(const control::answer_part& part) {
        text += part.text;
        if (text.size() > most_answer_bytes || part.text.empty()) {
            return done(unreadable());
        }
        if (++parts >= part.parts) {
            return done(std::move(text));
        }
        ask(request_of("more", control::to_json(control::part_request{part.number, parts})));
    }

    error unreadable() const {
        return {errc::bad_request,
                fmt::format("the master of {} gives an answer that this one does not understand",
                            machine)};
    }

    peers& to;
    std::string machine;
    base::duration patience;
    peers::done_call done;
    std::string text;
    std::uint64_t parts = 0;
};

/// Where the parts of a text end; never within a character.
std::vector<std::size_t> ends_of_parts(std::string_view text) {
    std::vector<std::size_t> ends;
    for (std::size_t end = 0; end < text.size(); ends.push_back(end)) {
        end = std::min(end + part_bytes, text.size());
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;
        }
    }
    return ends;
}

std::string refusal_of(const error& why) {
    return control::to_json(
        control::master_answer{{}, {}, why.text(), static_cast<std::uint16_t>(why.code())});
}

} // namespace

void ask_peer(peers& to, const std::string& machine, std::string_view what, const std::string& args,
              base::duration patience, peers::done_call done) {
    std::make_shared<question>(to, machine, patience, std::move(done))->ask(request_of(what, args));
}

struct peer_answers::state : std::enable_shared_from_this<state> {
    state(base::clock& on, answer_call call)
        : clock(on), answer(std::move(call)), last(on.wall_ms()) {}

    struct long_answer {
        std::string text;
        std::vector<std::size_t> ends;
        base::timer forgotten{};
    };

    std::string reply_to(result<std::string> made) {
        if (!made) {
            return refusal_of(made.error());
        }
        if (made->size() <= part_bytes) {
            return control::to_json(control::master_answer{raw_json{std::move(*made)}, {}, {}, {}});
        }
        if (made->size() > most_answer_bytes) {
            return refusal_of(
                error(errc::overloaded,
                      fmt::format("the answer has {} bytes, more than the {} that go between "
                                  "masters: ask for less",
                                  made->size(), most_answer_bytes)));
        }
        while (kept.size() >= most_kept) {
            kept.erase(kept.begin());
        }
        auto& one = kept[++last];
        one.text = std::move(*made);
        one.ends = ends_of_parts(one.text);
        return part(last, 0);
    }

    std::string part(std::uint64_t number, std::uint64_t wanted) {
        const auto at = kept.find(number);
        if (at == kept.end() || wanted >= at->second.ends.size()) {
            return refusal_of(error(errc::not_found,
                                    "the rest of that answer is not kept any more: "
                                    "ask again"));
        }
        auto& [text, ends, forgotten] = at->second;
        const auto begin = wanted == 0 ? 0 : ends[wanted - 1];
        auto said = control::to_json(control::master_answer{
            {},
            control::answer_part{number, ends.size(), text.substr(begin, ends[wanted] - begin)},
            {},
            {}});
        forgotten = clock.after(kept_for, [this, number] { kept.erase(number); });
        if (wanted + 1 == ends.size()) {
            kept.erase(at);
        }
        return said;
    }

    base::clock& clock;
    answer_call answer;
    std::map<std::uint64_t, long_answer> kept;
    /// Another one for each life of the master.
    std::uint64_t last;
    std::size_t open = 0;
};

peer_answers::peer_answers(base::clock& clock, peers& to, answer_call answer)
    : to_(to), state_(std::make_shared<state>(clock, std::move(answer))) {
    to_.serve([now = state_.get()](const std::string& request, peers::reply_call reply) {
        const auto asked = control::from_json<control::master_question>(request, "question");
        if (!asked) {
            return reply(refusal_of(asked.error()));
        }
        if (asked->what == "more") {
            const auto wanted = control::from_json<control::part_request>(asked->args.text);
            return reply(wanted ? now->part(wanted->number, wanted->part)
                                : refusal_of(wanted.error()));
        }
        if (now->open >= most_open) {
            return reply(refusal_of(error(errc::overloaded, "too many masters ask at a time")));
        }
        ++now->open;
        now->answer(asked->what, asked->args.text,
                    [weak = now->weak_from_this(),
                     reply = std::move(reply)](result<std::string> made) mutable {
                        if (const auto still = weak.lock()) {
                            --still->open;
                            reply(still->reply_to(std::move(made)));
                        }
                    });
    });
}

peer_answers::~peer_answers() {
    to_.serve({});
}

} // namespace shaddock::master
