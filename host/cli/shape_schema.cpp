#include "shape_schema.hpp"

#include "server/message_shape.hpp"

#include <fmt/format.h>

namespace shaddock::cli {
namespace {

using server::message_shape;
using kind = message_shape::kind;

constexpr std::string_view anything = "{}";

std::string schema_of(const message_shape& shape);

std::string parts_of(const message_shape& shape) {
    std::string all;
    for (const auto& part : shape.parts) {
        all += (all.empty() ? "" : ",") + schema_of(part);
    }
    return all;
}

std::string object_schema(const message_shape& shape) {
    std::string properties;
    std::string required;
    for (const auto& member : shape.parts) {
        properties += fmt::format(R"({}"{}":{})", properties.empty() ? "" : ",", member.name,
                                  schema_of(member));
        if (member.when == message_shape::presence::required) {
            required += fmt::format(R"({}"{}")", required.empty() ? "" : ",", member.name);
        }
    }
    return fmt::format(R"({{"type":"object","properties":{{{}}},"required":[{}]}})", properties,
                       required);
}

std::string map_schema(const message_shape& shape) {
    return fmt::format(R"({{"type":"object",{}"additionalProperties":{}}})",
                       shape.word.empty() ? "" : R"("propertyNames":{"pattern":"^-?[0-9]+$"},)",
                       parts_of(shape));
}

std::string number_schema(std::string_view word) {
    return fmt::format(R"({{"type":"{}","format":"{}"{}}})",
                       word.starts_with("float") ? "number" : "integer", word,
                       word.starts_with("uint") ? R"(,"minimum":0)" : "");
}

std::string names_schema(const message_shape& shape) {
    std::string all;
    for (const auto& one : shape.parts) {
        all += fmt::format(R"({}"{}")", all.empty() ? "" : ",", one.name);
    }
    return fmt::format(R"({{"type":"string","enum":[{}]}})", all);
}

std::string schema_of(const message_shape& shape) {
    switch (shape.what) {
    case kind::null:
        return R"({"type":"null"})";
    case kind::boolean:
        return R"({"type":"boolean"})";
    case kind::text:
        return R"({"type":"string"})";
    case kind::number:
        return number_schema(shape.word);
    case kind::object:
        return object_schema(shape);
    case kind::map:
        return map_schema(shape);
    case kind::list:
        return fmt::format(R"({{"type":"array","items":{}}})", parts_of(shape));
    case kind::array:
        return fmt::format(R"({{"type":"array","items":{0},"minItems":{1},"maxItems":{1}}})",
                           parts_of(shape), shape.word);
    case kind::tuple:
        // An empty list of items is no schema.
        return shape.parts.empty() ? R"({"type":"array","maxItems":0})"
                                   : fmt::format(R"({{"type":"array","prefixItems":[{0}],)"
                                                 R"("minItems":{1},"maxItems":{1}}})",
                                                 parts_of(shape), shape.parts.size());
    case kind::one_of:
        return fmt::format(R"({{"anyOf":[{}]}})", parts_of(shape));
    case kind::names:
        return names_schema(shape);
    case kind::nullable:
        return fmt::format(R"({{"anyOf":[{},{{"type":"null"}}]}})", parts_of(shape));
    case kind::anything:
    case kind::itself:
        break;
    }
    return std::string(anything);
}

} // namespace

std::string schema_of(std::string_view shape) {
    const auto read = server::read_shape(shape);
    return read ? schema_of(*read) : std::string(anything);
}

} // namespace shaddock::cli
