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
/// At most 64 KiB. Errors: not_found.
result<std::string> read_small_file(const std::filesystem::path& file);

/// 32 random bytes as 64 hex digits.
std::string random_token();

} // namespace shaddock::master
