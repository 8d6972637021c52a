#pragma once

#include "control/status.hpp"

#include <shaddock/error.hpp>

#include <string>
#include <vector>

/// Whom a command is for: the one place where the words behind it become servers.
namespace shaddock::control {

/// What there is to name.
struct target_name {
    std::string id;
    std::string type;
    /// False: a process beside the servers (the page's, the master).
    bool is_server = true;
};

/// Those of `host list`, also of `--all`.
std::vector<target_name> names_of(const server_rows& rows);

/// Of whom a command takes the ids; types, and `all`, are always servers.
enum class target_words {
    servers,
    /// Also of what is no server.
    anything,
};

/// The ids that are meant: in the order of the words, those of a type in the order of `there`, each
/// once. Errors: not_found, with a line for each unknown word and its nearest names.
result<std::vector<std::string>> resolve(const std::vector<std::string>& words,
                                         const std::vector<target_name>& there, target_words taken);

} // namespace shaddock::control
