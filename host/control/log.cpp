#include "control/log.hpp"

#include "config/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace shaddock::control {

log_change change_to(std::optional<base::log::level> level, const std::string& area) {
    log_change wanted;
    if (level) {
        wanted.level = to_string(*level);
    }
    if (!area.empty()) {
        wanted.area = area;
    }
    return wanted;
}

result<void> check(const log_change& wanted) {
    if (wanted.level && !base::log::level_of(*wanted.level)) {
        return error(errc::bad_request,
                     fmt::format("level: found '{}', expected one of debug, info, warn, error, off",
                                 *wanted.level));
    }
    const auto& known = base::log::areas();
    if (wanted.area && std::ranges::find(known, *wanted.area) == known.end()) {
        return error(errc::bad_request,
                     fmt::format("area: found '{}', expected one of {}; nearest: {}", *wanted.area,
                                 fmt::join(known, ", "),
                                 fmt::join(config::nearest(*wanted.area, known, 1), ", ")));
    }
    return {};
}

log_levels levels_of(const base::log::levels& now) {
    log_levels said;
    said.level = to_string(now.threshold);
    for (const auto& [area, at] : now.areas) {
        said.areas.emplace(area, to_string(at));
    }
    return said;
}

log_levels apply(const log_change& wanted) {
    auto now = base::log::current_levels();
    const auto level = wanted.level ? base::log::level_of(*wanted.level) : std::nullopt;
    if (level) {
        if (wanted.area) {
            now.areas[*wanted.area] = *level;
        } else {
            now = {*level, {}};
        }
        base::log::set_levels(now);
        now = base::log::current_levels();
    }
    return levels_of(now);
}

} // namespace shaddock::control
