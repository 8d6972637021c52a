#include "base/metrics.hpp"

#include <algorithm>
#include <numeric>

namespace shaddock::base {

namespace {

metric_family one(std::string_view name, std::string_view help, metric_kind kind, double value) {
    metric_family made{std::string(name), std::string(help), kind};
    made.samples.push_back({{}, value});
    return made;
}

} // namespace

bool latency_histogram::is_empty() const {
    return std::all_of(counts_.begin(), counts_.end(), [](auto count) { return count == 0; });
}

std::uint64_t outcome_counts::total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

metric_family one_gauge(std::string_view name, std::string_view help, double value) {
    return one(name, help, metric_kind::gauge, value);
}

metric_family one_counter(std::string_view name, std::string_view help, double value) {
    return one(name, help, metric_kind::counter, value);
}

metric_family latency_family(std::string_view name, std::string_view help,
                             std::vector<std::string> label_names) {
    metric_family made{std::string(name), std::string(help), metric_kind::histogram,
                       std::move(label_names)};
    for (const auto bound : latency_histogram::bounds) {
        made.bounds.push_back(std::chrono::duration<double>(bound).count());
    }
    return made;
}

metric_sample latency_sample(std::vector<std::string> labels, const latency_histogram& counted) {
    metric_sample made{std::move(labels)};
    made.buckets.assign(counted.counts().begin(), counted.counts().end());
    made.sum = counted.sum_seconds();
    return made;
}

} // namespace shaddock::base
