#include "base/loop_watch.hpp"

#include <algorithm>

namespace shaddock::base {
namespace {

constexpr duration shortest_period = std::chrono::milliseconds(1);
constexpr duration between_reports = std::chrono::seconds(1);

} // namespace

loop_watch::loop_watch(clock& clock, duration limit, unique_function<void(duration)> report)
    : clock_(clock), limit_(limit), period_(std::max(limit / 2, shortest_period)),
      report_(std::move(report)) {}

void loop_watch::start() {
    if (limit_ > duration::zero()) {
        wait();
    }
}

void loop_watch::stop() {
    next_.cancel();
}

void loop_watch::wait() {
    const auto due = clock_.now() + period_;
    next_ = clock_.at(due, [this, due] {
        const auto lag = clock_.now() - due;
        count(lag);
        note(lag);
        wait();
    });
}

void loop_watch::count(duration lag) {
    lags_.add(lag);
    recent_.add(lag, clock_.now());
}

void loop_watch::note(duration lag) {
    if (lag > limit_) {
        longest_ = std::max(longest_, lag);
    }
    const auto now = clock_.now();
    if (longest_ > duration::zero() && now >= quiet_until_) {
        quiet_until_ = now + between_reports;
        report_(std::exchange(longest_, duration::zero()));
    }
}

} // namespace shaddock::base
