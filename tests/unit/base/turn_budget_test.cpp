#include "base/turn_budget.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class turn_budget_test : public testing::Test {
protected:
    /// Works for a while, so many times.
    struct busy final : turn_budget::worker {
        void go_on() override {
            test.seen.push_back(name);
            test.clock.advance(takes);
            if (--times > 0) {
                test.turns.later(*this);
            }
            if (then) {
                then();
            }
        }
        turn_budget_test& test;
        std::string name;
        duration takes = 0ms;
        int times = 1;
        std::function<void()> then{};

        busy(turn_budget_test& whose, std::string called,
             turn_budget::work brings = turn_budget::work::fresh)
            : worker(brings), test(whose), name(std::move(called)) {}
    };
    struct noted_ends final : turn_budget::finisher {
        void end_turn() override { seen.emplace_back("|"); }
        std::vector<std::string>& seen;
        explicit noted_ends(std::vector<std::string>& into) : seen(into) {}
    };

    turn_budget_test() { turns.add(ends); }
    void run() {
        loop.restart();
        loop.poll();
    }

    boost::asio::io_context loop;
    manual_clock clock;
    turn_budget turns{loop.get_executor(), clock};
    std::vector<std::string> seen;
    noted_ends ends{seen};
};

TEST_F(turn_budget_test, lets_work_at_once_while_there_is_time) {
    busy one(*this, "a");
    busy two(*this, "b");
    EXPECT_TRUE(turns.may_work(one, clock.now()));
    clock.advance(1900us);
    EXPECT_TRUE(turns.may_work(two, clock.now()));
    clock.advance(8ms);
    busy link(*this, "link", turn_budget::work::begun);
    EXPECT_TRUE(turns.may_work(link, clock.now()));
    run();
    EXPECT_THAT(seen, ElementsAre("|"));
}

TEST_F(turn_budget_test, queues_who_comes_when_the_time_is_over) {
    busy one(*this, "a");
    busy two(*this, "b");
    busy link(*this, "link", turn_budget::work::begun);
    EXPECT_TRUE(turns.may_work(one, clock.now()));
    clock.advance(2ms);
    EXPECT_FALSE(turns.may_work(two, clock.now()));
    clock.advance(8ms);
    EXPECT_FALSE(turns.may_work(link, clock.now()));
    run();
    EXPECT_THAT(seen, ElementsAre("link", "b", "|"));
}

TEST_F(turn_budget_test, work_that_has_begun_goes_first_and_leaves_a_share_s_time_to_fresh_work) {
    busy one(*this, "a");
    busy two(*this, "b");
    busy link(*this, "link", turn_budget::work::begun);
    one.takes = two.takes = 600us;
    link.takes = 3ms;
    link.times = 4;
    turns.later(one);
    turns.later(two);
    turns.later(link);
    EXPECT_FALSE(turns.may_work(one, clock.now())) << "it does not pass those who wait";
    run();
    EXPECT_THAT(seen, ElementsAre("link", "link", "link", "a", "b", "|", "link", "|"));
}

TEST_F(turn_budget_test, fresh_work_pauses_while_what_has_begun_is_late) {
    busy one(*this, "a");
    busy two(*this, "b");
    busy link(*this, "link", turn_budget::work::begun);
    one.takes = two.takes = 1ms;
    turns.begun_is_late(turn_budget::late_from - 1us, clock.now());
    EXPECT_TRUE(turns.may_work(one, clock.now()));
    run();
    turns.begun_is_late(20ms, clock.now());
    EXPECT_FALSE(turns.may_work(one, clock.now()));
    EXPECT_FALSE(turns.may_work(two, clock.now()));
    run();
    EXPECT_THAT(seen, ElementsAre("|", "a", "|"));
    clock.advance(6900us);
    EXPECT_TRUE(turns.may_work(link, clock.now()));
    run();
    EXPECT_THAT(seen, ElementsAre("|", "a", "|", "|"));
    clock.advance(100us);
    run();
    EXPECT_THAT(seen, ElementsAre("|", "a", "|", "|", "b", "|"));
    clock.advance(20ms);
    EXPECT_TRUE(turns.may_work(one, clock.now())) << "nobody is late any more";
    run();
}

