#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace shaddock::bench {

/// A histogram of times: 64 steps per power of two, so a percentile is at most 1.6 % too high.
class latency {
public:
    void record(std::int64_t ns);
    std::uint64_t count() const { return count_; }
    std::int64_t max_ns() const { return max_; }
    double mean_us() const;
    /// The time under which `share` (0 to 1) of all lie, in microseconds; 0 when there are none.
    double percentile_us(double share) const;

private:
    static constexpr unsigned step_bits = 6;
    static std::size_t place_of(std::uint64_t ns);
    static std::uint64_t upper_end(std::size_t place);

    std::array<std::uint64_t, (64 - step_bits) << step_bits> counts_{};
    std::uint64_t count_ = 0;
    std::int64_t max_ = 0;
    double sum_ = 0;
};

} // namespace shaddock::bench
