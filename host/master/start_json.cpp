#include "master/start_line.hpp"

#include "json_fields.hpp"
#include "table_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::master {
namespace {

void write_start(json_writer& out, const start_line& line) {
    put(out, "id", line.id);
    put(out, "type", line.type);
    put(out, "ok", line.outcome == start_outcome::ready);
    if (line.pid) {
        put(out, "pid", *line.pid);
    }
    if (line.outcome == start_outcome::skipped) {
        put(out, "skipped", true);
    }
    if (line.outcome != start_outcome::ready) {
        put(out, "reason", line.reason);
    }
    put_ms(out, line.ms);
}

start_line read_start(const rapidjson::Value& from) {
    start_line line;
    line.id = text_of(from, "id");
    line.type = text_of(from, "type");
    line.outcome = is_set(from, "ok")        ? start_outcome::ready
                   : is_set(from, "skipped") ? start_outcome::skipped
                                             : start_outcome::failed;
    line.pid = pid_of(from);
    line.reason = text_of(from, "reason");
    line.ms = ms_of(from);
    return line;
}

std::string_view word_for(start_outcome outcome) {
    switch (outcome) {
    case start_outcome::ready:
        return "ready";
    case start_outcome::failed:
        return "failed";
    case start_outcome::skipped:
        return "not touched";
    }
    return "unknown";
}

} // namespace

std::string to_json(const std::vector<start_line>& lines) {
    return results_json(lines, write_start);
}

result<std::vector<start_line>> starts_from_json(std::string_view text) {
    return results_from_json(text, read_start);
}

std::string to_table(const std::vector<start_line>& lines) {
    std::string text =
        fmt::format("{:<20} {:<12} {:<12} {:>8} {:>8}\n", "id", "type", "state", "pid", "ms");
    for (const auto& line : lines) {
        text += fmt::format(
            "{:<20} {:<12} {:<12} {:>8} {:>8}\n", line.id, line.type, word_for(line.outcome),
            line.pid ? std::to_string(*line.pid) : "-",
            line.outcome == start_outcome::skipped ? "-" : fmt::format("{:.0f}", line.ms));
        text += indented(line.reason);
    }
    return text;
}

bool has_succeeded(const std::vector<start_line>& lines) {
    return !lines.empty() && std::ranges::all_of(lines, [](const start_line& line) {
        return line.outcome == start_outcome::ready;
    });
}

} // namespace shaddock::master
