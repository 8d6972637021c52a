#pragma once

#include <shaddock/error.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How servers were started or restarted: from the master to the command line, and to people.
namespace shaddock::master {

enum class start_outcome {
    ready,
    failed,
    /// Not touched: another one of its type has failed before.
    skipped,
};

struct start_line {
    std::string id;
    std::string type;
    start_outcome outcome = start_outcome::failed;
    /// Of the new process; null unless it is ready.
    std::optional<pid_t> pid;
    /// Empty when it is ready.
    std::string reason;
    /// From the first step (the stop, of a restart) until it was ready.
    double ms = 0;

    friend bool operator==(const start_line&, const start_line&) = default;
};

/// Form: {"results":[{"id","type","ok":true,"pid":N,"ms":12.3},{"id","type","ok":false,"reason",
/// "ms"},{"id","type","ok":false,"skipped":true,"reason"},..]}.
std::string to_json(const std::vector<start_line>& lines);
/// Errors: bad_request.
result<std::vector<start_line>> starts_from_json(std::string_view text);
/// For people: a line per server under a heading, what failed with its reason below.
std::string to_table(const std::vector<start_line>& lines);
/// Whether there are any and all are ready.
bool has_succeeded(const std::vector<start_line>& lines);

} // namespace shaddock::master
