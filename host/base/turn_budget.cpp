#include "base/turn_budget.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace shaddock::base {

turn_budget::turn_budget(boost::asio::any_io_executor executor, clock& clock)
    : executor_(std::move(executor)), clock_(clock) {}

bool turn_budget::may_work(worker& who, time_point now) {
    if (!is_posted_) {
        begin(now);
    }
    const bool is_fresh = who.brings() == work::fresh;
    if (is_fresh && fresh_end_ == time_point::max()) {
        fresh_end_ = std::min(now + fresh_limit, began_ + limit);
    }
    // Whoever comes now is behind those who wait.
    const bool is_first =
        begun_.empty() &&
        (!is_fresh || (fresh_.empty() && now >= late_until_ && now >= fresh_from_));
    if (is_first && now < (is_fresh ? fresh_end_ : began_ + limit)) {
        wait_ = is_fresh ? duration{} : wait_;
        return true;
    }
    later(who);
    return false;
}

void turn_budget::later(worker& who) {
    if (who.brings() == work::begun || fresh_.empty()) {
        begin();
    }
    if (!who.is_queued()) {
        who.queued_at = clock_.now();
        queue_of(who.brings()).push_back(who);
    }
}

/// What is ready now runs before what is posted: it belongs to this turn.
void turn_budget::begin(time_point now) {
    is_posted_ = true;
    began_ = now;
    fresh_end_ = time_point::max();
    boost::asio::post(executor_, alive_.guard([this] { run(); }));
}

void turn_budget::run() {
    if (!begun_.empty()) {
        serve_begun();
    }
    if (!fresh_.empty() && clock_.now() >= fresh_from_) {
        serve_fresh();
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
    if (!is_posted_) {
        next_turn(now);
    }
}

void turn_budget::next_turn(time_point now) {
    if (!begun_.empty() || (!fresh_.empty() && now >= fresh_from_)) {
        begin(now);
    } else if (!fresh_.empty()) {
        pause_ = clock_.at(fresh_from_, [this] { begin(); });
    }
}

/// Share by share while there is time; one at least. A share's time is left to fresh work.
void turn_budget::serve_begun() {
    do {
        worker& next = begun_.front();
        next.leave_queue();
        next.go_on();
    } while (!begun_.empty() && clock_.now() < began_ + limit - share::time);
}

/// One share to each of those who wait now, while there is time; at least one, or they would wait
/// for ever beside who takes all of it.
void turn_budget::serve_fresh() {
    list<worker> these;
    these.swap(fresh_);
    auto now = clock_.now();
    const auto start = now;
    const bool gives_way = !begun_.empty() || now < late_until_;
    const auto end = std::min(began_ + limit, now + (gives_way ? share::time : fresh_limit));
    while (!these.empty()) {
        worker& next = these.front();
        next.leave_queue();
        wait_ = now - next.queued_at;
        next.go_on();
        now = clock_.now();
        if (now >= end) {
            break;
        }
    }
    fresh_.splice(fresh_.begin(), these);
    if (now < late_until_) {
        fresh_from_ = now + pauses * (now - start);
    }
}

} // namespace shaddock::base
