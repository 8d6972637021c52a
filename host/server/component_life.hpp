#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"

#include <shaddock/door.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace shaddock::server {

/// The components of one generation: started in order, stopped in reverse. Thread: the loop.
/// Lifetime: when it is destroyed nothing more is called; whoever started components stops them.
class component_life {
public:
    component_life(boost::asio::any_io_executor executor, base::clock& clock,
                   const std::vector<door::component*>& components)
        : executor_(std::move(executor)), clock_(clock), components_(components) {}
    component_life(const component_life&) = delete;
    component_life& operator=(const component_life&) = delete;

    /// `done` once, never inline: all are up, or what did not start (errc::config), or timeout when
    /// it takes longer than `patience` (zero: no limit). Not called any more after stop().
    void start(base::duration patience, base::unique_function<void(result<void>)> done);
    /// `done` of start() is not called any more; stop() is still owed.
    void forget_start() {
        start_done_ = nullptr;
        wait_.cancel();
    }
    /// Stops those that were started, also one that is starting, as soon as it is up. Each has
    /// `patience`; who does not stop in time is left. `done` once, possibly inline.
    void stop(base::duration patience, base::unique_function<void()> done);

private:
    void start_next();
    void ended_start(const door::component& one, const result<void>& outcome);
    void finish_start(result<void> outcome);
    void stop_next();
    void wait_for_start();
    template <class F>
    void later(F call);

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    const std::vector<door::component*>& components_;
    std::size_t started_ = 0;
    bool is_starting_ = false;
    bool is_stopping_ = false;
    base::duration patience_{};
    base::timer wait_;
    base::unique_function<void(result<void>)> start_done_;
    base::unique_function<void()> stop_done_;
    base::unique_function<void()> after_start_;
    base::alive alive_;
};

} // namespace shaddock::server
