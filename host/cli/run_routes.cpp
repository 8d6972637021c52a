#include "cli/run.hpp"
#include "route_list.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace shaddock::cli {

int run_command(const routes_command& wanted) {
    const auto list = list_routes(wanted.where, wanted.type);
    if (!list) {
        return complain(list.error().text());
    }
    fmt::print("{}", wanted.as_json ? to_json(*list) + "\n" : to_text(*list));
    std::fflush(stdout);
    for (const auto& one : list->problems) {
        complain(one);
    }
    return list->problems.empty() ? 0 : exit_failed;
}

} // namespace shaddock::cli
