#include "commands.hpp"

#include "control/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace shaddock::master {
namespace {

using text_call = commands::done_call<std::string>;

template <class Answer>
commands::done_call<Answer> as_text(text_call done) {
    return [done = std::move(done)](result<Answer> made) mutable {
        if constexpr (std::is_void_v<Answer>) {
            done(made ? result<std::string>("{}") : made.error());
        } else {
            done(made ? result<std::string>(control::to_json(*made)) : made.error());
        }
    };
}

void list(commands& with, const std::string& args, text_call done) {
    const auto wanted = control::from_json<control::list_request>(args);
    if (!wanted) {
        return done(wanted.error());
    }
    with.list(wanted->all, as_text<control::server_rows>(std::move(done)));
}

template <void (commands::*End)(const commands::words_list&, commands::done_call<void>)>
void end(commands& with, const std::string& args, text_call done) {
    const auto ids = control::ids_from(args);
    if (!ids || ids->empty()) {
        return done(ids ? error(errc::bad_request, R"(expected {"ids":["<type or id>",..]})")
                        : ids.error());
    }
    (with.*End)(*ids, as_text<void>(std::move(done)));
}

void drain(commands& with, const std::string& args, text_call done) {
    const auto wanted = control::drain_from(args);
    if (!wanted) {
        return done(wanted.error());
    }
    with.drain(wanted->ids, std::chrono::milliseconds(wanted->within_ms),
               as_text<void>(std::move(done)));
}

void restart(commands& with, const std::string& args, text_call done) {
    const auto targets = control::targets_from(args);
    if (!targets) {
        return done(targets.error());
    }
    with.restart(*targets, as_text<control::start_results>(std::move(done)));
}

void add(commands& with, const std::string& args, text_call done) {
    const auto keys = control::keys_from(args);
    if (!keys) {
        return done(keys.error());
    }
    with.add(*keys, as_text<control::start_results>(std::move(done)));
}

void reload(commands& with, const std::string& args, text_call done) {
    const auto wanted = control::from_json<control::reload_request>(args);
    if (!wanted || wanted->targets.empty()) {
        return done(error(
            errc::bad_request,
            fmt::format(
                R"(expected {{"targets":["<type or id>",..],"rollback":false,"dry_run":false}}{}{})",
                wanted ? "" : ": ", wanted ? "" : wanted.error().text())));
    }
    with.reload(*wanted, as_text<control::reload_results>(std::move(done)));
}

void log(commands& with, const std::string& args, text_call done) {
    if (const auto targets = control::targets_from(args); !targets) {
        return done(targets.error());
    }
    const auto wanted = control::from_json<control::log_request>(args);
    if (!wanted) {
        return done(wanted.error());
    }
    if (const auto known = control::check(*wanted); !known) {
        return done(known.error());
    }
    with.log(*wanted, as_text<control::log_results>(std::move(done)));
}

void logs(commands& with, const std::string& args, text_call done) {
    const auto wanted = control::from_json<control::logs_request>(args);
    if (!wanted || wanted->lines > control::most_log_lines) {
        return done(wanted ? error(errc::bad_request,
                                   fmt::format("lines: found {}, expected a number from 0 to {}",
                                               wanted->lines, control::most_log_lines))
                           : wanted.error());
    }
    with.logs(*wanted, as_text<control::log_tails>(std::move(done)));
}

void metrics(commands& with, const std::string&, text_call done) {
    with.metrics([done = std::move(done)](const result<std::vector<server_metrics>>& all) mutable {
        done(all ? result<std::string>(servers_json(*all)) : all.error());
    });
}

struct known_command {
    std::string_view what;
    void (*call)(commands&, const std::string&, text_call);
};
constexpr auto known = std::to_array<known_command>({
    {"list", list},
    {"stop", end<&commands::stop>},
    {"kill", end<&commands::kill>},
    {"remove", end<&commands::remove>},
    {"drain", drain},
    {"restart", restart},
    {"add", add},
    {"reload", reload},
    {"log", log},
    {"logs", logs},
    {"metrics", metrics},
});

} // namespace

void carry_out(commands& with, std::string_view what, const std::string& args, text_call done) {
    const auto* const at = std::ranges::find(known, what, &known_command::what);
    if (at == known.end()) {
        return done(error(
            errc::unknown_route,
            fmt::format("this master knows no command '{}': it is of another version", what)));
    }
    at->call(with, args, std::move(done));
}

} // namespace shaddock::master
