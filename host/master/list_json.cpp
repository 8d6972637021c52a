#include "json.hpp"

#include "json_fields.hpp"
#include "master/admin.hpp"
#include "master/child_status.hpp"
#include "master/reload.hpp"

#include <fmt/format.h>

namespace shaddock::master {
namespace {

void write_line(json_writer& out, const list_line& line) {
    out.StartObject();
    put(out, "id", line.id);
    put(out, "type", line.type);
    out.Key("pid");
    if (line.pid) {
        out.Int(*line.pid);
    } else {
        out.Null();
    }
    put(out, "state", line.state);
    put(out, "uptime_s", line.uptime_s);
    put(out, "rss_kb", line.rss_kb);
    put(out, "connections", line.connections);
    put(out, "module", line.module);
    put(out, "version", line.version);
    put(out, "build_id", line.build_id);
    put(out, "generation", line.generation);
    put(out, "ending", line.ending);
    put(out, "kept", line.kept);
    put(out, "incarnation", line.life);
    out.EndObject();
}

list_line read_line(const rapidjson::Value& from) {
    list_line line;
    line.id = text_of(from, "id");
    line.type = text_of(from, "type");
    if (const auto pid = number_of(from, "pid"); pid != 0) {
        line.pid = static_cast<pid_t>(pid);
    }
    line.state = text_of(from, "state");
    line.uptime_s = number_of(from, "uptime_s");
    line.rss_kb = number_of(from, "rss_kb");
    line.connections = number_of(from, "connections");
    line.module = text_of(from, "module");
    line.version = text_of(from, "version");
    line.build_id = text_of(from, "build_id");
    line.generation = number_of(from, "generation");
    line.ending = number_of(from, "ending");
    line.kept = number_of(from, "kept");
    line.life = number_of(from, "incarnation");
    return line;
}

} // namespace

std::string to_json(const std::vector<list_line>& lines) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartArray();
    for (const auto& line : lines) {
        write_line(out, line);
    }
    out.EndArray();
    return text_of(buffer);
}

result<std::vector<list_line>> list_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (document.HasParseError() || !document.IsArray()) {
        return error(errc::bad_request, "the list of servers: found no JSON array");
    }
    std::vector<list_line> lines;
    for (const auto& one : document.GetArray()) {
        if (!one.IsObject()) {
            return error(errc::bad_request,
                         "the list of servers: found an element that is no object");
        }
        lines.push_back(read_line(one));
    }
    return lines;
}

std::string to_table(const std::vector<list_line>& lines) {
    const auto row = [](const auto&... cells) {
        return fmt::format(
            "{:<20} {:<10} {:>8} {:<9} {:>9} {:>9} {:>6} {:<16} {:<10} {:<12} {:>4} {}\n",
            cells...);
    };
    auto table = row("id", "type", "pid", "state", "uptime_s", "rss_kb", "conns", "module",
                     "version", "build", "gen", "incarnation");
    for (const auto& line : lines) {
        table += row(line.id, line.type, line.pid ? std::to_string(*line.pid) : "-", line.state,
                     line.uptime_s, line.rss_kb, line.connections, line.module, line.version,
                     short_build_id(line.build_id), line.generation, line.life);
    }
    for (const auto& line : lines) {
        if (line.kept > 0) {
            table +=
                fmt::format("warning: {} keeps {} old generation{} whose work did not end when "
                            "it was cancelled; a restart frees what they hold\n",
                            line.id, line.kept, line.kept == 1 ? "" : "s");
        }
    }
    return table;
}

std::string to_json(const child_status& status) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put(out, "state",
        std::string(status.is_draining ? "draining"
                    : status.is_ready  ? "ready"
                                       : "starting"));
    put(out, "connections", status.connections);
    put(out, "module", status.module);
    put(out, "version", status.version);
    put(out, "build_id", status.build_id);
    put(out, "generation", status.generation);
    put(out, "ending", status.ending);
    put(out, "kept", status.kept);
    put(out, "links", status.links);
    put(out, "expected", status.links_expected);
    out.EndObject();
    return text_of(buffer);
}

result<child_status> child_status_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (document.HasParseError() || !document.IsObject()) {
        return error(errc::bad_request, "a child's status: found no JSON object");
    }
    child_status status;
    const auto state = text_of(document, "state");
    status.is_ready = state == "ready";
    status.is_draining = state == "draining";
    status.connections = number_of(document, "connections");
    status.module = text_of(document, "module");
    status.version = text_of(document, "version");
    status.build_id = text_of(document, "build_id");
    status.ending = number_of(document, "ending");
    status.kept = number_of(document, "kept");
    status.generation = std::max<std::uint64_t>(number_of(document, "generation"), 1);
    status.links = number_of(document, "links");
    status.links_expected = number_of(document, "expected");
    return {boost::system::in_place_value, std::move(status)};
}

std::string registration_json(std::string_view id, incarnation life) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put(out, "id", std::string(id));
    put(out, "life", number(life));
    out.EndObject();
    return text_of(buffer);
}

result<incarnation> life_from_registration(std::string_view text) {
    const auto document = parsed(text);
    if (document.HasParseError() || !document.IsObject()) {
        return error(errc::bad_request, "a child's registration: found no JSON object");
    }
    return incarnation{number_of(document, "life")};
}

std::string error_json(std::string_view text) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put(out, "error", std::string(text));
    out.EndObject();
    return text_of(buffer);
}

std::string error_from_json(std::string_view text) {
    const auto document = parsed(text);
    const bool is_object = !document.HasParseError() && document.IsObject();
    return is_object ? text_of(document, "error") : std::string();
}

std::string ids_json(const std::vector<std::string>& ids) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    if (ids.empty()) {
        out.Key("all");
        out.Bool(true);
    } else {
        put(out, "ids", ids);
    }
    out.EndObject();
    return text_of(buffer);
}

result<std::vector<std::string>> ids_from_json(std::string_view text) {
    const auto document = parsed(text);
    const error wrong(errc::bad_request, R"(expected {"ids":["<id>",..]} or {"all":true})");
    if (document.HasParseError() || !document.IsObject()) {
        return wrong;
    }
    if (is_set(document, "all")) {
        return document.HasMember("ids") ? result<std::vector<std::string>>(wrong)
                                         : std::vector<std::string>();
    }
    auto ids = texts_in(document, "ids");
    if (!ids || ids->empty()) {
        return wrong;
    }
    return {boost::system::in_place_value, std::move(*ids)};
}

std::string admin_place_json(const admin_place& place) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    put(out, "host", place.host);
    put(out, "port", std::uint64_t{place.port});
    put(out, "pid", static_cast<std::uint64_t>(place.pid));
    out.EndObject();
    return text_of(buffer);
}

result<admin_place> admin_place_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (document.HasParseError() || !document.IsObject()) {
        return error(errc::bad_request, "admin.json: found no JSON object");
    }
    admin_place place;
    place.host = text_of(document, "host");
    place.port = static_cast<std::uint16_t>(number_of(document, "port"));
    place.pid = static_cast<pid_t>(number_of(document, "pid"));
    return place;
}

} // namespace shaddock::master
