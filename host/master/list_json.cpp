#include "json.hpp"

#include "json_fields.hpp"
#include "master/admin.hpp"
#include "master/child_status.hpp"
#include "master/reload.hpp"

#include <fmt/format.h>

namespace shaddock::master {
namespace {

using namespace std::string_view_literals;

/// The members that a line and a child's status share, written or read by `member`.
template <class From, class Member>
void each_of_modules(From& from, Member member) {
    member("connections", from.connections);
    member("module", from.module);
    member("version", from.version);
    member("build_id", from.build_id);
    member("generation", from.generation);
    member("ending", from.ending);
    member("kept", from.kept);
}

template <class Line, class Member>
void each_of_line(Line& line, Member member) {
    member("id", line.id);
    member("type", line.type);
    member("pid", line.pid);
    member("state", line.state);
    member("uptime_s", line.uptime_s);
    member("rss_kb", line.rss_kb);
    each_of_modules(line, member);
    member("incarnation", line.life);
}

auto writing(json_writer& out) {
    return [&out](const char* key, const auto& value) { put(out, key, value); };
}

auto reading(const rapidjson::Value& from) {
    return [&from](const char* key, auto& value) {
        using type = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<type, std::string>) {
            value = text_of(from, key);
        } else if constexpr (std::is_same_v<type, std::uint64_t>) {
            value = number_of(from, key);
        } else {
            value = pid_of(from);
        }
    };
}

void write_line(json_writer& out, const list_line& line) {
    each_of_line(line, writing(out));
}

list_line read_line(const rapidjson::Value& from) {
    list_line line;
    each_of_line(line, reading(from));
    return line;
}

} // namespace

std::string to_json(const std::vector<list_line>& lines) {
    return json_text([&](json_writer& out) { put_objects(out, lines, write_line); });
}

result<std::vector<list_line>> list_from_json(std::string_view text) {
    const auto document = parsed(text);
    return read_objects(&document, read_line, "the list of servers: expected [{..},..]");
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
    return object_json([&](json_writer& out) {
        put(out, "state",
            status.is_draining ? "draining"sv
            : status.is_ready  ? "ready"sv
                               : "starting"sv);
        each_of_modules(status, writing(out));
        put(out, "links", status.links);
        put(out, "expected", status.links_expected);
    });
}

result<child_status> child_status_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (!document.IsObject()) {
        return error(errc::bad_request, "a child's status: found no JSON object");
    }
    child_status status;
    const auto state = text_of(document, "state");
    status.is_ready = state == "ready";
    status.is_draining = state == "draining";
    each_of_modules(status, reading(document));
    status.generation = std::max<std::uint64_t>(status.generation, 1);
    status.links = number_of(document, "links");
    status.links_expected = number_of(document, "expected");
    return {boost::system::in_place_value, std::move(status)};
}

std::string registration_json(std::string_view id, incarnation life) {
    return object_json([&](json_writer& out) {
        put(out, "id", id);
        put(out, "life", number(life));
    });
}

result<incarnation> life_from_registration(std::string_view text) {
    const auto document = parsed(text);
    if (!document.IsObject()) {
        return error(errc::bad_request, "a child's registration: found no JSON object");
    }
    return incarnation{number_of(document, "life")};
}

std::string error_json(std::string_view text) {
    return object_json([&](json_writer& out) { put(out, "error", text); });
}

std::string error_from_json(std::string_view text) {
    const auto document = parsed(text);
    return document.IsObject() ? text_of(document, "error") : std::string();
}

std::string ids_json(const std::vector<std::string>& ids) {
    return object_json([&](json_writer& out) {
        if (ids.empty()) {
            put(out, "all", true);
        } else {
            put(out, "ids", ids);
        }
    });
}

result<std::vector<std::string>> ids_from_json(std::string_view text) {
    const auto document = parsed(text);
    const error wrong(errc::bad_request, R"(expected {"ids":["<id>",..]} or {"all":true})");
    if (!document.IsObject()) {
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
    return object_json([&](json_writer& out) {
        put(out, "host", place.host);
        put(out, "port", place.port);
        put(out, "pid", place.pid);
    });
}

result<admin_place> admin_place_from_json(std::string_view text) {
    const auto document = parsed(text);
    if (!document.IsObject()) {
        return error(errc::bad_request, "admin.json: found no JSON object");
    }
    admin_place place;
    place.host = text_of(document, "host");
    place.port = static_cast<std::uint16_t>(number_of(document, "port"));
    place.pid = static_cast<pid_t>(number_of(document, "pid"));
    return place;
}

} // namespace shaddock::master
