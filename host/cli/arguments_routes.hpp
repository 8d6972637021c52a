#pragma once

#include "cli/arguments.hpp"

#include <optional>

namespace CLI {
class App;
}

namespace shaddock::cli {

/// The command `routes`.
class routes_arguments {
public:
    routes_arguments() = default;
    routes_arguments(const routes_arguments&) = delete;
    routes_arguments& operator=(const routes_arguments&) = delete;

    /// Parsing `app` then fills it. Lifetime: outlives the parsing.
    void add_to(CLI::App& app);
    /// Nothing when the arguments name another command.
    std::optional<command> chosen() const;

private:
    routes_command wanted_;
    CLI::App* app_ = nullptr;
};

} // namespace shaddock::cli
