#pragma once

#include <shaddock/error.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cli {

/// What a module registers.
struct module_routes {
    /// `type.handler.method`.
    std::vector<std::string> handlers;
    /// `type.remote.method`.
    std::vector<std::string> remotes;
};

/// Opens the file in a process of its own, as a server of the type would, and reads its routes:
/// what crashes or spins does it there. Nothing of the plugin is created; what it runs by being
/// opened runs in that process only.
/// Errors: config, `<file>: found .., wanted ..: what to do`.
/// Thread: of a process that has no other yet (it forks); blocks up to `limit`.
result<module_routes> look_at_module(const std::filesystem::path& file, std::string_view type,
                                     std::chrono::milliseconds limit = std::chrono::seconds(5));

} // namespace shaddock::cli
