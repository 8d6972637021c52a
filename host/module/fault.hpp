#pragma once

#include <shaddock/error.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace shaddock::module {

/// "found X, wanted Y: what to do"; the loader puts the file's name before it.
inline error fault(std::string_view found, std::string_view wanted, std::string_view remedy) {
    std::string text = "found ";
    text.append(found).append(", wanted ").append(wanted).append(": ").append(remedy);
    return error(errc::config, std::move(text));
}

} // namespace shaddock::module
