#include "control/run_files.hpp"

#include <fmt/format.h>

namespace shaddock::control {

std::filesystem::path running_list(const std::filesystem::path& run) {
    return run / "servers.json";
}

std::filesystem::path output_folder(const config::system& system,
                                    const std::filesystem::path& run) {
    const auto& log = system.host.log.folder;
    return std::filesystem::absolute(log.empty() ? run : log);
}

std::filesystem::path modules_before(const std::filesystem::path& run, std::string_view id) {
    return run / fmt::format("{}.before", id);
}

} // namespace shaddock::control
