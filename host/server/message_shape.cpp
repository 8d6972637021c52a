#include "server/message_shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

namespace shaddock::server {
namespace {

using kind = message_shape::kind;
using presence = message_shape::presence;
using shape = std::optional<message_shape>;

// ---- reading

bool is_of_name(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || c == '_' || c == '$' || byte >= 0x80;
}

bool is_number(std::string_view word) {
    for (const std::string_view head : {"int", "uint", "float"}) {
        if (word.starts_with(head)) {
            const auto bits = word.substr(head.size());
            return bits == "8" || bits == "16" || bits == "32" || bits == "64";
        }
    }
    return false;
}

/// Reads from the front; each function gives nothing where the text is not in the form.
class shape_reader {
public:
    explicit shape_reader(std::string_view text) : rest_(text) {}

    shape whole() {
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
    std::string take_name() {
        const auto* end = std::find_if_not(rest_.begin(), rest_.end(), &is_of_name);
        const auto name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(name.size());
        return std::string(name);
    }

    shape type() {
        constexpr int most_levels = 64;
        if (++level_ > most_levels) {
            return std::nullopt;
        }
        auto read = take("{*")    ? map()
                    : take("{")   ? object()
                    : take("[")   ? listed(kind::tuple, "]", ", ")
                    : take("(")   ? choice()
                    : take("...") ? shape({.what = kind::itself, .word = take_name()})
                                  : word();
        --level_;
        return read ? with_suffixes(std::move(*read)) : std::nullopt;
    }

    shape with_suffixes(message_shape read) {
        while (!rest_.empty()) {
            message_shape around;
            if (take("?")) {
                around.what = kind::nullable;
            } else if (take("[]")) {
                around.what = kind::list;
            } else if (take("[")) {
                around.what = kind::array;
                around.word = take_name();
                if (around.word.empty() ||
                    around.word.find_first_not_of("0123456789") != std::string::npos ||
                    !take("]")) {
                    return std::nullopt;
                }
            } else {
                break;
            }
            around.parts.push_back(std::move(read));
            read = std::move(around);
        }
        return read;
    }

    shape map() {
        message_shape read{.what = kind::map, .word = take_name()};
        auto value = (read.word.empty() || is_number(read.word)) && take(": ") ? type() : shape();
        if (!value || !take("}")) {
            return std::nullopt;
        }
        read.parts.push_back(std::move(*value));
        return read;
    }

    shape object() {
        message_shape read{.what = kind::object};
        while (!take("}")) {
            if (!read.parts.empty() && !take(", ")) {
                return std::nullopt;
            }
            auto name = take_name();
            const bool is_optional = take("?");
            auto member = !name.empty() && take(": ") ? type() : shape();
            if (!member) {
                return std::nullopt;
            }
            member->name = std::move(name);
            member->when = take(" = default") ? presence::defaulted
                           : is_optional      ? presence::optional
                                              : presence::required;
            read.parts.push_back(std::move(*member));
        }
        return read;
    }

    shape choice() { return rest_.starts_with('"') ? names() : listed(kind::one_of, ")", " | "); }

    shape listed(kind what, std::string_view end, std::string_view between) {
        message_shape read{.what = what};
        while (!take(end)) {
            auto part = read.parts.empty() || take(between) ? type() : shape();
            if (!part) {
                return std::nullopt;
            }
            read.parts.push_back(std::move(*part));
        }
        return read;
    }

    shape names() {
        message_shape read{.what = kind::names};
        while (!take(")")) {
            if ((!read.parts.empty() && !take(" | ")) || !take("\"")) {
                return std::nullopt;
            }
            read.parts.push_back({.what = kind::text, .name = take_name()});
            if (read.parts.back().name.empty() || !take("\"")) {
                return std::nullopt;
            }
        }
        return read;
    }

    shape word() {
        auto name = take_name();
        if (is_number(name)) {
            return message_shape{.what = kind::number, .word = std::move(name)};
        }
        for (const auto& [text, what] :
             {std::pair("any", kind::anything), std::pair("null", kind::null),
              std::pair("string", kind::text), std::pair("bool", kind::boolean)}) {
            if (name == text) {
                return message_shape{.what = what};
            }
        }
        return std::nullopt;
    }

    std::string_view rest_;
    int level_ = 0;
};

// ---- comparing

std::string names_of(const message_shape& of) {
    std::string text;
    for (const auto& part : of.parts) {
        text += (text.empty() ? "" : ", ") + part.name;
    }
    return text;
}

std::string in_words(const message_shape& of, bool is_precise) {
    switch (of.what) {
    case kind::null:
        return "nothing";
    case kind::boolean:
        return "true or false";
    case kind::text:
        return "a text";
    case kind::number:
        return is_precise ? of.word : "a number";
    case kind::anything:
        return "any value";
    case kind::object:
        return "an object";
    case kind::map:
        return fmt::format("a map by {}", of.word.empty() ? "text" : of.word);
    case kind::list:
        return "a list";
    case kind::array:
        return fmt::format("a list of {}", of.word);
    case kind::tuple:
        return fmt::format("a list of {}", of.parts.size());
    case kind::one_of:
        return is_precise ? "one of other types" : "one of several types";
    case kind::names:
        return fmt::format("one of {}", names_of(of));
    case kind::nullable:
        return in_words(of.parts.front(), is_precise) + " or null";
    case kind::itself:
        break;
    }
    return "a type inside itself" +
           (of.word.empty() ? "" : fmt::format(" {} further out", of.word));
}

bool is_same(const message_shape& one, const message_shape& other) {
    return one.what == other.what && one.word == other.word && one.name == other.name &&
           one.when == other.when &&
           std::equal(one.parts.begin(), one.parts.end(), other.parts.begin(), other.parts.end(),
                      &is_same);
}

const message_shape* member_of(const message_shape& object, std::string_view name) {
    const auto at = std::ranges::find(object.parts, name, &message_shape::name);
    return at == object.parts.end() ? nullptr : &*at;
}

/// Of one argument or the result.
class comparison {
public:
    comparison(std::string subject, bool is_written_there, std::vector<std::string>& into)
        : subject_(std::move(subject)), is_written_there_(is_written_there), into_(into) {}

