#pragma once

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/recent_longest.hpp"

namespace shaddock::base {

/// Notices turns of a loop that take too long: its timer fires late by the rest of the turn it
/// falls into. What it measures is therefore at most the turn: one shorter than `limit` is never
/// reported on a machine that has time for the process, one longer than 1.5 times `limit` always.
///
/// Limits: `limit` 0 = off; the timer fires twice per `limit`, at most each millisecond. Reports
/// are at least a second apart; each has the longest lag since the one before.
/// Thread: the loop of the clock.
class loop_watch {
public:
    loop_watch(clock& clock, duration limit, unique_function<void(duration longest)> report);

    loop_watch(const loop_watch&) = delete;
    loop_watch& operator=(const loop_watch&) = delete;

    /// Begins when the loop is about to run: what came before is not its turn.
    void start();
    void stop();

    /// How late the timer fired, each time.
    const latency_histogram& lags() const { return lags_; }
    /// The longest of the last 30 to 60 seconds.
    duration longest_lag() const { return recent_.value(); }

private:
    void wait();
    void note(duration lag);
    void count(duration lag);

    clock& clock_;
    duration limit_;
    duration period_;
    unique_function<void(duration)> report_;
    timer next_;
    duration longest_{0};
    time_point quiet_until_ = time_point::min();
    latency_histogram lags_;
    recent_longest recent_;
};

} // namespace shaddock::base
