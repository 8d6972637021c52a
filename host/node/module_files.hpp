#pragma once

#include "node/setting.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The module files of a type as they lie on the disk.
namespace shaddock::node {

struct module_file {
    /// As host.yaml names it.
    std::string name;
    std::filesystem::path path;
};

/// Where the type's modules should be, whether or not they are there.
std::vector<module_file> module_places(const setting& found, std::string_view type);

/// The type's modules. Errors: config, for one that is not there.
result<std::vector<module_file>> find_modules(const setting& found, std::string_view type);

/// Makes control::modules_before() anew of these files, each a name and its copy: a link to the
/// copy, under the file's name. Thread: any.
void keep_modules_before(const std::filesystem::path& folder,
                         const std::vector<module_file>& copies);

/// Which file a name stands for and when it was last written; equal as long as nothing has changed.
struct file_stamp {
    std::uint64_t device = 0;
    /// 0: there is no such file.
    std::uint64_t number = 0;
    std::int64_t size = 0;
    std::int64_t written_ns = 0;

    friend bool operator==(const file_stamp&, const file_stamp&) = default;
};
std::vector<file_stamp> stamps_of(const std::vector<module_file>& files);

} // namespace shaddock::node
