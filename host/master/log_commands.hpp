#pragma once

#include "asks.hpp"
#include "command_routes.hpp"
#include "config/load.hpp"
#include "master/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What the master does for `host log` and `host logs`.
namespace shaddock::master {

/// Asks each of the targets (types, ids, `all`; `master` or `master_id` is this process) to change
/// its levels, all at once. `done` once, never inline; in order of the ids. Errors: not_found.
result<void> change_levels(asks& questions, const boost::asio::any_io_executor& executor,
                           const std::string& master_id, const std::vector<child_report>& children,
                           const std::vector<std::string>& targets, const log_change& wanted,
                           log_levels_call done);

/// As command_target::log_file.
result<std::filesystem::path> find_log(const config::system& system,
                                       const std::vector<child_report>& children,
                                       std::string_view id);

} // namespace shaddock::master
