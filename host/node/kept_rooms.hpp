#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// What plugins know of their rooms, from one life of a server to the next: `<run>/<id>.rooms`.
/// Blocks on the disk.
namespace shaddock::node {

/// Empty: there is nothing, or it cannot be read.
std::string read_kept_rooms(const std::filesystem::path& run, std::string_view id);
/// They are for one life: when it has started.
void forget_kept_rooms(const std::filesystem::path& run, std::string_view id);
/// What cannot be written is lost, and the log says so.
void keep_rooms(const std::filesystem::path& run, std::string_view id, std::string_view bytes);

} // namespace shaddock::node
