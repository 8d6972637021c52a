#include "scratch_folder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace shaddock::node {

namespace fs = std::filesystem;

scratch_folder::scratch_folder(const std::optional<fs::path>& given) : is_own_(!given) {
    if (given) {
        path_ = fs::absolute(*given);
        return;
    }
    auto name = (fs::temp_directory_path() / "shaddock-check-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error(
            fmt::format("no temporary folder: {}", std::generic_category().message(errno)));
    }
    path_ = name;
}

scratch_folder::~scratch_folder() {
    if (is_own_) {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
}

} // namespace shaddock::node
