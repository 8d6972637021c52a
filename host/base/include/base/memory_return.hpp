#pragma once

#include "base/clock.hpp"

#include <cstddef>

namespace shaddock::base {

/// Gives memory that went free back to the system, which the allocator does not do by itself: after
/// an attack a process is as small as before. It looks every few seconds.
/// Thread: the loop of the clock.
class memory_return {
public:
    explicit memory_return(clock& clock) : clock_(clock) {}
    void start();
    void stop() { next_.cancel(); }

private:
    void look();

    clock& clock_;
    timer next_;
    /// Free bytes that the last try has left.
    std::size_t left_ = 0;
};

} // namespace shaddock::base
