#pragma once

#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace shaddock::cli {

/// The command that the arguments name; the test fails when they name another one, or none.
template <class Command>
Command parsed(const std::vector<std::string>& arguments) {
    auto found = parse(arguments);
    if (auto* wanted = std::get_if<Command>(&found)) {
        return *wanted;
    }
    const auto* said = std::get_if<answer>(&found);
    ADD_FAILURE() << "another command; said: " << (said == nullptr ? "" : said->text);
    return {};
}

} // namespace shaddock::cli
