#pragma once

#include <shaddock/message.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

/// How servers were started or restarted, from the master to the command line and to people.
namespace shaddock::control {

enum class start_outcome {
    ready,
    failed,
    /// Not touched: another one of its type has failed before.
    skipped,
};

struct start_record {
    std::string id{};
    std::string type{};
    bool ok = false;
    /// Of the new process; absent unless it is ready.
    std::optional<pid_t> pid{};
    std::optional<bool> skipped{};
    /// Why it is not ready.
    std::optional<std::string> reason{};
    /// What to know of one that is ready.
    std::optional<std::string> warning{};
    /// From the first step (the stop, of a restart) until it was ready; one digit behind the point.
    double ms = 0;
    /// As of server_row.
    std::optional<std::string> machine{};

    start_outcome outcome() const;
    /// Sets `ok`, `skipped` and, unless it is ready, `reason`.
    void end_as(start_outcome how, std::string why = {});

    friend bool operator==(const start_record&, const start_record&) = default;
};
BOOST_DESCRIBE_STRUCT(start_record, (), (id, type, ok, pid, skipped, reason, warning, ms, machine))

/// The answer of `POST /api/restart` and `POST /api/add`.
struct start_results {
    std::vector<start_record> results{};
};
BOOST_DESCRIBE_STRUCT(start_results, (), (results))

/// For people: a line per server under a heading, what failed with its reason below.
std::string to_table(const start_results& all);
/// Whether there are any and all are ready.
bool has_succeeded(const start_results& all);

} // namespace shaddock::control
