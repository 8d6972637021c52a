#pragma once

#include "config/load.hpp"

#include <filesystem>
#include <string_view>

/// Files that a master and its servers both know.
namespace shaddock::control {

/// The list of a running system: `<run>/servers.json`, in the form of servers.json without
/// sections, with its epoch. A master writes it; it is there until everything stops, and counts
/// instead of the config folder's file as long as any process of the system runs.
std::filesystem::path running_list(const std::filesystem::path& run);

/// Where the children's `<id>.out` and `<id>.crash` are: beside the logs.
std::filesystem::path output_folder(const config::system& system, const std::filesystem::path& run);

/// `<run>/<id>.before`: what served before the last swap of a server's modules, for the start after
/// a crash of the new ones.
std::filesystem::path modules_before(const std::filesystem::path& run, std::string_view id);

} // namespace shaddock::control
