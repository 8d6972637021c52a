#pragma once

#include "http.hpp"

#include <string>
#include <string_view>

namespace shaddock::master {

/// Empty when the answer has no such header.
inline std::string header(const http_response& answer, std::string_view name) {
    for (const auto& [key, value] : answer.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

} // namespace shaddock::master