TEST_F(turn_budget_test, nobody_can_stop_fresh_work_for_long) {
    busy one(*this, "a");
    turns.begun_is_late(1h, clock.now());
    clock.advance(1s);
    EXPECT_TRUE(turns.may_work(one, clock.now()));
    run();
}

TEST_F(turn_budget_test, gives_shares_in_turn_and_one_to_each_in_a_turn) {
    busy one(*this, "a");
    busy two(*this, "b");
    one.times = 3;
    two.times = 2;
    turns.later(one);
    turns.later(two);
    run();
    EXPECT_THAT(seen, ElementsAre("a", "b", "|", "a", "b", "|", "a", "|"));
}

TEST_F(turn_budget_test, who_comes_does_not_pass_those_who_wait) {
    busy one(*this, "a");
    busy two(*this, "b");
    turns.later(one);
    EXPECT_FALSE(turns.may_work(two, clock.now()));
    run();
    EXPECT_THAT(seen, ElementsAre("a", "b", "|"));
}

TEST_F(turn_budget_test, ends_a_turn_after_its_time_and_keeps_the_order) {
    busy one(*this, "a");
    busy two(*this, "b");
    busy three(*this, "c");
    one.takes = two.takes = three.takes = 1500us;
    one.times = 2;
    for (auto* each : {&one, &two, &three}) {
        turns.later(*each);
    }
    run();
    EXPECT_THAT(seen, ElementsAre("a", "b", "|", "c", "a", "|"));
    EXPECT_EQ(turns.longest_turn(), 3ms);
}

TEST_F(turn_budget_test, one_gets_a_share_though_others_took_all_the_time) {
    busy one(*this, "a");
    busy two(*this, "b");
    EXPECT_TRUE(turns.may_work(two, clock.now()));
    turns.later(one);
    clock.advance(50ms);
    run();
    EXPECT_THAT(seen, ElementsAre("a", "|"));
    EXPECT_EQ(turns.turns().sum_seconds(), 0.05);
}

TEST_F(turn_budget_test, forgets_a_worker_that_goes) {
    busy one(*this, "a");
    auto two = std::make_unique<busy>(*this, "b");
    one.then = [&] { two.reset(); };
    turns.later(one);
    turns.later(*two);
    run();
    EXPECT_THAT(seen, ElementsAre("a", "|"));
}

TEST_F(turn_budget_test, says_how_long_one_waits_for_a_share) {
    std::vector<std::unique_ptr<busy>> all;
    std::vector<duration> waits;
    for (int i = 0; i < 50; ++i) {
        auto& one = *all.emplace_back(std::make_unique<busy>(*this, ""));
        one.takes = 1ms;
        one.times = 4;
        one.then = [&] { waits.push_back(turns.wait()); };
        turns.later(one);
    }
    run();
    // 50 who take a millisecond each, again and again: each waits for the others.
    ASSERT_EQ(waits.size(), 200U);
    EXPECT_EQ(waits[0], 0ms);
    EXPECT_GE(waits[120], 40ms);
    EXPECT_LE(waits[120], 60ms);
    busy next(*this, "n");
    clock.advance(20ms);
    EXPECT_TRUE(turns.may_work(next, clock.now()));
    EXPECT_EQ(turns.wait(), 0ms);
}

TEST_F(turn_budget_test, a_share_is_so_many_messages_bytes_or_so_much_time) {
    using share = turn_budget::share;
    const auto count = [&](std::size_t size, duration each) {
        share one(clock, clock.now());
        std::size_t taken = 0;
        while (!one.is_over()) {
            one.take(size);
            clock.advance(each);
            ++taken;
        }
        return taken;
    };
    EXPECT_EQ(count(10, 0ms), share::messages);
    EXPECT_EQ(count(share::bytes / 4, 0ms), 4U);
    EXPECT_EQ(count(2 * share::bytes, 0ms), 1U);
    EXPECT_LE(count(10, 1ms), 8U);
}

} // namespace
} // namespace shaddock::base
