#pragma once

#include "config/load.hpp"

#include <filesystem>
#include <optional>

namespace shaddock::node {

/// Everything that a process is started with, found and checked. Paths are absolute.
struct setting {
    config::system system;
    std::filesystem::path exe;
    std::filesystem::path run;
    std::optional<std::filesystem::path> servers_file;
};

} // namespace shaddock::node
