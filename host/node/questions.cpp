#include "node/questions.hpp"

#include "base/log.hpp"
#include "control/codec.hpp"
#include "control/words.hpp"

#include <fmt/format.h>

namespace shaddock::node {
namespace {

std::string answer_to(std::uint64_t number, const result<std::string>& body) {
    control::answer said;
    said.n = number;
    if (body) {
        said.body = raw_json{*body};
    } else {
        said.error = body.error().text();
    }
    return control::to_json(said);
}

} // namespace

void questions::serve(std::string_view ask_json) {
    const auto asked = control::from_json<control::question>(ask_json, "ask");
    if (!asked || !asked->n) {
        base::log::warn("host", "the master asks something that is no question: {}: {}",
                        asked ? "it has no number" : asked.error().text(), ask_json.substr(0, 200));
        return;
    }
    auto reply = [say = std::weak_ptr(say_), n = *asked->n](const result<std::string>& answer) {
        if (const auto alive = say.lock()) {
            (*alive)(answer_to(n, answer));
        }
    };
    const auto at = answers_.find(asked->what);
    if (at == answers_.end()) {
        std::string known;
        for (const auto& [each, unused] : answers_) {
            known += (known.empty() ? "" : ", ") + each;
        }
        return reply(error(errc::not_found, fmt::format("nobody answers '{}' here; there are: {}",
                                                        asked->what, known)));
    }
    at->second(asked->args.text, std::move(reply));
}

} // namespace shaddock::node
