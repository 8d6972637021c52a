#include "environment.hpp"

#include <algorithm>
#include <cstdlib>

namespace shaddock::config {
namespace {

constexpr std::string_view opens = "${";

bool is_name(std::string_view text) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9');
    });
}

struct variable {
    std::string name;
    std::optional<std::string> otherwise;
    /// Of the text, with its braces.
    std::size_t size = 0;
};

/// The one that begins the text, which begins with `${`.
std::optional<variable> first_of(std::string_view text) {
    const auto end = text.find('}');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const auto inner = text.substr(opens.size(), end - opens.size());
    const auto dash = inner.find(":-");
    variable out{std::string(inner.substr(0, dash)), std::nullopt, end + 1};
    if (dash != std::string_view::npos) {
        out.otherwise = inner.substr(dash + 2);
    }
    return is_name(out.name) ? std::optional(std::move(out)) : std::nullopt;
}

} // namespace

expanded expand(std::string_view text) {
    expanded out;
    while (!text.empty()) {
        const auto at = text.find(opens);
        out.text += text.substr(0, at);
        text.remove_prefix(std::min(at, text.size()));
        if (text.empty()) {
            break;
        }
        const auto found = first_of(text);
        if (!found) {
            out.text += opens;
            text.remove_prefix(opens.size());
            continue;
        }
        const char* value = std::getenv(found->name.c_str());
        if (found->otherwise && (value == nullptr || *value == '\0')) {
            out.text += *found->otherwise;
        } else if (value != nullptr) {
            out.text += value;
        } else if (!out.unset) {
            out.unset = found->name;
        }
        text.remove_prefix(found->size);
    }
    return out;
}

bool is_variable(std::string_view text) {
    const auto found = text.starts_with(opens) ? first_of(text) : std::nullopt;
    return found && found->size == text.size() && !found->otherwise;
}

} // namespace shaddock::config
