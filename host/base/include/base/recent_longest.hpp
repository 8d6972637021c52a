#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace shaddock::base {

/// The longest of what took time in the last 30 to 60 seconds. Thread: the loop.
class recent_longest {
public:
    void add(duration took, time_point now) {
        if (now >= window_end_) {
            before_ = std::exchange(longest_, duration::zero());
            window_end_ = now + window;
        }
        longest_ = std::max(longest_, took);
    }
    duration value() const { return std::max(longest_, before_); }

private:
    static constexpr duration window = std::chrono::seconds(30);

    duration longest_{0};
    duration before_{0};
    time_point window_end_ = time_point::min();
};

} // namespace shaddock::base
