#include "client/json.hpp"

#include <shaddock/detail/json_parse.hpp>
#include <shaddock/detail/json_text.hpp>

#include <fmt/format.h>

#include <utility>

namespace shaddock::client {
namespace {

using detail::json_value;
using detail::text_of;

constexpr std::size_t line_limit = 100;

/// As it stands for itself, but for what a terminal would obey: all control characters.
void append_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto at = detail::whole_character(text);
        const char32_t code = at.code.value_or(detail::replacement);
        if (code >= 0x7f && code < 0xa0) {
            detail::append_escape(out, code);
        } else if (code < 0x20 || code == U'"' || code == U'\\') { // they have a meaning in JSON
            detail::append_special(out, code);
        } else {
            detail::append_utf8(out, code);
        }
        text.remove_prefix(at.size);
    }
    out += '"';
}

/// How values stand apart.
struct layout {
    std::string_view colon = ":";
    std::string_view comma = ",";
    /// Spaces per level; none: all on one line.
    std::optional<std::size_t> indent;
};

class writer {
public:
    explicit writer(layout how) : how_(how) {}
    // Recursion: the parser has refused what is deeper than its limit.
    void write(const json_value& value) {
        if (value.IsObject()) {
            write_all('{', '}', value.GetObject(), [this](const auto& member) {
                append_string(out_, text_of(member.name));
                out_ += how_.colon;
                write(member.value);
            });
        } else if (value.IsArray()) {
            write_all('[', ']', value.GetArray(), [this](const json_value& one) { write(one); });
        } else if (value.IsString()) {
            append_string(out_, text_of(value));
        } else {
            detail::encode_tree(out_, value);
        }
    }
    std::string take() { return std::move(out_); }

private:
    template <class Values, class Write>
    void write_all(char open, char close, const Values& values, Write write_one) {
        out_ += open;
        ++depth_;
        bool is_first = true;
        for (const auto& one : values) {
            if (!std::exchange(is_first, false)) {
                out_ += how_.comma;
            }
            new_line();
            write_one(one);
        }
        --depth_;
        if (!is_first) {
            new_line();
        }
        out_ += close;
    }
    void new_line() {
        if (how_.indent) {
            out_ += '\n';
            out_.append(depth_ * *how_.indent, ' ');
        }
    }

    layout how_;
    std::string out_;
    std::size_t depth_ = 0;
};

std::string written(const json_value& value, layout how) {
    writer out(how);
    out.write(value);
    return out.take();
}

std::string difference(const std::string& path, std::string_view found, std::string_view wanted) {
    return fmt::format("{}found {}, expected {}", path.empty() ? "" : path + ": ", found, wanted);
}

std::string line_of(const json_value& value) {
    return written(value, {});
}

std::optional<std::string> difference(const json_value& found, const json_value& wanted,
                                      const std::string& path);

std::optional<std::string> object_difference(const json_value& found, const json_value& wanted,
                                             const std::string& path) {
    for (const auto& [key, value] : wanted.GetObject()) {
        const auto inner =
            path.empty() ? std::string(text_of(key)) : fmt::format("{}.{}", path, text_of(key));
        const auto member = found.FindMember(key);
        if (member == found.MemberEnd()) {
            return difference(inner, "nothing", line_of(value));
        }
        if (auto differs = difference(member->value, value, inner)) {
            return differs;
        }
    }
    return std::nullopt;
}

/// Taking the first that fits for each is enough: a later one leaves less for those that follow.
std::optional<std::string> list_difference(const json_value& found, const json_value& wanted,
                                           const std::string& path) {
    const auto* at = found.Begin();
    for (const auto& element : wanted.GetArray()) {
        while (at != found.End() && difference(*at, element, path)) {
            ++at;
        }
        if (at == found.End()) {
            return difference(path, line_of(found), line_of(element) + " in it, in this order");
        }
        ++at;
    }
    return std::nullopt;
}

std::optional<std::string> difference(const json_value& found, const json_value& wanted,
                                      const std::string& path) {
    if (found.IsObject() && wanted.IsObject()) {
        return object_difference(found, wanted, path);
    }
    if (found.IsArray() && wanted.IsArray()) {
        return list_difference(found, wanted, path);
    }
    if (found == wanted) {
        return std::nullopt;
    }
    return difference(path, line_of(found), line_of(wanted));
}

} // namespace

std::optional<std::string> json_problem(std::string_view text) {
    const detail::parsed read(text);
    return read.problem().empty() ? std::nullopt : std::optional(read.problem());
}

std::string json_string(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

std::string json_line(std::string_view text) {
    if (text.empty()) {
        return "null";
    }
    const detail::parsed read(text);
    return read.problem().empty() ? line_of(read.root()) : json_string(text);
}

std::string json_text(std::string_view text) {
    if (text.empty()) {
        return "(no body)";
    }
    const detail::parsed read(text);
    if (!read.problem().empty()) {
        return json_string(text);
    }
    auto line = written(read.root(), {": ", ", ", std::nullopt});
    return line.size() < line_limit ? line : written(read.root(), {": ", ",", 2});
}

std::optional<std::string> json_difference(std::string_view found, std::string_view wanted) {
    const detail::parsed left(found);
    const detail::parsed right(wanted);
    if (!left.problem().empty()) {
        return difference({}, found.empty() ? "no body" : json_string(found), json_line(wanted));
    }
    return difference(left.root(), right.root(), {});
}

} // namespace shaddock::client
