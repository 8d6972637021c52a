#pragma once

#include <CLI/CLI.hpp>

#include <string>

/// What is said of a command line that is none. Only for the .cpp files that describe commands.
namespace shaddock::cli {

/// For people, with a way on: the nearest command of an unknown one; what a command wants, with its
/// examples, where that is missing. `host` has been parsed up to `why`.
std::string text_of(const CLI::App& host, const CLI::ParseError& why);

} // namespace shaddock::cli
