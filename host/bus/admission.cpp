#include "admission.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace shaddock::bus {

namespace {

/// So long may what is admitted from anyone take, from here until it is done.
constexpr auto target = std::chrono::milliseconds(8);
/// A flow that has not more than this part of the window under way is no burden, however many there
/// are.
constexpr std::size_t smallest_share = 8;
/// So many windows are admitted while nothing was refused lately.
constexpr std::size_t burst = 3;
constexpr auto memory_of_refusals = std::chrono::seconds(1);
/// The least that is admitted from anyone: the limit divided by it. Who does not do that in time
/// has no processor, and fewer messages at a time would only cost more each.
constexpr std::size_t smallest_window = 4;
/// A mark for each such part of the limit.
constexpr std::size_t marks_per_limit = 32;
/// The window grows by such a part of the limit with each mark that is answered in time, and loses
/// such a part of itself for what is late.
constexpr std::size_t growth = 64;
constexpr std::size_t loss = 5;

} // namespace

bool admission::admits(const load& of, std::size_t bytes, std::size_t waiting,
                       const base::clock& clock) {
    const auto work = std::max(of.work, bytes);
    const bool is_empty = waiting == 0;
    const bool is_high = !is_empty && waiting + bytes > high();
    const bool is_low = !is_empty && waiting + bytes > low();
    if (!is_high && !is_low && under_way() + work <= window_) {
        return true;
    }
    const auto now = clock.now();
    if (!is_high && !is_low && now >= strict_until_ && under_way() + work <= burst * window_) {
        return true;
    }
    if (!is_high) {
        const auto held = under_way() == 0 && !is_low ? 0 : held_by(of.flow);
        const auto sharers = std::max<std::size_t>(flows() + (held == 0 ? 1 : 0), 1);
        const auto share =
            is_low ? low() / sharers : std::max(window_ / sharers, window_ / smallest_share);
        if (held == 0 || held + work <= share) {
            return true;
        }
    }
    strict_until_ = now + memory_of_refusals;
    return false;
}

bool admission::queued(const load& of, std::size_t bytes) {
    const auto work = std::max(of.work, bytes);
    queued_ += work;
    if (first_ < parts_.size() && parts_.back().flow == of.flow) {
        parts_.back().end = queued_;
    } else {
        parts_.push_back({of.flow, queued_});
    }
    if (counts_flows_ && of.flow != 0) {
        held_[of.flow] += work;
    }
    return queued_ - marked_ >= limit_ / marks_per_limit;
}

std::uint64_t admission::mark(base::time_point now) {
    marked_ = queued_;
    marks_.push_back({marked_, now});
    return marked_;
}

void admission::adapt(base::time_point asked, base::time_point now) {
    if (now - asked <= target) {
        window_ = std::min(window_ + limit_ / growth, limit_);
        return;
    }
    // Who is late without being kept busy did not run: fewer messages would not help. And what was
    // sent before the last loss is late for the same reason.
    if (now < strict_until_ && asked > last_loss_) {
        last_loss_ = now;
        window_ = std::max(window_ - window_ / loss, limit_ / smallest_window);
    }
}

void admission::taken(std::uint64_t mark, base::time_point now) {
    if (mark > marked_ || mark <= done_) {
        return; // nobody that keeps to the rules says so
    }
    while (!marks_.empty() && marks_.front().value <= mark) {
        adapt(marks_.front().at, now);
        marks_.pop_front();
    }
    if (counts_flows_) {
        auto from = done_;
        for (auto i = first_; i < parts_.size() && from < mark; ++i) {
            const auto end = std::min(parts_[i].end, mark);
            if (const auto at = held_.find(parts_[i].flow); at != held_.end()) {
                at->second -= end - from;
                if (at->second == 0) {
                    held_.erase(at);
                }
            }
            from = end;
        }
    }
    done_ = mark;
    drop_done();
    if (under_way() < window_ / 4) {
        counts_flows_ = false;
        held_.clear();
    }
}

void admission::drop_done() {
    while (first_ < parts_.size() && parts_[first_].end <= done_) {
        ++first_;
    }
    if (first_ == parts_.size()) {
        parts_.clear();
        first_ = 0;
    } else if (first_ > parts_.size() / 2) {
        parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

std::size_t admission::held_by(std::uint64_t flow) {
    count_flows();
    const auto at = held_.find(flow);
    return at == held_.end() ? 0 : at->second;
}

std::size_t admission::flows() {
    count_flows();
    return held_.size();
}

void admission::count_flows() {
    if (std::exchange(counts_flows_, true)) {
        return;
    }
    auto from = done_;
    for (auto i = first_; i < parts_.size(); ++i) {
        if (parts_[i].flow != 0) {
            held_[parts_[i].flow] += parts_[i].end - from;
        }
        from = parts_[i].end;
    }
}

void queue_age::taken(std::uint64_t position, base::time_point now) {
    while (!timed_.empty() && timed_.front().position <= position) {
        last_ = now - timed_.front().since;
        last_counts_until_ = now + last_;
        timed_.pop_front();
    }
}

base::duration queue_age::at(base::time_point now) const {
    const auto last = now < last_counts_until_ ? last_ : base::duration{};
    return timed_.empty() ? last : std::max(last, now - timed_.front().since);
}

bool membership_reserve::keep(std::string_view key, std::string frame) {
    const auto older = key.empty() ? places_.end() : places_.find(key);
    const bool is_known = older != places_.end();
    if (is_known) {
        const auto at = older->second;
        places_.erase(older);
        by_age_.erase(at);
    }
    by_age_.push_back({std::string(key), std::move(frame)});
    if (!key.empty()) {
        places_.emplace(by_age_.back().key, std::prev(by_age_.end()));
    }
    return is_known;
}

void membership_reserve::drop_front() {
    if (!by_age_.front().key.empty()) {
        places_.erase(by_age_.front().key);
    }
    by_age_.pop_front();
}

} // namespace shaddock::bus
