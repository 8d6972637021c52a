#include "check_system.hpp"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace shaddock::cli {
namespace {

using json_writer = rapidjson::Writer<rapidjson::StringBuffer>;

void write_text(json_writer& out, const char* key, const std::string& text) {
    out.Key(key);
    out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void write_findings(json_writer& out, const char* key, const system_report& report,
                    bool are_warnings) {
    out.Key(key);
    out.StartArray();
    for (const auto& one : report.findings) {
        if (one.is_warning == are_warnings) {
            out.StartObject();
            write_text(out, "file", one.where.path.string());
            out.Key("line");
            out.Uint64(one.where.line);
            write_text(out, "key", one.where.key);
            write_text(out, "text", one.text);
            out.EndObject();
        }
    }
    out.EndArray();
}

/// `1 problem`, `2 problems`.
std::string counted(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

} // namespace

std::size_t system_report::problems() const {
    return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(),
                                                  [](const auto& one) { return !one.is_warning; }));
}

std::string to_text(const system_report& report) {
    std::string text;
    for (const auto& one : report.findings) {
        text += fmt::format("{}{}\n", one.is_warning ? "warning: " : "", one.text);
    }
    const auto problems = report.problems();
    const auto warnings = report.findings.size() - problems;
    const auto and_warnings = warnings == 0 ? "" : ", " + counted(warnings, "warning");
    if (problems != 0) {
        return text + counted(problems, "problem") + and_warnings + "\n";
    }
    return text + fmt::format("ok: {} of {}, {} with {}, protos of {}, {}{}\n",
                              counted(report.servers, "server"), counted(report.types, "type"),
                              counted(report.modules, "module"), counted(report.routes, "route"),
                              counted(report.protos, "route"), counted(report.ports, "port"),
                              and_warnings);
}

std::string to_json(const system_report& report) {
    rapidjson::StringBuffer buffer;
    json_writer out(buffer);
    out.StartObject();
    out.Key("ok");
    out.Bool(report.problems() == 0);
    write_findings(out, "problems", report, false);
    write_findings(out, "warnings", report, true);
    for (const auto& [key, count] :
         {std::pair{"servers", report.servers}, std::pair{"types", report.types},
          std::pair{"modules", report.modules}, std::pair{"routes", report.routes},
          std::pair{"protos", report.protos}, std::pair{"ports", report.ports}}) {
        out.Key(key);
        out.Uint64(count);
    }
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

} // namespace shaddock::cli
