#include "route_list.hpp"

#include "cli/run.hpp"
#include "config/load.hpp"
#include "shape_schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <utility>

namespace shaddock::cli {
namespace {

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

std::string no_such_type(const std::string& type, const config::system& system) {
    std::vector<std::string> known;
    for (const auto& [name, options] : system.host.types) {
        known.push_back(name);
    }
    const auto best = config::nearest(type, known, 1);
    return fmt::format("routes: found the type '{}', expected one of host.yaml ({}): {}{}", type,
                       system.env, fmt::join(known, ", "),
                       best.empty() ? "" : fmt::format("; nearest: '{}'", best.front()));
}

void list_type(route_list& into, const std::filesystem::path& exe, const std::string& type,
               const std::vector<std::string>& modules) {
    for (const auto& name : modules) {
        const auto file = node::find_module(exe, name);
        auto looked = file ? node::look_at_module(*file, type) : file.error();
        if (looked) {
            into.modules.push_back({type, *file, std::move(*looked)});
        } else {
            into.problems.push_back(fmt::format("{}: {}", type, looked.error().text()));
        }
    }
}

std::string known(const std::string& shape) {
    return shape.empty() ? "?" : shape;
}

bool has_several(const route_list& list, const std::string& type) {
    return std::count_if(list.modules.begin(), list.modules.end(),
                         [&](const auto& each) { return each.type == type; }) > 1;
}

/// A row of to_text.
struct row {
    std::string_view kind;
    const node::registered_route* of;
    std::string shapes;
};

std::vector<row> rows_of(const node::module_routes& routes) {
    std::vector<row> rows;
    for (const auto& one : routes.handlers) {
        rows.push_back({"handler", &one, handler_text(one)});
    }
    for (const auto& one : routes.remotes) {
        rows.push_back({"remote", &one, remote_text(one)});
    }
    return rows;
}

void write_text(json_writer& out, const char* key, std::string_view text) {
    out.Key(key);
    out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void write_schema(json_writer& out, const char* key, const std::string& shape) {
    out.Key(key);
    const auto schema = schema_of(shape);
    out.RawValue(schema.data(), schema.size(), rapidjson::kObjectType);
}

} // namespace

result<route_list> list_routes(const place& where, const std::string& type) {
    const auto folders = locate(where);
    if (!folders) {
        return folders.error();
    }
    const auto files = config::check(folders->wanted);
    route_list list;
    for (const auto& one : files.findings) {
        if (!one.is_warning) {
            list.problems.push_back(one.text);
        }
    }
    const auto& types = files.read.host.types;
    if (!type.empty() && types.find(type) == types.end()) {
        list.problems.push_back(no_such_type(type, files.read));
    }
    for (const auto& [name, options] : types) {
        if (type.empty() || name == type) {
            list_type(list, folders->exe, name, options.modules);
        }
    }
    return {boost::system::in_place_value, std::move(list)};
}

std::string handler_text(const node::registered_route& one) {
    return fmt::format("{} -> {}", known(one.request_shape), known(one.reply_shape));
}

std::string remote_text(const node::registered_route& one) {
    auto arguments = known(one.request_shape);
    if (arguments.starts_with('[') && arguments.ends_with(']')) {
        arguments.front() = '(';
        arguments.back() = ')';
    }
    return fmt::format("{} -> {}", arguments, known(one.reply_shape));
}

std::string to_text(const route_list& list) {
    std::string text;
    for (const auto& each : list.modules) {
        text += fmt::format("{}{}{}\n", text.empty() ? "" : "\n", each.type,
                            has_several(list, each.type) ? ", " + each.file.filename().string()
                                                         : std::string());
        const auto rows = rows_of(each.routes);
        std::size_t width = 0;
        for (const auto& one : rows) {
            width = std::max(width, one.of->route.size());
        }
        for (const auto& one : rows) {
            text += fmt::format("  {:<7}  {:<{}}  {}{}\n", one.kind, one.of->route, width,
                                one.shapes, one.of->is_serial ? "  (serial)" : "");
        }
        if (rows.empty()) {
            text += "  no routes\n";
        }
    }
    return text;
}

std::string to_json(const route_list& list) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartArray();
    for (const auto& each : list.modules) {
        for (const auto& one : rows_of(each.routes)) {
            out.StartObject();
            write_text(out, "type", each.type);
            write_text(out, "route", one.of->route);
            write_text(out, "kind", one.kind);
            out.Key("serial");
            out.Bool(one.of->is_serial);
            write_text(out, "module", each.file.string());
            write_schema(out, "request", one.of->request_shape);
            write_schema(out, "reply", one.of->reply_shape);
            write_text(out, "text", one.shapes);
            out.EndObject();
        }
    }
    out.EndArray();
    return buffer.GetString();
}

} // namespace shaddock::cli
