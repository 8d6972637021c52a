#pragma once

#include <shaddock/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How a reload ended, as the servers say it to the master, the master to the command line, and the
/// command line to people.
namespace shaddock::master {

/// What serves: one generation of a server's modules.
struct running_build {
    std::string version;
    /// Hexadecimal; empty: the file has none.
    std::string build_id;
    /// Counts from 1; 0: not known.
    std::uint64_t generation = 0;

    friend bool operator==(const running_build&, const running_build&) = default;
};

/// The first digits of a build id; `-` when there is none.
std::string short_build_id(std::string_view build_id);
/// For logs: `0.1.0 (1a2b3c4d5e6f, generation 2)`.
std::string to_string(const running_build& build);

/// What a reload is asked to do.
struct reload_request {
    /// Types and ids; at least one.
    std::vector<std::string> targets;
    /// To the generation before instead of the file.
    bool is_rollback = false;
    /// Everything but the swap: checks, and says whom the swap would cut off.
    bool is_dry_run = false;
};

enum class reload_outcome {
    swapped,
    /// Of a dry run: nothing stands in the way.
    would_swap,
    /// The old generation serves on.
    refused,
    /// Not asked: another one of its type has refused before, or it is not running.
    skipped,
};

/// One server of a reload.
struct reload_line {
    std::string id;
    std::string type;
    reload_outcome outcome = reload_outcome::refused;
    running_build from;
    /// As `from` unless it has swapped or would.
    running_build to;
    /// Empty when it has swapped or would.
    std::string reason;
    double ms = 0;
    /// Whom the swap cuts off, since types of contracts differ; a line each.
    std::string cut_off{};

    bool is_ok() const {
        return outcome == reload_outcome::swapped || outcome == reload_outcome::would_swap;
    }

    friend bool operator==(const reload_line&, const reload_line&) = default;
};

/// Nobody has refused, and somebody has swapped or would.
bool has_succeeded(const std::vector<reload_line>& lines);

/// Form: {"results":[{"id","type","ok":true,"from":{"version","build_id","generation"},"to":{..},
/// "ms"}]}, "cut_off" when it cuts others off, and "dry_run":true when nothing was swapped; instead
/// of `to`, a refusal has "ok":false and "reason", a skipped one "skipped":true, too.
std::string to_json(const std::vector<reload_line>& lines);
/// Errors: bad_request.
result<std::vector<reload_line>> reload_from_json(std::string_view text);
/// For people: a line per server under a heading; below it the reason when it has not swapped, or
/// whom it cuts off.
std::string to_table(const std::vector<reload_line>& lines);
/// For people, before a swap: whom it will cut off, the ids of the servers that say so before each
/// text. Empty: nobody.
std::string to_warning(const std::vector<reload_line>& looked);

/// What a server answers on its line to the master, `reloaded`.
struct reload_answer {
    std::uint64_t job = 0;
    bool ok = false;
    bool is_dry_run = false;
    running_build from;
    std::optional<running_build> to;
    std::string reason;
    double ms = 0;
    std::string cut_off{};
};
/// Errors: bad_request (no object, or it says neither `to` nor `reason`).
result<reload_answer> reload_answer_from_json(std::string_view text);

} // namespace shaddock::master
