#include "command_routes.hpp"

#include "json.hpp"
#include "json_fields.hpp"
#include "master/log_tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace shaddock::master {
namespace {

constexpr std::size_t most_lines = 10'000;
constexpr std::size_t most_bytes = std::size_t{1024} * 1024;

/// The texts under `targets`; at least one.
result<std::vector<std::string>> targets_of(std::string_view body) {
    auto targets = texts_in(parsed(body), "targets");
    if (!targets || targets->empty()) {
        return error(errc::bad_request,
                     R"(expected {"targets":["<type or id>",..]} with at least one)");
    }
    return {boost::system::in_place_value, std::move(*targets)};
}

result<addition_keys> keys_of(std::string_view body) {
    const auto document = parsed(body);
    if (!document.IsObject()) {
        return error(
            errc::bad_request,
            R"(expected an object of texts: {"serverType":"chat","id":"chat-server-9",..})");
    }
    addition_keys keys;
    for (const auto& member : document.GetObject()) {
        keys.emplace_back(text_of(member.name),
                          member.value.IsString() ? text_of(member.value) : compact(member.value));
    }
    return {boost::system::in_place_value, std::move(keys)};
}

using kept_reply = std::shared_ptr<admin_reply>;

kept_reply keep(admin_reply reply) {
    return std::make_shared<admin_reply>(std::move(reply));
}

command_target::starts_call answer_starts(const kept_reply& to) {
    return [to](const std::vector<start_line>& lines) { (*to)({200, to_json(lines)}); };
}

void serve_restart(command_target& target, const admin_request& request, admin_reply reply) {
    const auto targets = targets_of(request.body);
    if (!targets) {
        return reply(refusal(targets.error()));
    }
    const auto kept = keep(std::move(reply));
    if (const auto begun = target.restart(*targets, answer_starts(kept)); !begun) {
        (*kept)(refusal(begun.error()));
    }
}

void serve_add(command_target& target, const admin_request& request, admin_reply reply) {
    const auto keys = keys_of(request.body);
    if (!keys) {
        return reply(refusal(keys.error()));
    }
    const auto kept = keep(std::move(reply));
    if (const auto begun = target.add(*keys, answer_starts(kept)); !begun) {
        const auto why = begun.error();
        // What is wrong with the server is the caller's to mend.
        (*kept)(why.code() == errc::config ? admin_answer{400, error_json(why.text())}
                                           : refusal(why));
    }
}

void serve_kill(command_target& target, const admin_request& request, admin_reply reply) {
    const auto ids = ids_from_json(request.body);
    if (!ids) {
        return reply(refusal(ids.error()));
    }
    if (ids->empty()) {
        reply({202});
        return target.kill_everything();
    }
    const auto kept = keep(std::move(reply));
    if (const auto begun = target.kill(*ids, [kept] { (*kept)({}); }); !begun) {
        (*kept)(refusal(begun.error()));
    }
}

void write_log(json_writer& out, const log_line& line) {
    put(out, "id", line.id);
    put(out, "ok", line.levels.has_value());
    if (line.levels) {
        put_json(out, "levels", *line.levels);
    } else {
        put(out, "reason", line.levels.error().text());
    }
}

void serve_log(command_target& target, const admin_request& request, admin_reply reply) {
    const auto targets = targets_of(request.body);
    if (!targets) {
        return reply(refusal(targets.error()));
    }
    const auto wanted = log_change_from_json(request.body);
    if (!wanted) {
        return reply(refusal(wanted.error()));
    }
    const auto kept = keep(std::move(reply));
    const auto begun = target.log(*targets, *wanted, [kept](const std::vector<log_line>& lines) {
        (*kept)({200, results_json(lines, write_log)});
    });
    if (!begun) {
        (*kept)(refusal(begun.error()));
    }
}

std::string lines_json(std::string_view id, const std::filesystem::path& file,
                       std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return object_json([&](json_writer& out) {
        put(out, "id", id);
        put(out, "file", file.string());
        put(out, "lines", lines);
    });
}

void serve_logs(const command_target& target, const admin_request& request, admin_reply reply) {
    const auto id = request.parameter("id");
    const auto file = target.log_file(id);
    if (!file) {
        return reply(refusal(file.error()));
    }
    std::size_t lines = 100;
    if (const auto wanted = request.parameter("lines"); !wanted.empty()) {
        const auto* end = wanted.data() + wanted.size();
        if (std::from_chars(wanted.data(), end, lines).ptr != end || lines > most_lines) {
            return reply(refusal(error(
                errc::bad_request, fmt::format("lines: found '{}', expected a number from 0 to {}",
                                               wanted, most_lines))));
        }
    }
    reply({200, lines_json(id, *file, log_tail(*file, lines, most_bytes))});
}

} // namespace

void add_command_routes(admin_server& to, command_target& target) {
    using serve = void (*)(command_target&, const admin_request&, admin_reply);
    const auto post = [&](std::string_view path, serve call) {
        to.route("POST", path, [&target, call](const admin_request& request, admin_reply reply) {
            call(target, request, std::move(reply));
        });
    };
    post("/api/add", serve_add);
    post("/api/restart", serve_restart);
    post("/api/kill", serve_kill);
    post("/api/log", serve_log);
    to.route("GET", "/api/logs", [&target](const admin_request& request, admin_reply reply) {
        serve_logs(target, request, std::move(reply));
    });
}

} // namespace shaddock::master
