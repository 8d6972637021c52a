#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/metrics.hpp"

#include <shaddock/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace shaddock::bus {

class link;

/// The calls that wait for their answers, and their deadlines: one ordered structure and one timer
/// for all of them. Thread: the loop.
class call_table {
public:
    using completion = base::unique_function<void(result<std::string>)>;

    /// `outcomes`: where calls that pass their deadline are counted; outlives the table.
    call_table(base::clock& clock, base::outcome_counts& outcomes)
        : clock_(clock), outcomes_(outcomes) {}

    /// The number under which the answer will come; never used again. At `deadline` `done` ends in
    /// `timeout`. `via` stays alive as long as it has calls in here, and has their number.
    std::uint64_t add(link& via, base::time_point deadline, completion done);
    /// Takes a call out for its answer. Empty: unknown, or of another link (timed out, answered,
    /// invented).
    completion take(std::uint64_t call, const link& via);
    /// Takes out all calls of the link, or of all links (null), in the order they were made.
    std::vector<completion> take_all(const link* via);
    std::size_t size() const { return live_; }

private:
    /// A place for a call; its number is (generation << 32 | index).
    struct slot {
        std::uint32_t generation = 1;
        link* via = nullptr;
        std::uint64_t order = 0;
        completion done;
    };
    struct due {
        base::time_point deadline;
        std::uint64_t call;
    };

    slot* find(std::uint64_t call);
    completion release(std::uint64_t call);
    void drop_finished_deadlines();
    void arm();
    void expire();

    base::clock& clock_;
    base::outcome_counts& outcomes_;
    std::vector<slot> slots_;
    std::vector<std::uint32_t> free_;
    /// A heap, earliest first. A finished call's entry stays until it is due or the finished ones
    /// are the majority.
    std::vector<due> deadlines_;
    std::size_t live_ = 0;
    std::uint64_t made_ = 0;
    base::timer timer_;
    base::time_point armed_for_ = base::time_point::max();
};

} // namespace shaddock::bus
