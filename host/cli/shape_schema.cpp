#include "shape_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace shaddock::cli {
namespace {

using schema = std::optional<std::string>;

constexpr std::string_view anything = "{}";

bool is_of_name(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

/// Reads from the front; each function gives nothing where the text is not in the form.
class shape_reader {
public:
    explicit shape_reader(std::string_view text) : rest_(text) {}

    schema whole() {
        auto read = type();
        return rest_.empty() ? read : std::nullopt;
    }

private:
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) {
            return false;
        }
        rest_.remove_prefix(word.size());
        return true;
    }
    std::string_view take_name() {
        const auto* end = std::find_if_not(rest_.begin(), rest_.end(), &is_of_name);
        const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(name.size());
        return name;
    }

    schema type() {
        constexpr int most_levels = 64;
        if (++level_ > most_levels) {
            return std::nullopt;
        }
        auto read = take("{*: ")  ? map()
                    : take("{")   ? object()
                    : take("[")   ? tuple()
                    : take("(")   ? one_of()
                    : take("...") ? schema(anything)
                                  : word();
        --level_;
        return read ? with_suffixes(std::move(*read)) : std::nullopt;
    }

    schema with_suffixes(std::string read) {
        while (!rest_.empty()) {
            if (take("?")) {
                read = fmt::format(R"({{"anyOf":[{},{{"type":"null"}}]}})", read);
            } else if (take("[]")) {
                read = fmt::format(R"({{"type":"array","items":{}}})", read);
            } else if (take("[")) {
                const auto count = take_name();
                if (count.empty() ||
                    count.find_first_not_of("0123456789") != std::string_view::npos || !take("]")) {
                    return std::nullopt;
                }
                read = fmt::format(
                    R"({{"type":"array","items":{0},"minItems":{1},"maxItems":{1}}})", read, count);
            } else {
                break;
            }
        }
        return read;
    }

    schema map() {
        const auto value = type();
        if (!value || !take("}")) {
            return std::nullopt;
        }
        return fmt::format(R"({{"type":"object","additionalProperties":{}}})", *value);
    }

    schema object() {
        std::string properties;
        std::string required;
        while (!take("}")) {
            if (!properties.empty() && !take(", ")) {
                return std::nullopt;
            }
            const auto name = take_name();
            const bool is_optional = take("?");
            if (name.empty() || !take(": ")) {
                return std::nullopt;
            }
            const auto value = type();
            if (!value) {
                return std::nullopt;
            }
            properties += fmt::format(R"({}"{}":{})", properties.empty() ? "" : ",", name, *value);
            if (!is_optional) {
                required += fmt::format(R"({}"{}")", required.empty() ? "" : ",", name);
            }
        }
        return fmt::format(R"({{"type":"object","properties":{{{}}},"required":[{}]}})", properties,
                           required);
    }

    schema tuple() {
        std::string items;
        int count = 0;
        for (; !take("]"); ++count) {
            if (count > 0 && !take(", ")) {
                return std::nullopt;
            }
            const auto item = type();
            if (!item) {
                return std::nullopt;
            }
            items += (count > 0 ? "," : "") + *item;
        }
        // An empty list of items is no schema.
        return count == 0 ? R"({"type":"array","maxItems":0})"
                          : fmt::format(R"({{"type":"array","prefixItems":[{0}],)"
                                        R"("minItems":{1},"maxItems":{1}}})",
                                        items, count);
    }

    schema one_of() {
        if (rest_.starts_with('"')) {
            return names();
        }
        std::string all;
        while (!take(")")) {
            if (!all.empty() && !take(" | ")) {
                return std::nullopt;
            }
            const auto one = type();
            if (!one) {
                return std::nullopt;
            }
            all += (all.empty() ? "" : ",") + *one;
        }
        return fmt::format(R"({{"anyOf":[{}]}})", all);
    }

    schema names() {
        std::string all;
        while (!take(")")) {
            if ((!all.empty() && !take(" | ")) || !take("\"")) {
                return std::nullopt;
            }
            const auto name = take_name();
            if (name.empty() || !take("\"")) {
                return std::nullopt;
            }
            all += fmt::format(R"({}"{}")", all.empty() ? "" : ",", name);
        }
        return fmt::format(R"({{"type":"string","enum":[{}]}})", all);
    }

    schema word() {
        const auto name = take_name();
        if (name == "any") {
            return std::string(anything);
        }
        if (name == "null" || name == "string") {
            return fmt::format(R"({{"type":"{}"}})", name);
        }
        if (name == "bool") {
            return R"({"type":"boolean"})";
        }
        for (const auto* bits : {"8", "16", "32", "64"}) {
            if (name == fmt::format("int{}", bits)) {
                return fmt::format(R"({{"type":"integer","format":"{}"}})", name);
            }
            if (name == fmt::format("uint{}", bits)) {
                return fmt::format(R"({{"type":"integer","format":"{}","minimum":0}})", name);
            }
            if (name == fmt::format("float{}", bits)) {
                return fmt::format(R"({{"type":"number","format":"{}"}})", name);
            }
        }
        return std::nullopt;
    }

    std::string_view rest_;
    int level_ = 0;
};

} // namespace

std::string schema_of(std::string_view shape) {
    return shape_reader(shape).whole().value_or(std::string(anything));
}

} // namespace shaddock::cli