    void compare(const message_shape& there, const message_shape& here, const std::string& path) {
        const auto& reader = is_written_there_ ? here : there;
        const auto& writer = is_written_there_ ? there : here;
        if (reader.what == kind::anything) {
            return;
        }
        if (reader.what == kind::nullable && writer.what != kind::nullable) {
            return is_written_there_ ? compare(there, here.parts.front(), path)
                                     : compare(there.parts.front(), here, path);
        }
        if (there.what != here.what || there.word != here.word) {
            return differ(there, here, path);
        }
        switch (there.what) {
        case kind::object:
            return compare_members(there, here, path);
        case kind::map:
            return compare(there.parts.front(), here.parts.front(), path + "{}");
        case kind::list:
        case kind::array:
            return compare(there.parts.front(), here.parts.front(), path + "[]");
        case kind::nullable:
            return compare(there.parts.front(), here.parts.front(), path);
        case kind::tuple:
            if (there.parts.size() != here.parts.size()) {
                return differ(there, here, path);
            }
            for (std::size_t i = 0; i < there.parts.size(); ++i) {
                compare(there.parts[i], here.parts[i], fmt::format("{}[{}]", path, i));
            }
            return;
        case kind::one_of:
        case kind::names:
            // Which alternative a value is taken for hangs on all of them.
            return is_same(unnamed(there), unnamed(here)) ? void() : differ(there, here, path);
        default:
            return;
        }
    }

private:
    static message_shape unnamed(message_shape of) {
        of.name.clear();
        of.when = presence::required;
        return of;
    }
    void say(const std::string& path, const std::string& what) {
        into_.push_back(subject_ + (path.empty() ? " " : fmt::format(": member '{}' ", path)) +
                        what);
    }
    void differ(const message_shape& there, const message_shape& here, const std::string& path) {
        const bool is_precise = there.what == here.what;
        say(path, fmt::format("is {} there, {} here", in_words(there, is_precise),
                              in_words(here, is_precise)));
    }

