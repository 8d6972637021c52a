#pragma once

#include <filesystem>
#include <optional>

namespace shaddock::node {

/// Where copies of module files stand while they are looked at: the given folder, which stays, or a
/// temporary one, which goes with this object.
class scratch_folder {
public:
    /// Throws std::runtime_error when no temporary folder can be made.
    explicit scratch_folder(const std::optional<std::filesystem::path>& given = {});
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder();
    const std::filesystem::path& path() const { return path_; }

private:
    bool is_own_;
    std::filesystem::path path_;
};

} // namespace shaddock::node
