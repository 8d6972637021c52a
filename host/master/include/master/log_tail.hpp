#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

namespace shaddock::master {

/// The file that `file` was before it was full: `chat-1.log` is in turn `chat-1.1.log`,
/// `chat-1.2.log`, ...
std::filesystem::path rotated(const std::filesystem::path& file, std::size_t turn);

/// The last lines of a log, each with its line break; older files of it are read too while there
/// are not enough. At most `limit_bytes`, cut at a line; of `file` itself nothing behind the byte
/// `end`. Empty when there is nothing. Thread: any; blocks on the disk.
std::string log_tail(const std::filesystem::path& file, std::size_t lines, std::size_t limit_bytes,
                     std::uintmax_t end = std::numeric_limits<std::uintmax_t>::max());

} // namespace shaddock::master
