#include "admission.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace shaddock::bus {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t limit = 1024 * 1024;

class admission_test : public testing::Test {
protected:
    /// Of `flow`, admitted and queued; marks go out as the link sends them.
    bool push(std::uint64_t flow, std::size_t work, std::size_t waiting = 0) {
        const load of{flow, work};
        if (!queue.admits(of, 100, waiting, clock)) {
            return false;
        }
        if (queue.queued(of, 100)) {
            marks.push_back(queue.mark(clock.now()));
        }
        return true;
    }
    /// How many in a row, at most 10,000.
    std::size_t push_all(std::uint64_t flow, std::size_t work, std::size_t waiting = 0) {
        std::size_t count = 0;
        while (count < 10000 && push(flow, work, waiting)) {
            ++count;
        }
        return count;
    }
    void all_is_done() {
        for (const auto each : marks) {
            queue.taken(each, clock.now());
        }
        marks.clear();
    }

    base::manual_clock clock;
    admission queue{limit};
    std::vector<std::uint64_t> marks;
};

class kept_memberships : public testing::Test {
protected:
    std::vector<std::string> all() {
        std::vector<std::string> frames;
        for (; !kept.empty(); kept.drop_front()) {
            frames.push_back(kept.front());
        }
        return frames;
    }
    membership_reserve kept;
};

} // namespace

TEST_F(admission_test, bounds_the_work_of_one_flow_and_lets_others_pass) {
    const auto taken = push_all(1, 10000);
    EXPECT_GE(taken * 10000, 2 * limit) << "a burst passes";
    EXPECT_LE(taken * 10000, 3 * limit);
    for (std::uint64_t other = 2; other < 50; ++other) {
        EXPECT_TRUE(push(other, 10000)) << other;
    }
    EXPECT_FALSE(push(1, 10000));
}

TEST_F(admission_test, gives_a_flow_its_share_while_others_have_something_under_way) {
    push_all(1, 10000);
    const auto second = push_all(2, 10000);
    EXPECT_EQ(second, limit / 2 / 10000);
    const auto third = push_all(3, 10000);
    EXPECT_EQ(third, limit / 3 / 10000);
    EXPECT_FALSE(push(1, 10000));
    EXPECT_FALSE(push(2, 10000));
}

TEST_F(admission_test, leaves_each_flow_an_eighth_however_many_there_are) {
    for (std::uint64_t flow = 1; flow <= 500; ++flow) {
        ASSERT_TRUE(push(flow, 10000)) << flow;
    }
    EXPECT_EQ(push_all(501, 10000), limit / 8 / 10000);
}

TEST_F(admission_test, is_strict_until_nothing_was_refused_for_a_second) {
    push_all(1, 10000);
    all_is_done();
    EXPECT_EQ(queue.under_way(), 0U);
    clock.advance(900ms);
    const auto strict = push_all(1, 10000);
    EXPECT_LE(strict * 10000, limit + 10000);
    all_is_done();
    clock.advance(1001ms);
    EXPECT_GE(push_all(1, 10000) * 10000, 2 * limit);
}

TEST_F(admission_test, takes_any_one_message_of_a_flow_that_holds_nothing) {
    EXPECT_TRUE(push(1, 100 * limit));
    EXPECT_FALSE(push(1, 1000));
    EXPECT_TRUE(push(2, 100 * limit));
    all_is_done();
    EXPECT_TRUE(push(1, 100 * limit));
}

TEST_F(admission_test, is_not_kept_from_it_by_what_no_mark_has_asked_for) {
    push(1, 100 * limit);
    all_is_done();
    // Too little for a mark: nobody will say when it is done.
    ASSERT_TRUE(push(1, 1000));
    ASSERT_TRUE(marks.empty());
    EXPECT_TRUE(push(1, 100 * limit));
}

TEST_F(admission_test, bounds_what_waits_by_bytes) {
    // Above the low mark a flow has its share, above the high one nothing passes.
    EXPECT_EQ(push_all(1, 10000, limit * 5 / 8), limit / 2 / 10000);
    EXPECT_TRUE(push(2, 10000, limit * 5 / 8));
    EXPECT_FALSE(push(3, 10000, limit * 3 / 4));
    EXPECT_FALSE(queue.admits({}, 100, limit * 3 / 4, clock));
    EXPECT_TRUE(queue.admits({}, 100 * limit, 0, clock)) << "an empty queue takes any one message";
}

