#include "latency.hpp"

#include <algorithm>
#include <bit>

namespace shaddock::bench {

void latency::record(std::int64_t ns) {
    ns = std::max<std::int64_t>(ns, 0);
    ++counts_[place_of(static_cast<std::uint64_t>(ns))];
    ++count_;
    max_ = std::max(max_, ns);
    sum_ += static_cast<double>(ns);
}

double latency::mean_us() const {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_) / 1000;
}

double latency::percentile_us(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t passed = 0;
    for (std::size_t place = 0; place < counts_.size(); ++place) {
        passed += counts_[place];
        if (passed > wanted || (passed == count_ && count_ > 0)) {
            const auto end = std::min(upper_end(place), static_cast<std::uint64_t>(max_));
            return static_cast<double>(end) / 1000;
        }
    }
    return 0;
}

/// Values below 128 have a place of their own; above, the top 7 bits and the power of two count.
std::size_t latency::place_of(std::uint64_t ns) {
    const auto width = static_cast<unsigned>(std::bit_width(ns));
    if (width <= step_bits + 1) {
        return static_cast<std::size_t>(ns);
    }
    const unsigned shift = width - step_bits - 1;
    return (static_cast<std::size_t>(shift) << step_bits) + static_cast<std::size_t>(ns >> shift);
}

std::uint64_t latency::upper_end(std::size_t place) {
    if (place < (std::size_t{2} << step_bits)) {
        return place;
    }
    const std::size_t shift = (place >> step_bits) - 1;
    const std::uint64_t top = place - (shift << step_bits);
    return ((top + 1) << shift) - 1;
}

} // namespace shaddock::bench
