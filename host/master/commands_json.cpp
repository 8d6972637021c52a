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

} // namespace

std::filesystem::path running_list(const std::filesystem::path& run) {
    return run / "servers.json";
}

std::string expected_json(const std::vector<config::server_record>& servers) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    out.Key("list");
    out.StartArray();
    for (const auto& server : servers) {
        out.String(server.json.data(), static_cast<rapidjson::SizeType>(server.json.size()));
    }
    out.EndArray();
    out.EndObject();
    return text_of(buffer);
}

result<std::vector<std::string>> records_from_expected_json(std::string_view text) {
    const auto document = parsed(text);
    const auto* list = list_in(document, "list");
    if (list == nullptr) {
        return error(errc::bad_request, "expected an object with list");
    }
    std::vector<std::string> records;
    for (const auto& each : list->GetArray()) {
        if (!each.IsString()) {
            return error(errc::bad_request, "list: expected texts");
        }
        records.emplace_back(each.GetString(), each.GetStringLength());
    }
    return {boost::system::in_place_value, std::move(records)};
}

std::string to_json(const log_change& wanted) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    if (wanted.level) {
        put(out, "level", to_string(*wanted.level));
    }
    if (!wanted.area.empty()) {
        put(out, "area", wanted.area);
    }
    out.EndObject();
    return text_of(buffer);
}

std::string log_request_json(const std::vector<std::string>& targets, const log_change& wanted) {
    auto text = targets_json(targets);
    if (const auto change = to_json(wanted); change != "{}") {
        text.back() = ',';
        text += change.substr(1);
    }
    return text;
}

result<log_change> log_change_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (document.HasParseError() || !document.IsObject()) {
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
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put(out, "level", to_string(now.threshold));
    out.Key("areas");
    out.StartObject();
    for (const auto& [area, at] : now.areas) {
        put(out, area.c_str(), to_string(at));
    }
    out.EndObject();
    out.EndObject();
    return text_of(buffer);
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
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put(out, "targets", targets);
    out.EndObject();
    return text_of(buffer);
}

std::string addition_json(const addition_keys& keys) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    for (const auto& [key, value] : keys) {
        put(out, key.c_str(), value);
    }
    out.EndObject();
    return text_of(buffer);
}

result<std::vector<log_answer>> log_answers_from_json(std::string_view text) {
    const auto document = parsed(text);
    const auto* list = list_in(document, "results");
    if (list == nullptr) {
        return error(errc::bad_request, "expected an object with results, a list");
    }
    std::vector<log_answer> answers;
    for (const auto& each : list->GetArray()) {
        if (!each.IsObject()) {
            return error(errc::bad_request, "results: expected objects");
        }
        const auto levels = each.FindMember("levels");
        if (levels != each.MemberEnd() && levels->value.IsObject()) {
            answers.push_back({text_of(each, "id"), levels_of(levels->value)});
        } else {
            answers.push_back(
                {text_of(each, "id"), error(errc::application, text_of(each, "reason"))});
        }
    }
    return {boost::system::in_place_value, std::move(answers)};
}

} // namespace shaddock::master
