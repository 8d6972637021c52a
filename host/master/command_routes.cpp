#include "command_routes.hpp"

#include "control/codec.hpp"
#include "control/requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace shaddock::master {
namespace {

commands::done_call<std::string> as_answer(admin_reply reply) {
    return [reply = std::move(reply)](result<std::string> made) mutable {
        reply(made ? admin_answer{200, std::move(*made)} : refusal(made.error()));
    };
}

/// {"all":true} is everything on this machine; anything else is the command's.
template <void (commands::*Everything)()>
void serve_end(commands& with, std::string_view what, const admin_request& request,
               admin_reply reply) {
    const auto ids = control::ids_from(request.body);
    if (ids && ids->empty()) {
        reply({202});
        return (with.*Everything)();
    }
    carry_out(with, what, request.body, as_answer(std::move(reply)));
}

void serve_add(commands& with, const admin_request& request, admin_reply reply) {
    carry_out(with, "add", request.body,
              [reply = std::move(reply)](result<std::string> made) mutable {
                  if (made) {
                      return reply({200, std::move(*made)});
                  }
                  auto why = refusal(made.error());
                  if (made.error().code() == errc::config) { // it is the caller's to mend
                      why.status = 400;
                  }
                  reply(std::move(why));
              });
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

void serve_logs(commands& with, const admin_request& request, admin_reply reply) {
    const auto id = request.parameter("id");
    control::logs_request wanted;
    wanted.targets = words_of(id.empty() ? request.parameter("targets") : id);
    const auto lines = request.parameter("lines");
    const auto* end = lines.data() + lines.size();
    if (!lines.empty() && std::from_chars(lines.data(), end, wanted.lines).ptr != end) {
        return reply(refusal(error(errc::bad_request,
                                   fmt::format("lines: found '{}', expected a number from 0 to {}",
                                               lines, control::most_log_lines))));
    }
    if (id.empty()) {
        return carry_out(with, "logs", control::to_json(wanted), as_answer(std::move(reply)));
    }
    carry_out(with, "logs", control::to_json(wanted),
              [id, reply = std::move(reply)](const result<std::string>& made) mutable {
                  const auto all = made ? control::from_json<control::log_tails>(*made)
                                        : result<control::log_tails>(made.error());
                  if (!all) {
                      return reply(refusal(all.error()));
                  }
                  if (all->results.size() != 1) {
                      return reply(refusal(
                          error(errc::bad_request, fmt::format("id: found '{}', which is not one "
                                                               "process; expected targets=..",
                                                               id))));
                  }
                  reply({200, control::to_json(all->results.front())});
              });
}

void serve_list(commands& with, const admin_request& request, admin_reply reply) {
    const control::list_request wanted{request.parameter("all") == "1"};
    carry_out(with, "list", control::to_json(wanted), as_answer(std::move(reply)));
}

void serve_stop(commands& with, const admin_request& request, admin_reply reply) {
    serve_end<&commands::stop_everything>(with, "stop", request, std::move(reply));
}

void serve_kill(commands& with, const admin_request& request, admin_reply reply) {
    serve_end<&commands::kill_everything>(with, "kill", request, std::move(reply));
}

void serve_metrics(commands& with, const admin_request& /*request*/, admin_reply reply) {
    carry_out(with, "metrics", "{}", as_answer(std::move(reply)));
}

void serve_metrics_text(commands& with, const admin_request& /*request*/, admin_reply reply) {
    with.metrics(
        [reply = std::move(reply)](const result<std::vector<server_metrics>>& all) mutable {
            reply(all ? admin_answer{200, prometheus_text(*all),
                                     "text/plain; version=0.0.4; charset=utf-8"}
                      : refusal(all.error()));
        });
}

} // namespace

void add_command_routes(admin_server& to, commands& with) {
    using serve = void (*)(commands&, const admin_request&, admin_reply);
    const auto route = [&](std::string_view method, std::string_view path, serve call,
                           admin_access access = admin_access::with_token) {
        auto handler = [&with, call](const admin_request& request, admin_reply reply) {
            call(with, request, std::move(reply));
        };
        to.route(method, path, std::move(handler), access);
    };
    const auto command = [&](std::string_view path, std::string_view what) {
        auto handler = [&with, what](const admin_request& request, admin_reply reply) {
            carry_out(with, what, request.body, as_answer(std::move(reply)));
        };
        to.route("POST", path, std::move(handler));
    };
    route("GET", "/api/servers", serve_list, admin_access::readers);
    route("POST", "/api/stop", serve_stop);
    route("POST", "/api/kill", serve_kill);
    route("POST", "/api/add", serve_add);
    command("/api/remove", "remove");
    command("/api/drain", "drain");
    command("/api/restart", "restart");
    command("/api/reload", "reload");
    command("/api/log", "log");
    route("GET", "/api/logs", serve_logs);
    route("GET", "/metrics", serve_metrics_text, admin_access::readers);
    route("GET", "/api/metrics", serve_metrics, admin_access::readers);
}

} // namespace shaddock::master
