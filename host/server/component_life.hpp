#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "request_id.hpp"

#include <shaddock/door.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shaddock::server {

/// The life of the components of one generation, step by step. A step goes through them one after
/// the other, and begins when what an earlier one has left under way has ended. Thread: the loop.
/// Lifetime: when it is destroyed nothing more is called; whoever started components stops them.
class component_life {
public:
    using done_call = base::unique_function<void(result<void>)>;

    component_life(boost::asio::any_io_executor executor, base::clock& clock,
                   served_request& serving, const std::vector<door::component*>& components)
        : executor_(std::move(executor)), clock_(clock), serving_(serving),
          components_(components) {}
    component_life(const component_life&) = delete;
    component_life& operator=(const component_life&) = delete;

    /// Each step tells `done` once, never inline: all have taken it, or the first error, or timeout
    /// when all together take longer than `patience` (zero: no limit). A later step forgets it.
    void start(base::duration patience, done_call done) {
        begin(step::start, patience, std::move(done));
    }
    /// Those that do not serve yet.
    void serve(base::duration patience, done_call done) {
        begin(step::serve, patience, std::move(done));
    }
    /// As serve() after a hand-over that led to nothing: an error of one does not keep the others
    /// from serving, and what takes longer than `patience` goes on.
    void serve_again(base::duration patience, done_call done) {
        begin(step::serve_again, patience, std::move(done));
    }
    /// Calls that it makes belong to `as`.
    void hand_over(const request_id& as, base::duration patience, done_call done) {
        begin(step::hand_over, patience, std::move(done));
        as_ = as;
    }
    /// Stops those that were started, also one that is starting, as soon as it is up. Each has
    /// `patience`; one that does not stop in time is left. `done` once, possibly inline.
    void stop(door::stop_reason why, base::duration patience, base::unique_function<void()> done);
    /// The step under way tells nobody any more, and goes no further.
    void forget() {
        is_under_way_ = false;
        done_ = nullptr;
        wait_.cancel();
    }

private:
    enum class step { none, start, serve, serve_again, hand_over, stop };

    void begin(step what, base::duration patience, done_call done);
    void too_late();
    void go_on();
    bool choose_next();
    void call();
    void ended(const result<void>& outcome);
    void finish(result<void> outcome);
    void wait_to_stop();
    /// What is under way is not waited for any more.
    void leave_behind();
    std::string text_of(std::size_t one, step what, std::string_view how) const;
    template <class F>
    void later(F call);

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    served_request& serving_;
    const std::vector<door::component*>& components_;
    /// Those before it were started, or are starting.
    std::size_t started_ = 0;
    /// Those that serve, or begin to.
    std::vector<bool> serves_;
    step step_ = step::none;
    bool is_under_way_ = false;
    /// Next of the step.
    std::size_t next_ = 0;
    /// None is under way when empty. It may belong to an earlier step.
    std::optional<std::size_t> running_;
    step running_step_ = step::none;
    /// Counts what was begun: one that was left behind is told apart.
    std::uint64_t run_ = 0;
    request_id as_;
    door::stop_reason why_{};
    base::duration patience_{};
    base::timer wait_;
    done_call done_;
    /// Of serve_again: the first error.
    result<void> worst_;
    base::alive alive_;
};

} // namespace shaddock::server
