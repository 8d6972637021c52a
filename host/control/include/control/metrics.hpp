#pragma once

#include "base/metrics.hpp"

#include <shaddock/error.hpp>
#include <shaddock/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

/// Metrics as they travel from a server to its master, and on to whoever asks the master for JSON.
namespace shaddock::control {

/// Values of the labels, and the number.
using told_sample = std::tuple<std::vector<std::string>, double>;
/// Values of the labels, the count per bucket (not cumulative, one more than bounds), the sum.
using told_histogram = std::tuple<std::vector<std::string>, std::vector<std::uint64_t>, double>;

/// base::metric_family in words.
struct told_family {
    std::string name{};
    std::string help{};
    /// counter, gauge or histogram.
    std::string kind{};
    /// Their names.
    std::vector<std::string> labels{};
    /// Of a histogram: upper bounds, ascending.
    std::optional<std::vector<double>> bounds{};
    std::vector<std::variant<told_sample, told_histogram>> samples{};
};
BOOST_DESCRIBE_STRUCT(told_family, (), (name, help, kind, labels, bounds, samples))

/// The answer to the question `metrics`.
using told_families = std::vector<told_family>;
/// What is no finite number becomes 0.
told_families told(const base::metric_families& families);
/// Errors: bad_request, naming the family: it is of another kind, or has not as many labels or
/// buckets as it must.
result<base::metric_families> heard(const told_families& families);

/// The answer of `GET /api/metrics`.
struct told_server {
    std::string id{};
    std::string type{};
    told_families families{};
    /// As of server_row.
    std::optional<std::string> machine{};
};
BOOST_DESCRIBE_STRUCT(told_server, (), (id, type, families, machine))
struct told_servers {
    std::vector<told_server> servers{};
};
BOOST_DESCRIBE_STRUCT(told_servers, (), (servers))

} // namespace shaddock::control
