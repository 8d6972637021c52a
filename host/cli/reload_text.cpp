#include "reload_text.hpp"

#include <fmt/ranges.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>

namespace shaddock::cli {
namespace {

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

void put(writer& out, const char* key, const std::string& text) {
    out.Key(key);
    out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void put(writer& out, const char* key, const master::running_build& build) {
    out.Key(key);
    out.StartObject();
    put(out, "version", build.version);
    put(out, "build_id", build.build_id);
    out.Key("generation");
    out.Uint64(build.generation);
    out.EndObject();
}

} // namespace

result<reload_order> reload_order_from_json(std::string_view text) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    if (document.HasParseError() || !document.IsObject()) {
        return error(errc::bad_request, "reload: found no JSON object");
    }
    reload_order order;
    const rapidjson::Value& root = document;
    for (const auto& member : root.GetObject()) {
        const std::string_view key = member.name.GetString();
        if (key == "job" && member.value.IsUint64()) {
            order.job = member.value.GetUint64();
        } else if (key == "rollback" && member.value.IsBool()) {
            order.is_rollback = member.value.GetBool();
        } else if (key == "dry_run" && member.value.IsBool()) {
            order.is_dry_run = member.value.GetBool();
        } else {
            return error(errc::bad_request,
                         R"(reload: expected {"job":<number>,"rollback":<bool>,"dry_run":<bool>})");
        }
    }
    return order;
}

std::string to_json(std::uint64_t job, const reload_report& report) {
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    out.StartObject();
    out.Key("job");
    out.Uint64(job);
    out.Key("ok");
    out.Bool(report.is_ok());
    if (report.is_dry_run) {
        out.Key("dry_run");
        out.Bool(true);
    }
    put(out, "from", report.from);
    if (report.to) {
        put(out, "to", *report.to);
    } else {
        put(out, "reason", report.reason);
    }
    if (!report.cut_off.empty()) {
        put(out, "cut_off", fmt::format("{}", fmt::join(report.cut_off, "\n")));
    }
    out.Key("ms");
    out.Double(std::round(report.took.count() * 10) / 10);
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

} // namespace shaddock::cli
