#include "base/memory_return.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>

namespace shaddock::base {
namespace {

constexpr duration period = std::chrono::seconds(5);
/// Less is not worth the time that it takes, which is some milliseconds.
constexpr std::size_t worth = std::size_t{16} * 1024 * 1024;

} // namespace

void memory_return::start() {
    next_ = clock_.after(period, [this] {
        look();
        start();
    });
}

void memory_return::look() {
    const std::size_t free = mallinfo2().fordblks;
    // What it cannot give back is not tried again and again.
    left_ = std::min(left_, free);
    if (free >= left_ + worth) {
        malloc_trim(0);
        left_ = mallinfo2().fordblks;
    }
}

} // namespace shaddock::base
