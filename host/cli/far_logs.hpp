#pragma once

#include "control/requests.hpp"
#include "master/admin.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::cli {

/// Where in `now`, the last lines of a log, the lines begin that `before`, those of an earlier
/// time, does not have.
std::size_t first_new_line(const std::vector<std::string>& before,
                           const std::vector<std::string>& now);

/// The last lines of these logs, of all machines; 0: only where they are. Errors: those of the
/// call.
result<control::log_tails> tails_of(const master::admin_client& master,
                                    const std::vector<std::string>& targets, std::size_t lines);

/// Logs of other machines, whose last lines their masters tell.
class far_logs {
public:
    /// `targets`: as of `host logs`; what is of this machine is passed over.
    far_logs(master::admin_client master, std::vector<std::string> targets)
        : master_(std::move(master)), targets_(std::move(targets)) {}

    /// The last lines of each, at most so many, a text for each log. Errors: as tails_of.
    result<std::vector<std::string>> last(std::size_t lines);
    /// What has come since the last call, or since `last`; of more than 1000 lines the last ones,
    /// which is said. What is not to be had now comes later.
    std::string read_more();

private:
    master::admin_client master_;
    std::vector<std::string> targets_;
    /// By machine and id: the lines that were read last.
    std::map<std::string, std::vector<std::string>> read_;
};

} // namespace shaddock::cli
