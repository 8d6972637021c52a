#pragma once

#include <shaddock/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>

/// Small files that only this user may read: the admin token, and where the master is.
namespace shaddock::master {

/// Writes the file in one step, mode 0600: a reader sees the old one or the new one. Errors:
/// config.
result<void> write_private_file(const std::filesystem::path& file, std::string_view text);
/// A secret that outlives its process: the line that `file` holds, or a random one, which is
/// written there. The file has mode 0600; with a `group`, its and 0640. Errors: config (no such
/// group; the file is no regular one, belongs to another user than this one or root, may be read by
/// others or written by the group, or does not hold 32 to 256 letters, digits or `-._~+/=`).
result<std::string> kept_secret(const std::filesystem::path& file, const std::string& group);
/// At most 64 KiB. Errors: not_found.
result<std::string> read_small_file(const std::filesystem::path& file);

/// 32 random bytes as 64 hex digits.
std::string random_token();

} // namespace shaddock::master
