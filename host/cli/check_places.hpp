#pragma once

#include "config/load.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// What a system needs of the machine: folders and ports. Nothing is made or taken.
namespace shaddock::cli {

/// Of the run folder and the log folder; one line each.
std::vector<std::string> problems_of_folders(const config::system& system,
                                             const std::filesystem::path& run);

/// A warning for each port on which another process listens now, or which may not be opened. Those
/// of servers that run on this run folder are theirs.
std::vector<config::finding> ports_taken(const config::system& system,
                                         const std::vector<config::port_use>& ports,
                                         const std::filesystem::path& run);

} // namespace shaddock::cli
