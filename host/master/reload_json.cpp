#include "master/reload.hpp"

#include "json.hpp"
#include "json_fields.hpp"
#include "table_text.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace shaddock::master {
namespace {

constexpr std::size_t short_digits = 12;

void put_build(json_writer& out, std::string_view key, const running_build& build) {
    put_json(out, key, object_json([&](json_writer& in) {
                 put(in, "version", build.version);
                 put(in, "build_id", build.build_id);
                 put(in, "generation", build.generation);
             }));
}

std::optional<running_build> build_of(const rapidjson::Value& from, const char* key) {
    const auto at = from.FindMember(key);
    if (at == from.MemberEnd() || !at->value.IsObject()) {
        return std::nullopt;
    }
    return running_build{text_of(at->value, "version"), text_of(at->value, "build_id"),
                         number_of(at->value, "generation")};
}

reload_line line_of(const rapidjson::Value& from) {
    reload_line line;
    line.id = text_of(from, "id");
    line.type = text_of(from, "type");
    line.outcome = is_set(from, "ok")        ? is_set(from, "dry_run") ? reload_outcome::would_swap
                                                                       : reload_outcome::swapped
                   : is_set(from, "skipped") ? reload_outcome::skipped
                                             : reload_outcome::refused;
    line.from = build_of(from, "from").value_or(running_build{});
    line.to = build_of(from, "to").value_or(line.from);
    line.reason = text_of(from, "reason");
    line.ms = ms_of(from);
    line.cut_off = text_of(from, "cut_off");
    return line;
}

std::string cell(const running_build& build) {
    if (build.generation == 0) {
        return "-";
    }
    return fmt::format("{} {} generation {}", build.version, short_build_id(build.build_id),
                       build.generation);
}

void write_reload(json_writer& out, const reload_line& line) {
    put(out, "id", line.id);
    put(out, "type", line.type);
    put(out, "ok", line.is_ok());
    if (line.outcome == reload_outcome::would_swap) {
        put(out, "dry_run", true);
    }
    if (line.outcome == reload_outcome::skipped) {
        put(out, "skipped", true);
    }
    put_build(out, "from", line.from);
    if (line.is_ok()) {
        put_build(out, "to", line.to);
    } else {
        put(out, "reason", line.reason);
    }
    if (!line.cut_off.empty()) {
        put(out, "cut_off", line.cut_off);
    }
    put_ms(out, line.ms);
}

} // namespace

std::string short_build_id(std::string_view build_id) {
    return build_id.empty() ? "-" : std::string(build_id.substr(0, short_digits));
}

std::string to_string(const running_build& build) {
    return fmt::format("{} ({}, generation {})", build.version, short_build_id(build.build_id),
                       build.generation);
}

bool has_succeeded(const std::vector<reload_line>& lines) {
    const auto count = [&](reload_outcome what) {
        return std::ranges::count(lines, what, &reload_line::outcome);
    };
    return count(reload_outcome::refused) == 0 && std::ranges::any_of(lines, &reload_line::is_ok);
}

std::string to_json(const std::vector<reload_line>& lines) {
    return results_json(lines, write_reload);
}

result<std::vector<reload_line>> reload_from_json(std::string_view text) {
    return results_from_json(text, line_of);
}

std::string to_table(const std::vector<reload_line>& lines) {
    auto table = fmt::format("{:<20} {:<36}    {:<36} {:>8}\n", "id", "from", "to", "ms");
    for (const auto& line : lines) {
        const bool is_skipped = line.outcome == reload_outcome::skipped;
        const auto* const would = line.outcome == reload_outcome::would_swap ? "would be " : "";
        const auto to = line.is_ok() ? would + cell(line.to)
                        : is_skipped ? "not touched"
                                     : "refused";
        table += fmt::format("{:<20} {:<36} -> {:<36} {:>8}\n", line.id, cell(line.from), to,
                             is_skipped ? "-" : fmt::format("{:.1f}", line.ms));
        table += indented(line.reason) + indented(line.cut_off);
    }
    return table;
}

std::string to_warning(const std::vector<reload_line>& looked) {
    std::map<std::string, std::vector<std::string>> ids_by_text;
    for (const auto& line : looked) {
        if (!line.cut_off.empty()) {
            ids_by_text[line.cut_off].push_back(line.id);
        }
    }
    std::string warning;
    for (const auto& [text, ids] : ids_by_text) {
        warning += fmt::format("before the swap of {}:\n{}", fmt::join(ids, ", "), indented(text));
    }
    return warning;
}

result<reload_answer> reload_answer_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (!document.IsObject()) {
        return error(errc::bad_request, "a server's reload: found no JSON object");
    }
    reload_answer answer;
    answer.job = number_of(document, "job");
    answer.ok = is_set(document, "ok");
    answer.is_dry_run = is_set(document, "dry_run");
    answer.from = build_of(document, "from").value_or(running_build{});
    answer.to = build_of(document, "to");
    answer.reason = text_of(document, "reason");
    answer.ms = ms_of(document);
    answer.cut_off = text_of(document, "cut_off");
    if (answer.ok ? !answer.to : answer.reason.empty()) {
        return error(errc::bad_request, "a server's reload: found neither `to` nor `reason`");
    }
    return {boost::system::in_place_value, std::move(answer)};
}

std::string reload_request_json(const reload_request& wanted) {
    return object_json([&](json_writer& out) {
        put(out, "targets", wanted.targets);
        put(out, "rollback", wanted.is_rollback);
        put(out, "dry_run", wanted.is_dry_run);
    });
}

result<reload_request> reload_request_from_json(std::string_view text) {
    const auto document = parsed(text);
    const error wrong(
        errc::bad_request,
        R"(expected {"targets":["<type or id>",..],"rollback":false,"dry_run":false})");
    auto targets = texts_in(document, "targets");
    if (!targets || targets->empty()) {
        return wrong;
    }
    for (const auto* key : {"rollback", "dry_run"}) {
        const auto flag = document.FindMember(key);
        if (flag != document.MemberEnd() && !flag->value.IsBool()) {
            return wrong;
        }
    }
    reload_request wanted;
    wanted.targets = std::move(*targets);
    wanted.is_rollback = is_set(document, "rollback");
    wanted.is_dry_run = is_set(document, "dry_run");
    return {boost::system::in_place_value, std::move(wanted)};
}

} // namespace shaddock::master
