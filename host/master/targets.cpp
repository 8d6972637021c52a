#include "targets.hpp"

#include <algorithm>

namespace shaddock::master {

std::vector<control::target_name> names_of(const std::vector<child_report>& children) {
    std::vector<control::target_name> names;
    names.reserve(children.size());
    for (const auto& child : children) { // they come in order of type and id
        names.push_back({child.id, child.type, child.is_server});
    }
    return names;
}

const child_report* find_child(const std::vector<child_report>& children, std::string_view id) {
    const auto at = std::ranges::find(children, id, &child_report::id);
    return at == children.end() ? nullptr : &*at;
}

result<std::vector<child_report>> find_targets(const std::vector<std::string>& words,
                                               const std::vector<child_report>& children,
                                               control::target_words taken) {
    const auto ids = control::resolve(words, names_of(children), taken);
    if (!ids) {
        return ids.error();
    }
    std::vector<child_report> found;
    for (const auto& id : *ids) {
        found.push_back(*find_child(children, id));
    }
    return {boost::system::in_place_value, std::move(found)};
}

} // namespace shaddock::master
