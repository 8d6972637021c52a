#pragma once

#include "@contracts@"
#include "@name@_counter.hpp"

namespace @name@_type {

/// What other servers may ask, as @contracts@ says.
class @name@_remote {
public:
    explicit @name@_remote(counter& counter) : counter_(counter) {}
    std::int64_t total() const { return counter_.total(); }

private:
    counter& counter_;
};

} // namespace @name@_type
