#include "module_files.hpp"

#include "module/module.hpp"

#include <sys/stat.h>

namespace shaddock::node {

std::vector<module_file> module_places(const setting& found, std::string_view type) {
    std::vector<module_file> files;
    for (const auto& name : found.system.host.type(type).modules) {
        files.push_back({name, module::default_folder(found.exe) / name});
    }
    return files;
}

result<std::vector<module_file>> find_modules(const setting& found, std::string_view type) {
    std::vector<module_file> files;
    for (const auto& name : found.system.host.type(type).modules) {
        auto path = module::find(module::default_folder(found.exe), name);
        if (!path) {
            return path.error();
        }
        files.push_back({name, std::move(*path)});
    }
    return files;
}

void keep_modules_before(const std::filesystem::path& folder,
                         const std::vector<module_file>& copies) {
    std::error_code ignored; // then there is nothing to go back to
    std::filesystem::remove_all(folder, ignored);
    std::filesystem::create_directory(folder, ignored);
    for (const auto& copy : copies) {
        std::filesystem::create_hard_link(
            copy.path, folder / std::filesystem::path(copy.name).filename(), ignored);
    }
}

std::vector<file_stamp> stamps_of(const std::vector<module_file>& files) {
    std::vector<file_stamp> stamps;
    for (const auto& file : files) {
        struct stat seen {};
        file_stamp stamp;
        if (::stat(file.path.c_str(), &seen) == 0) {
            stamp = {seen.st_dev, seen.st_ino, seen.st_size,
                     std::int64_t{seen.st_mtim.tv_sec} * 1'000'000'000 + seen.st_mtim.tv_nsec};
        }
        stamps.push_back(stamp);
    }
    return stamps;
}

} // namespace shaddock::node
