#include "master/commands.hpp"

#include "config/load.hpp"
#include "json_fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace shaddock::master {
namespace {

base::log::levels levels_of(const rapidjson::Value& from) {
    base::log::levels levels;
    levels.threshold = base::log::level_of(text_of(from, "level")).value_or(levels.threshold);
    const auto areas = from.FindMember("areas");
    if (areas != from.MemberEnd() && areas->value.IsObject()) {
        for (const auto& member : areas->value.GetObject()) {
            if (const auto at =
                    base::log::level_of(text_of(areas->value, member.name.GetString()))) {
                levels.areas.emplace(member.name.GetString(), *at);
            }
        }
    }
    return levels;
}

void put_change(json_writer& out, const log_change& wanted) {
    if (wanted.level) {
        put(out, "level", to_string(*wanted.level));
    }
    if (!wanted.area.empty()) {
        put(out, "area", wanted.area);
    }
}

log_answer read_answer(const rapidjson::Value& from) {
    const auto levels = from.FindMember("levels");
    if (levels != from.MemberEnd() && levels->value.IsObject()) {
        return {text_of(from, "id"), levels_of(levels->value)};
    }
    return {text_of(from, "id"), error(errc::application, text_of(from, "reason"))};
}

} // namespace

std::filesystem::path running_list(const std::filesystem::path& run) {
    return run / "servers.json";
}

std::string expected_json(const std::vector<config::server_record>& servers) {
    std::vector<std::string> records;
    records.reserve(servers.size());
    for (const auto& server : servers) {
        records.push_back(server.json);
    }
    return object_json([&](json_writer& out) { put(out, "list", records); });
}

result<std::vector<std::string>> records_from_expected_json(std::string_view text) {
    auto records = texts_in(parsed(text), "list");
    if (!records) {
        return error(errc::bad_request, R"(expected {"list":["<record as JSON text>",..]})");
    }
    return {boost::system::in_place_value, std::move(*records)};
}

std::string to_json(const log_change& wanted) {
    return object_json([&](json_writer& out) { put_change(out, wanted); });
}

std::string log_request_json(const std::vector<std::string>& targets, const log_change& wanted) {
    return object_json([&](json_writer& out) {
        put(out, "targets", targets);
        put_change(out, wanted);
    });
}

result<log_change> log_change_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (!document.IsObject()) {
        return error(errc::bad_request, "expected an object");
    }
    log_change wanted;
    if (const auto word = text_of(document, "level"); document.HasMember("level")) {
        wanted.level = base::log::level_of(word);
        if (!wanted.level) {
            return error(errc::bad_request,
                         fmt::format("level: found '{}', expected one of debug, info, warn, error, "
                                     "off",
                                     word));
        }
    }
    wanted.area = text_of(document, "area");
    const auto& known = base::log::areas();
    if (!wanted.area.empty() && std::ranges::find(known, wanted.area) == known.end()) {
        return error(errc::bad_request,
                     fmt::format("area: found '{}', expected one of {}; nearest: {}", wanted.area,
                                 fmt::join(known, ", "),
                                 fmt::join(config::nearest(wanted.area, known, 1), ", ")));
    }
    return {boost::system::in_place_value, std::move(wanted)};
}

std::string to_json(const base::log::levels& now) {
    return object_json([&](json_writer& out) {
        put(out, "level", to_string(now.threshold));
        put_json(out, "areas", object_json([&](json_writer& in) {
                     for (const auto& [area, at] : now.areas) {
                         put(in, area, to_string(at));
                     }
                 }));
    });
}

base::log::levels apply(const log_change& wanted) {
    auto now = base::log::current_levels();
    if (!wanted.level) {
        return now;
    }
    if (wanted.area.empty()) {
        now = {*wanted.level, {}};
    } else {
        now.areas[wanted.area] = *wanted.level;
    }
    base::log::set_levels(now);
    return base::log::current_levels();
}

std::string targets_json(const std::vector<std::string>& targets) {
    return object_json([&](json_writer& out) { put(out, "targets", targets); });
}

std::string addition_json(const addition_keys& keys) {
    return object_json([&](json_writer& out) {
        for (const auto& [key, value] : keys) {
            put(out, key, value);
        }
    });
}

result<std::vector<log_answer>> log_answers_from_json(std::string_view text) {
    return results_from_json(text, read_answer);
}

} // namespace shaddock::master
