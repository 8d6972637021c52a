#include "base/turn_budget.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace shaddock::base {

turn_budget::turn_budget(boost::asio::any_io_executor executor, const clock& clock)
    : executor_(std::move(executor)), clock_(clock) {}

bool turn_budget::may_work(worker& who, time_point now) {
    if (!is_posted_) {
        begin(now);
    }
    // Whoever comes now is behind those who wait.
    if (waiting_.empty() && now < began_ + limit) {
        wait_ = {};
        return true;
    }
    later(who);
    return false;
}

void turn_budget::later(worker& who) {
    begin();
    if (!who.is_queued()) {
        who.queued_at = began_;
        waiting_.push_back(who);
    }
}

/// What is ready now runs before what is posted: it belongs to this turn.
void turn_budget::begin(time_point now) {
    is_posted_ = true;
    began_ = now;
    boost::asio::post(executor_, alive_.guard([this] { run(); }));
}

void turn_budget::run() {
    if (!waiting_.empty()) {
        serve();
    }
    const auto began = began_;
    // What the finishers bring up is another turn's.
    is_posted_ = false;
    for (auto& each : finishers_) {
        each.end_turn();
    }
    const auto now = clock_.now();
    turns_.add(now - began);
    longest_.add(now - began, now);
    if (!waiting_.empty() && !is_posted_) {
        begin(now);
    }
}

/// One share to each of those who wait now, while there is time; at least one, or they would wait
/// for ever beside who takes all of it.
void turn_budget::serve() {
    list<worker> these;
    these.swap(waiting_);
    auto now = clock_.now();
    while (!these.empty()) {
        worker& next = these.front();
        next.leave_queue();
        wait_ = now - next.queued_at;
        next.go_on();
        now = clock_.now();
        if (now >= began_ + limit) {
            break;
        }
    }
    waiting_.splice(waiting_.begin(), these);
}

} // namespace shaddock::base
