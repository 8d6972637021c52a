#include "questions.hpp"

#include "base/log.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <fmt/format.h>

#include <cstdint>
#include <vector>

namespace shaddock::cli {
namespace {

using writer = rapidjson::Writer<rapidjson::StringBuffer>;

std::string answer_json(std::uint64_t number, const result<std::string>& answer) {
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    out.StartObject();
    out.Key("n");
    out.Uint64(number);
    if (answer) {
        out.Key("body");
        out.RawValue(answer->data(), answer->size(), rapidjson::kObjectType);
    } else {
        const std::string text = answer.error().text();
        out.Key("error");
        out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    }
    out.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

std::string args_of(const rapidjson::Value& said) {
    const auto args = said.FindMember("args");
    if (args == said.MemberEnd()) {
        return "{}";
    }
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    args->value.Accept(out);
    return {buffer.GetString(), buffer.GetSize()};
}

} // namespace

void questions::serve(std::string_view ask_json) {
    rapidjson::Document parsed;
    const bool is_object =
        !parsed.Parse(ask_json.data(), ask_json.size()).HasParseError() && parsed.IsObject();
    const rapidjson::Value& said = parsed;
    using member = rapidjson::Value::ConstMemberIterator;
    const auto number = is_object ? said.FindMember("n") : member();
    const auto what = is_object ? said.FindMember("what") : member();
    if (!is_object || number == said.MemberEnd() || !number->value.IsUint64() ||
        what == said.MemberEnd() || !what->value.IsString()) {
        base::log::warn("host", "the master asks something without a number or a name: {}",
                        ask_json.substr(0, 200));
        return;
    }
    auto reply = [say = std::weak_ptr(say_),
                  n = number->value.GetUint64()](const result<std::string>& answer) {
        if (const auto alive = say.lock()) {
            (*alive)(answer_json(n, answer));
        }
    };
    const std::string_view name(what->value.GetString(), what->value.GetStringLength());
    const auto at = answers_.find(name);
    if (at == answers_.end()) {
        std::string known;
        for (const auto& [each, unused] : answers_) {
            known += (known.empty() ? "" : ", ") + each;
        }
        return reply(error(errc::not_found,
                           fmt::format("nobody answers '{}' here; there are: {}", name, known)));
    }
    at->second(args_of(said), std::move(reply));
}

} // namespace shaddock::cli
