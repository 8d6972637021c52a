#include "complaint.hpp"
#include "config/load.hpp"
#include "read.hpp"

#include <fmt/format.h>

namespace shaddock::config {
namespace {

constexpr std::size_t most_routes = 65535;
constexpr std::size_t longest_route = 255;

std::string route_of(const json_value& value, const place& where) {
    constexpr std::string_view expected = "a route, a text of 1 to 255 bytes";
    if (value.is != json_value::kind::string) {
        throw complaint(where, describe(value), expected);
    }
    if (value.text.empty() || value.text.size() > longest_route) {
        throw complaint(where, fmt::format("a text of {} bytes", value.text.size()), expected);
    }
    return value.text;
}

std::vector<std::string> parse_dictionary(const json_source& source) {
    const json_value& root = source.root;
    const bool is_empty_object = root.is == json_value::kind::object && root.members.empty();
    const place where{source.path, root.line, source.key};
    if (root.is != json_value::kind::list && !is_empty_object) {
        throw complaint(where, describe(root), "a list of routes such as [\"onChat\"]");
    }
    if (root.members.size() > most_routes) {
        throw complaint(where, fmt::format("{} routes", root.members.size()),
                        fmt::format("at most {}", most_routes));
    }
    std::vector<std::string> routes;
    routes.reserve(root.members.size());
    for (const json_member& member : root.members) {
        routes.push_back(
            route_of(member.value, {source.path, member.line, element(source.key, routes.size())}));
    }
    return routes;
}

} // namespace

result<std::vector<std::string>> read_dictionary(const std::filesystem::path& folder,
                                                 std::string_view env) {
    try {
        auto file = find_file(folder, env, "dictionary.json");
        return file ? parse_dictionary(cut_for_env(std::move(*file), env))
                    : std::vector<std::string>();
    } catch (const error& failed) {
        return failed;
    }
}

} // namespace shaddock::config
