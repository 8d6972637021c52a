#pragma once

#include "base/log.hpp"

#include <shaddock/error.hpp>
#include <shaddock/message.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

/// Levels of logs, asked for and changed: `host log`.
namespace shaddock::control {

/// The arguments of the question `log`; without a level nothing changes.
struct log_change {
    /// A level's name.
    std::optional<std::string> level{};
    /// Absent: all areas.
    std::optional<std::string> area{};
};
BOOST_DESCRIBE_STRUCT(log_change, (), (level, area))
log_change change_to(std::optional<base::log::level> level, const std::string& area);
/// Errors: bad_request, naming the known levels or areas.
result<void> check(const log_change& wanted);

/// `POST /api/log`: the same for these targets.
struct log_request : log_change {
    std::vector<std::string> targets{};
};
BOOST_DESCRIBE_STRUCT(log_request, (log_change), (targets))

/// The answer to the question `log`.
struct log_levels {
    std::string level{};
    std::map<std::string, std::string> areas{};

    friend bool operator==(const log_levels&, const log_levels&) = default;
};
BOOST_DESCRIBE_STRUCT(log_levels, (), (level, areas))
log_levels levels_of(const base::log::levels& now);
/// Does it in this process; answers what the levels are now. `wanted` has been checked.
log_levels apply(const log_change& wanted);

/// One server's answer.
struct log_record {
    std::string id{};
    bool ok = false;
    std::optional<log_levels> levels{};
    /// Why it has not answered.
    std::optional<std::string> reason{};
    /// As of server_row.
    std::optional<std::string> machine{};
};
BOOST_DESCRIBE_STRUCT(log_record, (), (id, ok, levels, reason, machine))

/// The answer of `POST /api/log`.
struct log_results {
    std::vector<log_record> results{};
};
BOOST_DESCRIBE_STRUCT(log_results, (), (results))

} // namespace shaddock::control
