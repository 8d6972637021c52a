#pragma once

#include <shaddock/error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Counting on a loop, and what was counted as a value. Counters are plain numbers of one thread:
/// no lock, no look-up; only a scrape turns them into text.
namespace shaddock::base {

/// How often things took how long. Thread: the loop that counts.
class latency_histogram {
public:
    /// Upper bounds of the buckets, included; one more bucket takes what is above.
    static constexpr std::array<std::chrono::microseconds, 14> bounds{
        std::chrono::microseconds(50),        std::chrono::microseconds(100),
        std::chrono::microseconds(250),       std::chrono::microseconds(500),
        std::chrono::microseconds(1'000),     std::chrono::microseconds(2'500),
        std::chrono::microseconds(5'000),     std::chrono::microseconds(10'000),
        std::chrono::microseconds(25'000),    std::chrono::microseconds(100'000),
        std::chrono::microseconds(250'000),   std::chrono::microseconds(1'000'000),
        std::chrono::microseconds(2'500'000), std::chrono::microseconds(10'000'000)};

    void add(std::chrono::nanoseconds took) noexcept {
        std::size_t at = 0;
        while (at < bounds.size() && took > bounds[at]) {
            ++at;
        }
        ++counts_[at];
        sum_ += took;
    }
    /// Per bucket, not cumulative.
    const std::array<std::uint64_t, bounds.size() + 1>& counts() const { return counts_; }
    double sum_seconds() const { return std::chrono::duration<double>(sum_).count(); }
    bool is_empty() const;

private:
    std::array<std::uint64_t, bounds.size() + 1> counts_{};
    std::chrono::nanoseconds sum_{};
};

/// How often things ended how. Thread: the loop that counts.
class outcome_counts {
public:
    void note_ok() noexcept { ++counts_[0]; }
    void note(errc failed) noexcept {
        const auto number = static_cast<std::size_t>(failed);
        const bool is_known = number > 0 && number < counts_.size();
        ++counts_[is_known ? number : static_cast<std::size_t>(errc::internal)];
    }
    template <class T>
    void note(const result<T>& outcome) noexcept {
        if (outcome) {
            note_ok();
        } else {
            note(outcome.error().code());
        }
    }
    std::uint64_t ok() const { return counts_[0]; }
    std::uint64_t of(errc failed) const { return counts_[static_cast<std::size_t>(failed)]; }
    std::uint64_t total() const;
    /// Calls `each(name, count)` for what has happened: `ok`, or the name of the code.
    template <class F>
    void visit(F each) const {
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] != 0) {
                each(i == 0 ? std::string_view("ok") : to_string(static_cast<errc>(i)), counts_[i]);
            }
        }
    }

private:
    /// By the number of the errc; 0: it went well.
    std::array<std::uint64_t, static_cast<std::size_t>(errc::config) + 1> counts_{};
};

enum class metric_kind : std::uint8_t { counter, gauge, histogram };

/// One series at one moment.
struct metric_sample {
    /// Values of the family's labels, in their order.
    std::vector<std::string> labels;
    double value = 0;
    /// Of a histogram: per bucket, not cumulative, one more than there are bounds.
    std::vector<std::uint64_t> buckets{};
    /// Of a histogram: all that was added up.
    double sum = 0;

    friend bool operator==(const metric_sample&, const metric_sample&) = default;
};

/// All series of one name.
struct metric_family {
    /// By the convention of Prometheus: `shaddock_requests_total`.
    std::string name;
    std::string help;
    metric_kind kind = metric_kind::gauge;
    std::vector<std::string> label_names{};
    /// Of a histogram: upper bounds, ascending.
    std::vector<double> bounds{};
    std::vector<metric_sample> samples{};

    friend bool operator==(const metric_family&, const metric_family&) = default;
};

using metric_families = std::vector<metric_family>;

/// A family of one series without labels.
metric_family one_gauge(std::string_view name, std::string_view help, double value);
metric_family one_counter(std::string_view name, std::string_view help, double value);
template <class Number>
void add_gauge(metric_families& all, std::string_view name, std::string_view help, Number value) {
    all.push_back(one_gauge(name, help, static_cast<double>(value)));
}
template <class Number>
void add_counter(metric_families& all, std::string_view name, std::string_view help, Number value) {
    all.push_back(one_counter(name, help, static_cast<double>(value)));
}
/// A histogram in seconds with the bounds of latency_histogram; no samples yet.
metric_family latency_family(std::string_view name, std::string_view help,
                             std::vector<std::string> label_names);
metric_sample latency_sample(std::vector<std::string> labels, const latency_histogram& counted);

} // namespace shaddock::base