TEST_F(admission_test, admits_what_the_other_side_does_in_time) {
    EXPECT_EQ(queue.window(), limit);
    // A flood, to one that does so much in a millisecond, one after the other. How many
    // milliseconds of it are under way at most, once it has settled.
    const auto waits = [&](std::size_t per_ms) {
        std::size_t most = 0;
        for (int ms = 0; ms < 2000; ++ms) {
            push_all(1, 1000);
            most = ms >= 1000 ? std::max(most, queue.under_way()) : 0;
            const auto until = queue.done() + per_ms;
            while (!marks.empty() && marks.front() <= until) {
                queue.taken(marks.front(), clock.now());
                marks.erase(marks.begin());
            }
            clock.advance(1ms);
        }
        return most / per_ms;
    };
    const auto settled = waits(40000);
    EXPECT_LE(settled, 20U);
    EXPECT_GE(settled, 8U);
    EXPECT_LE(queue.window(), limit * 2 / 3);
    EXPECT_EQ(waits(1000000), 1U) << "not more than the limit";
    EXPECT_EQ(queue.window(), limit);
}

TEST_F(admission_test, does_not_take_little_work_for_slowness) {
    for (int i = 0; i < 100; ++i) {
        push(1, limit / 4);
        clock.advance(20ms); // it had other things to do, or the process did not run
        all_is_done();
        clock.advance(1h);
    }
    EXPECT_EQ(queue.window(), limit);
}

TEST(queue_age, is_what_the_oldest_waits_or_the_last_has_waited) {
    base::manual_clock clock;
    queue_age age;
    EXPECT_EQ(age.at(clock.now()), 0ms);
    age.queued(100, clock.now());
    clock.advance(5ms);
    age.queued(200, clock.now());
    clock.advance(5ms);
    EXPECT_EQ(age.at(clock.now()), 10ms);
    age.taken(99, clock.now());
    EXPECT_EQ(age.at(clock.now()), 10ms);
    age.taken(100, clock.now());
    EXPECT_EQ(age.at(clock.now()), 10ms) << "the last one's, though the next is younger";
    clock.advance(2ms);
    age.taken(200, clock.now());
    EXPECT_EQ(age.at(clock.now()), 7ms);
    clock.advance(7ms);
    EXPECT_EQ(age.at(clock.now()), 0ms) << "nothing waits any more";
}

TEST_F(admission_test, believes_no_mark_that_it_has_not_sent) {
    push_all(1, 10000);
    const auto before = queue.under_way();
    queue.taken(~std::uint64_t{0}, clock.now());
    queue.taken(0, clock.now());
    EXPECT_EQ(queue.under_way(), before);
}

TEST_F(admission_test, knows_what_each_flow_holds_when_a_part_is_done) {
    push(1, limit);
    push(2, 3 * limit);
    EXPECT_EQ(queue.held_by(1), limit);
    queue.taken(marks.front(), clock.now());
    EXPECT_EQ(queue.held_by(1), 0U);
    EXPECT_EQ(queue.held_by(2), 3 * limit);
    EXPECT_EQ(queue.flows(), 1U);
    push(3, 5);
    EXPECT_EQ(queue.flows(), 2U);
}

TEST_F(kept_memberships, are_the_last_ones_of_each_key_in_their_order) {
    EXPECT_FALSE(kept.keep("a", "join a"));
    EXPECT_FALSE(kept.keep("b", "join b"));
    EXPECT_TRUE(kept.keep("a", "leave a"));
    EXPECT_FALSE(kept.keep("", "roster 1"));
    EXPECT_FALSE(kept.keep("", "roster 2"));
    EXPECT_EQ(all(), (std::vector<std::string>{"join b", "leave a", "roster 1", "roster 2"}));
    EXPECT_FALSE(kept.keep("a", "join a")) << "the older one has left";
    EXPECT_EQ(all(), (std::vector<std::string>{"join a"}));
}

} // namespace shaddock::bus
