#pragma once

#include <shaddock/error.hpp>
#include <shaddock/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How a reload is asked for and how it ended, from the server to the master, the command line and
/// people.
namespace shaddock::control {

/// What serves: one generation of a server's modules.
struct running_build {
    std::string version{};
    /// Hexadecimal; empty: the file has none.
    std::string build_id{};
    /// Counts from 1; 0: not known.
    std::uint64_t generation = 0;

    friend bool operator==(const running_build&, const running_build&) = default;
};
BOOST_DESCRIBE_STRUCT(running_build, (), (version, build_id, generation))

/// For logs: `0.1.0 (1a2b3c4d5e6f, generation 2)`.
std::string to_string(const running_build& build);

/// `POST /api/reload`.
struct reload_request {
    /// Types and ids; at least one.
    std::vector<std::string> targets{};
    /// To the generation before instead of the file.
    bool rollback = false;
    /// Everything but the swap: checks, and says whom the swap would cut off.
    bool dry_run = false;
};
BOOST_DESCRIBE_STRUCT(reload_request, (), (targets, rollback, dry_run))

/// The same to one server.
struct reload_order {
    /// The master's number; comes back in the record.
    std::uint64_t job = 0;
    bool rollback = false;
    bool dry_run = false;
};
BOOST_DESCRIBE_STRUCT(reload_order, (), (job, rollback, dry_run))

enum class reload_outcome {
    swapped,
    /// Of a dry run: nothing stands in the way.
    would_swap,
    /// The old generation serves on.
    refused,
    /// Not asked: another one of its type has refused before, or it is not running.
    skipped,
};

/// How the reload of one server ended: what the server says under `reloaded`, and the master to who
/// has asked.
struct reload_record {
    /// As reload_order has it; 0: the server's own doing. Absent where the master tells.
    std::optional<std::uint64_t> job{};
    std::string id{};
    std::string type{};
    bool ok = false;
    /// Of a dry run: nothing was swapped.
    std::optional<bool> dry_run{};
    std::optional<bool> skipped{};
    /// What served when it began, and serves still unless it swapped.
    running_build from{};
    /// What serves now, or would; with `ok` alone.
    std::optional<running_build> to{};
    /// Why not, one line: file, what was found, what was wanted, what to do. With `ok` never.
    std::optional<std::string> reason{};
    /// Whom the swap cuts off, since types of contracts differ; a line each.
    std::optional<std::string> cut_off{};
    /// From its begin, waiting for others not counted; one digit behind the point.
    double ms = 0;
    /// As of server_row.
    std::optional<std::string> machine{};

    reload_outcome outcome() const;
    /// `ok` says `to`, anything else a reason.
    bool is_whole() const { return ok ? to.has_value() : reason.has_value(); }

    friend bool operator==(const reload_record&, const reload_record&) = default;
};
BOOST_DESCRIBE_STRUCT(reload_record, (),
                      (job, id, type, ok, dry_run, skipped, from, to, reason, cut_off, ms, machine))

/// The answer of `POST /api/reload`.
struct reload_results {
    std::vector<reload_record> results{};
};
BOOST_DESCRIBE_STRUCT(reload_results, (), (results))

/// Nobody has refused, and somebody has swapped or would.
bool has_succeeded(const reload_results& all);
/// For people: a line per server under a heading; below it the reason when it has not swapped, or
/// whom it cuts off.
std::string to_table(const reload_results& all);
/// For people, before a swap: whom it will cut off, the ids of the servers that say so before each
/// text. Empty: nobody.
std::string to_warning(const reload_results& looked);

/// With one digit behind the point.
double rounded_ms(double ms);

} // namespace shaddock::control
