#pragma once

#include "base/clock.hpp"
#include "bus/bus.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shaddock::bus {

/// Decides what one link takes, before it is queued. It knows numbers only, so it serves any bus.
///
/// Two things are bounded. The *bytes* that wait here, for memory: from half of the limit on a flow
/// (a room, a session) may hold only its share, from three quarters on nothing is admitted. And the
/// *work* that the other side has not done yet, for time: a push of 100 bytes to 1,000 members is
/// 100 bytes here and 300,000 there, and all that is sent after it waits for them. The other side
/// says when it is done (frames `mark` and `taken`). A window of work is admitted from anyone, and
/// three windows as long as nothing had to be refused within the last second, so that bursts pass;
/// above that a flow may hold only its share of a window. One message of a flow that holds nothing
/// passes always, if there is room for its bytes. The window is what the other side does in 8 ms:
/// it grows, up to the limit, while marks are answered in time, and shrinks when they are late.
/// Thread: the loop.
class admission {
public:
    /// `limit`: bytes.
    explicit admission(std::size_t limit) : limit_(limit), window_(limit) {}

    /// `waiting`: bytes that wait now; `bytes`: those of the frame in question. What was not
    /// admitted counts as a refusal.
    bool admits(const load& of, std::size_t bytes, std::size_t waiting, const base::clock& clock);
    /// A frame of so many bytes was queued. True: the other side is to be asked with a mark now.
    bool queued(const load& of, std::size_t bytes);
    /// What the mark carries, and `taken` brings back.
    std::uint64_t mark(base::time_point now);
    void taken(std::uint64_t mark, base::time_point now);

    /// Work that is queued or sent, and not known to be done. What no mark has asked for yet is not
    /// late.
    std::size_t under_way() const { return marks_.empty() ? 0 : queued_ - done_; }
    /// All work that is known to be done, as a mark tells it.
    std::uint64_t done() const { return done_; }
    /// What is admitted from anyone.
    std::size_t window() const { return window_; }
    std::size_t low() const { return limit_ / 2; }
    std::size_t high() const { return limit_ / 4 * 3; }

    /// Of what is under way: `flow`'s part. Slow the first time, when there is much.
    std::size_t held_by(std::uint64_t flow);
    /// Flows that have something under way; answers and memberships are nobody's.
    std::size_t flows();

private:
    /// Neighbours of one flow are one part.
    struct part {
        std::uint64_t flow;
        /// As of `queued_`.
        std::uint64_t end;
    };
    struct sent_mark {
        std::uint64_t value;
        base::time_point at;
    };

    /// A mark that was asked with at `asked` is answered now.
    void adapt(base::time_point asked, base::time_point now);
    void count_flows();
    void drop_done();

    std::size_t limit_;
    std::size_t window_;
    std::deque<sent_mark> marks_;
    base::time_point last_loss_ = base::time_point::min();
    std::uint64_t queued_ = 0;
    std::uint64_t marked_ = 0;
    std::uint64_t done_ = 0;
    /// What is under way, from `first_` on.
    std::vector<part> parts_;
    std::size_t first_ = 0;
    /// By flow, kept only while it is needed.
    std::unordered_map<std::uint64_t, std::size_t> held_;
    bool counts_flows_ = false;
    base::time_point strict_until_ = base::time_point::min();
};

/// How long bytes wait here until the other side takes them: of a few of them, which stand for all.
/// It is the other side's loop alone that makes them wait: a server that is slow itself sends late,
/// and what it sends is taken at once.
class queue_age {
public:
    /// The last byte of the queue, the `position`th of the link, is to be timed.
    void queued(std::uint64_t position, base::time_point now) { timed_.push_back({position, now}); }
    /// All bytes up to `position` were taken.
    void taken(std::uint64_t position, base::time_point now);
    /// The age of the oldest one, or what the last one came to, for as long as it waited.
    base::duration at(base::time_point now) const;

private:
    struct timed {
        std::uint64_t position;
        base::time_point since;
    };
    std::deque<timed> timed_;
    base::duration last_{};
    base::time_point last_counts_until_ = base::time_point::min();
};

/// Memberships that found no place in the queue: the last one of each session and channel is kept
/// until there is room, so that a peer that takes nothing costs no more than it has sessions.
class membership_reserve {
public:
    /// True: it took the place of an older one with this key. An empty key replaces nothing.
    bool keep(std::string_view key, std::string frame);
    bool empty() const { return by_age_.empty(); }
    /// The oldest.
    const std::string& front() const { return by_age_.front().frame; }
    void drop_front();

private:
    struct entry {
        std::string key;
        std::string frame;
    };
    std::list<entry> by_age_;
    /// The keys are those of the entries.
    std::unordered_map<std::string_view, std::list<entry>::iterator> places_;
};

} // namespace shaddock::bus
