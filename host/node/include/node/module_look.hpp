#pragma once

#include "server/message_shape.hpp"

#include <shaddock/error.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::node {

/// A method that a module registers.
struct registered_route {
    /// `type.handler.method` or `type.remote.method`.
    std::string route;
    bool is_serial = false;
    /// As the SDK writes them (shaddock/detail/shape.hpp); empty: not known.
    std::string request_shape;
    std::string reply_shape;
};

/// What a module registers, in that order.
struct module_routes {
    std::vector<registered_route> handlers;
    std::vector<registered_route> remotes;
    /// What it serves other servers, and what it says that it calls.
    server::contract_rows contracts;
};

/// The file of a module that host.yaml names, for the program `exe`.
/// Errors: config: no such file, those that are there, and the nearest of them.
result<std::filesystem::path> find_module(const std::filesystem::path& exe, std::string_view name);

/// Opens the file in a process of its own, as a server of the type would, and reads its routes:
/// what crashes or spins does it there. Nothing of the plugin is created; what it runs by being
/// opened runs in that process only.
/// Errors: config, `<file>: found .., wanted ..: what to do`.
/// Thread: of a process that has no other yet (it forks); blocks up to `limit`.
result<module_routes> look_at_module(const std::filesystem::path& file, std::string_view type,
                                     std::chrono::milliseconds limit = std::chrono::seconds(5));

} // namespace shaddock::node
