#include "yaml_section.hpp"

#include "environment.hpp"
#include "read.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::config {

std::size_t line_of_mark(const YAML::Mark& mark) {
    return mark.line < 0 ? 0 : static_cast<std::size_t>(mark.line) + 1;
}

std::string describe_node(const YAML::Node& node) {
    if (node.IsMap()) {
        return "a map";
    }
    if (node.IsSequence()) {
        return "a list";
    }
    return node.IsScalar() ? in_quotes(node.Scalar()) : "nothing";
}

yaml_section::yaml_section(findings& found, std::filesystem::path path, const YAML::Node& node,
                           std::string key, std::size_t line)
    : found_(&found), path_(std::move(path)), key_(std::move(key)) {
    if (node.IsNull()) {
        return;
    }
    if (!node.IsMap()) {
        throw complaint({path_, line, key_}, describe_node(node), "a map of options");
    }
    for (const auto& pair : node) {
        found_->attempt([&] { add(pair.first, pair.second); });
    }
}

yaml_section::entry yaml_section::take(const std::string& name) {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
        known_.push_back(name);
    }
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& e) { return e.first == name; });
    return found == entries_.end() ? entry{YAML::Node(), {path_, 0, below(key_, name)}}
                                   : found->second;
}

yaml_section yaml_section::below_key(const std::string& name) {
    const entry e = take(name);
    return {*found_, path_, e.node, e.where.key, e.where.line};
}

place yaml_section::place_of(const std::string& name, const std::string& other) {
    const auto own = take(name);
    return own ? own.where : take(other).where;
}

std::string yaml_section::text_of(const entry& scalar) {
    auto text = expand(scalar.node.Scalar());
    if (text.unset) {
        throw complaint(
            scalar.where, in_quotes(scalar.node.Scalar()),
            fmt::format("the variable {} of the environment, which is not set", *text.unset));
    }
    return std::move(text.text);
}

void yaml_section::finish() const {
    for (const auto& [name, e] : entries_) {
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
            found_->attempt([&, &key = name, &where = e.where] {
                throw unknown_key(where, key, "one of the keys: " + join(known_), known_);
            });
        }
    }
}

void yaml_section::add(const YAML::Node& name, const YAML::Node& value) {
    const std::size_t line = line_of_mark(name.Mark());
    if (!name.IsScalar()) {
        throw complaint({path_, line, key_}, describe_node(name) + " as a key", "a name");
    }
    const place where{path_, line, below(key_, name.Scalar())};
    for (const auto& [other, e] : entries_) {
        if (other == name.Scalar()) {
            throw complaint(where,
                            fmt::format("the key a second time (first on line {})", e.where.line),
                            "each key once");
        }
    }
    entries_.emplace_back(name.Scalar(), entry{value, where});
}

void read_list(const yaml_section::entry& list, std::string_view expected_list,
               std::string_view expected, findings& found,
               const std::function<bool(const std::string&)>& take) {
    if (!list) {
        return;
    }
    found.attempt([&] {
        if (!list.node.IsSequence()) {
            throw complaint(list.where, describe_node(list.node), expected_list);
        }
        for (std::size_t i = 0; i < list.node.size(); ++i) {
            const YAML::Node one = list.node[i];
            if (!one.IsScalar() || !take(one.Scalar())) {
                throw complaint(
                    {list.where.path, line_of_mark(one.Mark()), element(list.where.key, i)},
                    describe_node(one), expected);
            }
        }
    });
}

} // namespace shaddock::config
