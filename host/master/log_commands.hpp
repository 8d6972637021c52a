#pragma once

#include "asks.hpp"
#include "base/function.hpp"
#include "config/load.hpp"
#include "control/log.hpp"
#include "master/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What the master does for `host log` and `host logs`.
namespace shaddock::master {

using log_results_call = base::unique_function<void(const control::log_results&)>;

/// Asks each of the targets (types, ids, `all`; `master` or `master_id` is this process) to change
/// its levels, all at once. `done` once, never inline; in order of the ids. Errors: not_found.
result<void> change_levels(asks& questions, const boost::asio::any_io_executor& executor,
                           const std::string& master_id, const std::vector<child_report>& children,
                           const std::vector<std::string>& targets,
                           const control::log_change& wanted, log_results_call done);

struct log_place {
    std::string id;
    std::filesystem::path file;
};

/// Where these log: servers, the page, `master` (or its id); no words: all of these. Errors:
/// not_found; config (logs go to no file).
result<std::vector<log_place>> find_logs(const config::system& system,
                                         const std::vector<child_report>& children,
                                         std::vector<std::string> words);

} // namespace shaddock::master
