#include "base/turn_budget.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace shaddock::base {

turn_budget::turn_budget(boost::asio::any_io_executor executor, const clock& clock)
    : executor_(std::move(executor)), clock_(clock) {}

bool turn_budget::may_work(worker& who, time_point now) {
    begin(now);
    // Whoever comes now is behind those who wait.
    if (waiting_.empty() && now < began_ + limit) {
        return true;
    }
    later(who);
    return false;
}

void turn_budget::later(worker& who) {
    if (!who.is_queued()) {
        waiting_.push_back(who);
    }
    if (!is_posted_) {
        begin(clock_.now());
    }
}

/// What is ready now runs before what is posted: it belongs to this turn.
void turn_budget::begin(time_point now) {
    if (is_posted_) {
        return;
    }
    is_posted_ = true;
    began_ = now;
    boost::asio::post(executor_, alive_.guard([this] { run(); }));
}

void turn_budget::run() {
    list<worker> these;
    these.swap(waiting_);
    // At least one, or those who wait would wait for ever beside who takes all the time.
    while (!these.empty()) {
        worker& next = these.front();
        next.leave_queue();
        next.go_on();
        if (clock_.now() >= began_ + limit) {
            break;
        }
    }
    waiting_.splice(waiting_.begin(), these);
    const auto began = began_;
    // What the finishers bring up is another turn's.
    is_posted_ = false;
    for (auto& each : finishers_) {
        each.end_turn();
    }
    const auto now = clock_.now();
    turns_.add(now - began);
    longest_.add(now - began, now);
    if (!waiting_.empty()) {
        begin(now);
    }
}

} // namespace shaddock::base
