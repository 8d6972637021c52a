#include "server_list.hpp"

#include "master/commands.hpp"

#include <rapidjson/document.h>

#include <string>

namespace shaddock::cli {
namespace {

std::string text_in(const rapidjson::Value& record, const char* key) {
    const auto at = record.FindMember(key);
    return at != record.MemberEnd() && at->value.IsString()
               ? std::string(at->value.GetString(), at->value.GetStringLength())
               : std::string();
}

std::uint16_t port_in(const rapidjson::Value& record, const char* key) {
    const auto at = record.FindMember(key);
    const bool fits =
        at != record.MemberEnd() && at->value.IsUint() && at->value.GetUint() <= 65535;
    return fits ? static_cast<std::uint16_t>(at->value.GetUint()) : std::uint16_t{0};
}

/// As info_of() of the record that the text was made of.
result<door::server_info> info_from(std::string text) {
    rapidjson::Document parsed;
    parsed.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    if (parsed.HasParseError() || !parsed.IsObject()) {
        return error(errc::bad_request, "a record is no JSON object");
    }
    const rapidjson::Value& record = parsed;
    door::server_info info;
    info.id = text_in(record, "id");
    info.type = text_in(record, "serverType");
    info.host = text_in(record, "host");
    info.client_host = text_in(record, "clientHost");
    info.client_port = port_in(record, "clientPort");
    info.public_port = port_in(record, "publicPort");
    const auto frontend = record.FindMember("frontend");
    info.is_frontend = frontend != record.MemberEnd() && frontend->value.IsTrue();
    if (info.id.empty() || info.type.empty()) {
        return error(errc::bad_request, "a record has no id or no serverType");
    }
    info.record_json = std::move(text);
    return {boost::system::in_place_value, std::move(info)};
}

} // namespace

result<std::vector<door::server_info>> servers_from_json(std::string_view text) {
    auto records = master::records_from_expected_json(text);
    if (!records) {
        return records.error();
    }
    std::vector<door::server_info> all;
    for (auto& record : *records) {
        auto info = info_from(std::move(record));
        if (!info) {
            return info.error();
        }
        all.push_back(std::move(*info));
    }
    return {boost::system::in_place_value, std::move(all)};
}

} // namespace shaddock::cli
