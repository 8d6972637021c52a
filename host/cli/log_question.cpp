#include "log_question.hpp"

#include "base/log.hpp"
#include "master/commands.hpp"

namespace shaddock::cli {

void answer_log(questions& to) {
    to.on("log", [](std::string_view args, questions::reply_call reply) {
        const auto wanted = master::log_change_from_json(args);
        if (!wanted) {
            return reply(wanted.error());
        }
        const auto now = master::to_json(master::apply(*wanted));
        if (wanted->level) {
            base::log::info("host", "log levels are now {}", now);
        }
        reply(now);
    });
}

} // namespace shaddock::cli
