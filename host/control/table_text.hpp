#pragma once

#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace shaddock::control {

/// The lines of a reason, below the row of a table that they belong to. What a plugin said does not
/// steer the terminal.
inline std::string indented(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out += fmt::format("  {}\n", base::log::printable(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

} // namespace shaddock::control
