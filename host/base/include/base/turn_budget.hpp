#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/recent_longest.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace shaddock::base {

/// Bounds what one loop does between two looks at what has come: those who bring work (connections
/// of clients, links to servers) get a share each, one after the other, and a turn ends after
/// `limit`. Who has more to do comes back behind the others.
///
/// Work that has begun goes before fresh work: a request that was let in is finished (its calls,
/// answers and pushes come over links) before further ones are read, and after `fresh_limit` of
/// those the links are looked at again. So what a loop cannot do stays unread at its door, where it
/// has cost nothing yet; if it was read first, most of it would be refused after half of the work.
///
/// How to use it: what has become readable asks `may_work`; if it may, it works through one `share`
/// and calls `later` when something is left. What was not allowed, or left something, is called by
/// `go_on` when it is next.
/// Thread: the loop. Lifetime: outlives its workers and finishers.
class turn_budget {
    using hook = boost::intrusive::list_base_hook<
        boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

public:
    static constexpr duration limit = std::chrono::milliseconds(10);
    static constexpr duration fresh_limit = std::chrono::milliseconds(2);
    /// So long must somebody have waited for work that has begun until fresh work has to pause.
    static constexpr duration late_from = std::chrono::milliseconds(10);
    /// Each share of fresh work is then followed by a pause so many times as long.
    static constexpr int pauses = 7;

    /// What somebody brings: requests of clients, or what belongs to requests that were let in
    /// somewhere.
    enum class work { fresh, begun };

    /// One who brings work. It leaves the queue when it is destroyed.
    class worker : public hook {
    public:
        explicit worker(work brings) : brings_(brings) {}
        /// Works through one share. May destroy any worker; whoever may destroy itself keeps itself
        /// alive.
        virtual void go_on() = 0;
        void leave_queue() { unlink(); }

        /// The budget's own.
        time_point queued_at{};

        bool is_queued() const { return is_linked(); }
        work brings() const { return brings_; }

    protected:
        ~worker() = default;

    private:
        work brings_;
    };
    /// One who sends at the end of each turn what the turn has brought together.
    class finisher : public hook {
    public:
        virtual void end_turn() = 0;

    protected:
        ~finisher() = default;
    };

    /// What one worker may do before others have their turn: so many messages, so many bytes, so
    /// much time, whatever is used up first; one message at least.
    class share {
    public:
        static constexpr std::size_t messages = 128;
        static constexpr std::size_t bytes = std::size_t{64} * 1024;
        static constexpr duration time = std::chrono::milliseconds(1);

        share(const clock& clock, time_point now) : clock_(clock), end_(now + time) {}
        /// Counts a message that was worked on, and its bytes; or bytes alone.
        void take(std::size_t size) {
            if (is_over()) {
                return;
            }
            take_bytes(size);
            // The clock costs as much as a small message's framing: it is read now and then.
            if (--messages_left_ % looks == 0 && clock_.now() >= end_) {
                messages_left_ = 0;
            }
        }
        /// The same for one who knows the time.
        void take(std::size_t size, time_point now) {
            take_bytes(size);
            messages_left_ = now >= end_ || is_over() ? 0 : messages_left_ - 1;
        }
        void take_bytes(std::size_t size) {
            bytes_left_ -= size < bytes_left_ ? size : bytes_left_;
        }
        time_point began() const { return end_ - time; }
        bool is_over() const { return messages_left_ == 0 || bytes_left_ == 0; }

    private:
        static constexpr std::size_t looks = 8;
        const clock& clock_;
        time_point end_;
        std::size_t messages_left_ = messages;
        std::size_t bytes_left_ = bytes;
    };

    turn_budget(boost::asio::any_io_executor executor, clock& clock);

    /// Whether `who` may work at once. If not, it is queued and called.
    bool may_work(worker& who, time_point now);
    /// Queues `who` behind all others; its next share is in a later turn.
    void later(worker& who);
    /// This turn has an end of its own, although nobody asked `may_work`.
    void begin() {
        if (!is_posted_) {
            begin(clock_.now());
        }
    }
    /// Somebody waits so long for work that has begun: fresh work pauses for as long, a second at
    /// most.
    void begun_is_late(duration late, time_point now) {
        if (late >= late_from) {
            late_until_ = now + std::min<duration>(late, std::chrono::seconds(1));
        }
    }
    /// `each` is told of the end of every turn that has begun.
    void add(finisher& each) { finishers_.push_back(each); }

    /// How long who brings fresh work and is next has waited for its share: the time that all take
    /// together. It grows when more comes than this loop can do, and is zero while all is done at
    /// once.
    duration wait() const { return wait_; }
    /// From the first work of a turn to its end, each time.
    const latency_histogram& turns() const { return turns_; }
    /// The longest of the last 30 to 60 seconds.
    duration longest_turn() const { return longest_.value(); }

private:
    void begin(time_point now);
    void run();
    void serve_begun();
    void serve_fresh();
    void next_turn(time_point now);

    template <class T>
    using list = boost::intrusive::list<T, boost::intrusive::constant_time_size<false>>;
    list<worker>& queue_of(work what) { return what == work::begun ? begun_ : fresh_; }

    boost::asio::any_io_executor executor_;
    clock& clock_;
    list<worker> begun_;
    list<worker> fresh_;
    list<finisher> finishers_;
    time_point began_{};
    /// Of this turn; the time that never comes before the first.
    time_point fresh_end_{};
    /// Fresh work pauses until then.
    time_point late_until_ = time_point::min();
    /// The end of the present pause.
    time_point fresh_from_ = time_point::min();
    timer pause_;
    duration wait_{};
    bool is_posted_ = false;
    latency_histogram turns_;
    recent_longest longest_;
    alive alive_;
};

} // namespace shaddock::base
