#pragma once

#include "config/load.hpp"
#include "control/requests.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Servers that come while the system runs.
namespace shaddock::master {

struct addition {
    /// In file order; several for `clusterCount`.
    std::vector<config::server_record> servers;
    /// What host.yaml says now; for the types of `servers`.
    config::host_options host;
    /// For people.
    std::vector<std::string> warnings;
};

/// Checks what is to be added as servers.json is checked: alone, against the servers of `system`,
/// and against host.yaml, which is read anew. `serverType` names the type, the other keys are those
/// of a record; values that are JSON numbers, booleans, lists or objects count as such, all others
/// as text. Ids made by `clusterCount` go on after those of the type. Writes and removes a file in
/// `run`; blocks on the disk.
/// Errors: config.
result<addition> check_addition(const config::system& system, const control::addition_keys& keys,
                                const std::filesystem::path& run);

/// The text of control::running_list: these servers, and the epoch of the list.
std::string list_text(const std::vector<config::server_record>& servers, std::uint64_t epoch);

/// The ids of those servers of a running system of which the config folder's servers.json says
/// something else by now. Blocks on the disk; a file that cannot be read says nothing.
std::vector<std::string> edited_since(const config::system& running);

} // namespace shaddock::master
