#include "control/targets.hpp"

#include "config/load.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace shaddock::control {
namespace {

bool is_meant(const target_name& one, std::string_view word, target_words taken) {
    if (!one.is_server) {
        return taken == target_words::anything && one.id == word;
    }
    return one.id == word || one.type == word || word == "all";
}

std::string unknown(std::string_view word, const std::vector<target_name>& there,
                    target_words taken) {
    std::set<std::string> names;
    for (const auto& one : there) {
        if (one.is_server || taken == target_words::anything) {
            names.insert(one.id);
        }
        if (one.is_server) {
            names.insert(one.type);
        }
    }
    const std::vector<std::string> known(names.begin(), names.end());
    return fmt::format("no server and no type '{}'; nearest: {}", word,
                       fmt::join(config::nearest(word, known), ", "));
}

} // namespace

std::vector<target_name> names_of(const server_rows& rows) {
    std::vector<target_name> names;
    for (const auto& row : rows) {
        names.push_back({row.id, row.type, row.id != "web" && row.type != "master"});
    }
    return names;
}

result<std::vector<std::string>> resolve(const std::vector<std::string>& words,
                                         const std::vector<target_name>& there,
                                         target_words taken) {
    std::vector<std::string> ids;
    std::vector<std::string> wrong;
    for (const auto& word : words) {
        bool is_known = word == "all";
        for (const auto& one : there) {
            if (!is_meant(one, word, taken)) {
                continue;
            }
            is_known = true;
            if (std::ranges::find(ids, one.id) == ids.end()) {
                ids.push_back(one.id);
            }
        }
        if (!is_known) {
            wrong.push_back(unknown(word, there, taken));
        }
    }
    if (!wrong.empty()) {
        return error(errc::not_found, fmt::format("{}", fmt::join(wrong, "\n")));
    }
    return {boost::system::in_place_value, std::move(ids)};
}

} // namespace shaddock::control