    void compare_members(const message_shape& there, const message_shape& here,
                         const std::string& path) {
        const auto at = [&path](const std::string& name) {
            return path.empty() ? name : fmt::format("{}.{}", path, name);
        };
        for (const auto& its : there.parts) {
            const auto* mine = member_of(here, its.name);
            if (mine == nullptr) {
                if (its.when == presence::required) {
                    say(at(its.name), "is required there, unknown here");
                }
                continue;
            }
            const auto& writer = is_written_there_ ? its : *mine;
            const auto& reader = is_written_there_ ? *mine : its;
            if (writer.when == presence::optional && reader.when == presence::required) {
                say(at(its.name), is_written_there_ ? "may be absent there, is required here"
                                                    : "is required there, may be absent here");
            }
            compare(its, *mine, at(its.name));
        }
        for (const auto& mine : here.parts) {
            if (mine.when == presence::required && member_of(there, mine.name) == nullptr) {
                say(at(mine.name), "is required here, unknown there");
            }
        }
    }

    std::string subject_;
    bool is_written_there_;
    std::vector<std::string>& into_;
};

} // namespace

shape read_shape(std::string_view text) {
    return shape_reader(text).whole();
}

contract_types types_of_contract(std::string_view shape) {
    constexpr std::string_view arrow = " -> ";
    const auto at = std::min(shape.find(arrow), shape.size());
    return {shape.substr(0, at), shape.substr(std::min(at + arrow.size(), shape.size()))};
}

std::vector<std::string> contract_differences(contract_types there, contract_types here) {
    const auto its_request = read_shape(there.request);
    const auto its_reply = read_shape(there.reply);
    const auto my_request = read_shape(here.request);
    const auto my_reply = read_shape(here.reply);
    if (!its_request || !its_reply || its_request->what != kind::tuple) {
        return {"its types there are not known"};
    }
    if (!my_request || !my_reply || my_request->what != kind::tuple) {
        return {"its types here are not known"};
    }
    std::vector<std::string> found;
    if (its_request->parts.size() != my_request->parts.size()) {
        found.push_back(fmt::format("its number of arguments is {} there, {} here",
                                    its_request->parts.size(), my_request->parts.size()));
    } else {
        for (std::size_t i = 0; i < my_request->parts.size(); ++i) {
            comparison(fmt::format("argument {}", i + 1), true, found)
                .compare(its_request->parts[i], my_request->parts[i], "");
        }
    }
    comparison("result", false, found).compare(*its_reply, *my_reply, "");
    return found;
}

namespace {

std::map<std::string_view, const contract_row*> by_route(const contract_rows& rows,
                                                         contract_row::role as) {
    std::map<std::string_view, const contract_row*> found;
    for (const auto& row : rows) {
        if (row.as == as) {
            found[row.route] = &row;
        }
    }
    return found;
}

} // namespace

std::vector<refused_calls> refused_between(const contract_rows& caller,
                                           const contract_rows& callee) {
    std::vector<refused_calls> refused;
    const auto served = by_route(callee, contract_row::role::served);
    for (const auto& [route, call] : by_route(caller, contract_row::role::called)) {
        const auto own = served.find(route);
        if (own == served.end() || own->second->hash == call->hash) {
            continue;
        }
        const auto why = contract_differences(types_of_contract(call->shape),
                                              types_of_contract(own->second->shape));
        if (!why.empty()) {
            refused.push_back({call->route, in_one_line(why)});
        }
    }
    return refused;
}

std::string in_one_line(const std::vector<std::string>& differences) {
    constexpr std::size_t most = 5;
    std::string line;
    for (std::size_t i = 0; i < std::min(most, differences.size()); ++i) {
        line += (i == 0 ? "" : "; ") + differences[i];
    }
    if (differences.size() > most) {
        line += fmt::format("; and {} more", differences.size() - most);
    }
    return line;
}

} // namespace shaddock::server
