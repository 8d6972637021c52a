#pragma once

#include "cli/arguments.hpp"

#include <optional>

namespace CLI {
class App;
}

namespace shaddock::cli {

/// The command `routes`.
class routes_verb {
public:
    /// Parsing `app` fills it. Lifetime: outlives the parsing.
    explicit routes_verb(CLI::App& app);
    routes_verb(const routes_verb&) = delete;
    routes_verb& operator=(const routes_verb&) = delete;

    /// Nothing when the arguments name another command.
    std::optional<command> chosen() const;

private:
    routes_command wanted_;
    CLI::App* app_;
};

} // namespace shaddock::cli
