#include "master/start_line.hpp"

#include "json_fields.hpp"
#include "table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace shaddock::master {
namespace {

void write_start(json_writer& out, const start_line& line) {
    out.StartObject();
    put(out, "id", line.id);
    put(out, "type", line.type);
    out.Key("ok");
    out.Bool(line.outcome == start_outcome::ready);
    if (line.pid) {
        out.Key("pid");
        out.Int(*line.pid);
    }
    if (line.outcome == start_outcome::skipped) {
        out.Key("skipped");
        out.Bool(true);
    }
    if (line.outcome != start_outcome::ready) {
        put(out, "reason", line.reason);
    }
    out.Key("ms");
    out.Double(std::round(line.ms * 10) / 10);
    out.EndObject();
}

start_line read_start(const rapidjson::Value& from) {
    start_line line;
    line.id = text_of(from, "id");
    line.type = text_of(from, "type");
    line.outcome = is_set(from, "ok")        ? start_outcome::ready
                   : is_set(from, "skipped") ? start_outcome::skipped
                                             : start_outcome::failed;
    if (const auto pid = number_of(from, "pid"); pid != 0) {
        line.pid = static_cast<pid_t>(pid);
    }
    line.reason = text_of(from, "reason");
    const auto ms = from.FindMember("ms");
    line.ms = ms != from.MemberEnd() && ms->value.IsNumber() ? ms->value.GetDouble() : 0;
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
    const auto document = parsed(text);
    const auto* results = list_in(document, "results");
    if (results == nullptr) {
        return error(errc::bad_request, "expected an object with results, a list");
    }
    std::vector<start_line> lines;
    for (const auto& each : results->GetArray()) {
        if (!each.IsObject()) {
            return error(errc::bad_request, "results: expected objects");
        }
        lines.push_back(read_start(each));
    }
    return {boost::system::in_place_value, std::move(lines)};
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
