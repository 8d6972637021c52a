#include "node/log_question.hpp"

#include "base/log.hpp"
#include "control/codec.hpp"
#include "control/log.hpp"

namespace shaddock::node {

void answer_log(questions& to) {
    to.on("log", [](std::string_view args, questions::reply_call reply) {
        const auto wanted = control::from_json<control::log_change>(args, "log");
        if (!wanted) {
            return reply(wanted.error());
        }
        if (auto known = control::check(*wanted); !known) {
            return reply(known.error());
        }
        const auto now = control::to_json(control::apply(*wanted));
        if (wanted->level) {
            base::log::info("host", "log levels are now {}", now);
        }
        reply(now);
    });
}

} // namespace shaddock::node
