#pragma once

#include <shaddock/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace shaddock::module {

/// What opening a plugin needs of its file.
struct source {
    std::string bytes;
    std::uint64_t file_size = 0;
};

/// Reads the file once, so that what is checked is what is opened, whoever writes to it meanwhile.
/// It must be a regular file of this process's user or root that nobody else may write, in a folder
/// where not everybody may put another in its place; a link must not lead out of its folder.
/// `after_read` is called between reading and looking whether the file is still the same. Limits:
/// 256 MiB; a file that changes is read again, three times in all. Errors: config, "found ..,
/// wanted
/// ..: what to do".
result<source> read_source(
    const std::filesystem::path& file, const std::function<void()>& after_read = [] {});

} // namespace shaddock::module
