#pragma once

#include "base/function.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>

namespace shaddock::base {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;
/// `by` after `from`; durations up to `max()` end in the time point that never comes.
constexpr time_point later(time_point from, duration by) {
    return by < time_point::max() - from ? from + by : time_point::max();
}
using wall_time = std::chrono::system_clock::time_point;

/// A pending call of a clock. Destroying it, or `cancel`, takes the call back; the call never runs
/// after that.
class timer {
public:
    timer() = default;
    timer(timer&&) noexcept = default;
    timer& operator=(timer&& other) noexcept {
        cancel();
        state_ = std::move(other.state_);
        return *this;
    }
    ~timer() { cancel(); }
    void cancel();
    bool is_armed() const;

    /// What a clock shares with its timer; empty `call` means cancelled or done.
    struct state {
        virtual ~state() = default;
        virtual void cancelled() = 0;
        unique_function<void()> call;
    };
    explicit timer(std::shared_ptr<state> shared) : state_(std::move(shared)) {}

private:
    std::shared_ptr<state> state_;
};

/// Time as a dependency: all that waits in the host waits on one of these, and reads no other, so
/// tests can move it by hand (tests/house/one_clock.py). Thread: the loop of the executor it was
/// made with.
class clock {
public:
    virtual ~clock() = default;
    virtual time_point now() const = 0;
    /// The date, which may jump: for people, and for numbers that grow from life to life.
    virtual wall_time wall_now() const = 0;
    /// As Unix time: an incarnation, which is larger for each later life of an id.
    std::uint64_t wall_ns() const {
        return static_cast<std::uint64_t>(
            std::chrono::nanoseconds(wall_now().time_since_epoch()).count());
    }
    /// Every JSON reader takes a number of that size exactly.
    std::uint64_t wall_ms() const { return wall_ns() / 1'000'000; }
    /// Calls `call` on the loop at or after `due`, never inline. Keep the timer: dropping it
    /// cancels.
    [[nodiscard]] virtual timer at(time_point due, unique_function<void()> call) = 0;
    [[nodiscard]] timer after(duration delay, unique_function<void()> call) {
        return at(later(now(), delay), std::move(call));
    }
};

/// std::chrono::steady_clock and Asio's timers. Without an executor it can only be read.
class steady_clock final : public clock {
public:
    explicit steady_clock(boost::asio::any_io_executor executor = {})
        : executor_(std::move(executor)) {}
    time_point now() const override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() const override { return std::chrono::system_clock::now(); }
    timer at(time_point due, unique_function<void()> call) override;

private:
    boost::asio::any_io_executor executor_;
};

/// For tests: time stands still until `advance`, which runs what falls due in order, each inside
/// advance().
class manual_clock final : public clock {
public:
    time_point now() const override { return now_; }
    wall_time wall_now() const override { return wall_at_zero_ + now_.time_since_epoch(); }
    timer at(time_point due, unique_function<void()> call) override;
    void advance(duration by);
    /// As when the process was stopped: what falls due runs late, with the next advance.
    void stand_still(duration by) { now_ += by; }
    /// It goes on from there.
    void set_wall(wall_time now) { wall_at_zero_ = now - now_.time_since_epoch(); }

private:
    struct entry;
    time_point now_{std::chrono::hours(1)};
    wall_time wall_at_zero_{};
    std::multimap<time_point, std::shared_ptr<entry>> pending_;
};

/// Since the machine booted, its sleep included: how the kernel counts the age of processes.
duration since_boot();

} // namespace shaddock::base
