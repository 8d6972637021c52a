#pragma once

#include "config/load.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// What a system needs of the machine: folders, ports and file descriptors. Nothing is made or
/// taken.
namespace shaddock::cli {

/// Of the run folder and the log folder; one line each.
std::vector<std::string> problems_of_folders(const config::system& system,
                                             const std::filesystem::path& run);

/// Of frontends whose connections_limit is more than the descriptors that a process may have here
/// allow; one line each. 0 is no limit and says nothing.
std::vector<std::string> too_few_descriptors(const config::system& system);

/// A warning for each port on which another process listens now, or which may not be opened. Those
/// of servers that run on this run folder are theirs.
std::vector<config::finding> ports_taken(const config::system& system,
                                         const std::vector<config::port_use>& ports,
                                         const std::filesystem::path& run);

} // namespace shaddock::cli
