#include "base/loop_watch.hpp"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <vector>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// The clock of a loop whose turns can be long: time passes while nothing fires.
class loop_clock final : public clock {
public:
    time_point now() const override { return now_; }
    wall_time wall_now() const override { return {}; }
    timer at(time_point due, unique_function<void()> call) override {
        auto shared = std::make_shared<entry>();
        shared->call = std::move(call);
        pending_.emplace(due, shared);
        return timer(shared);
    }
    /// One turn of the loop takes so long.
    void busy(duration by) { now_ += by; }
    /// What is due fires, late after a long turn, else in time.
    void idle(duration by) {
        const auto until = now_ + by;
        while (!pending_.empty() && pending_.begin()->first <= until) {
            auto node = pending_.extract(pending_.begin());
            now_ = std::max(now_, node.key());
            if (auto call = std::move(node.mapped()->call)) {
                ++fired;
                call();
            }
        }
        now_ = std::max(now_, until);
    }

    std::size_t fired = 0;

private:
    struct entry final : timer::state {
        void cancelled() override {}
    };
    time_point now_{1h};
    std::multimap<time_point, std::shared_ptr<entry>> pending_;
};

class loop_watch_test : public testing::Test {
protected:
    loop_watch make(duration limit) {
        return {clock_, limit, [this](duration longest) {
                    reports_.push_back(
                        std::chrono::duration_cast<std::chrono::milliseconds>(longest));
                }};
    }

    loop_clock clock_;
    std::vector<std::chrono::milliseconds> reports_;
};

TEST_F(loop_watch_test, is_silent_while_turns_are_short) {
    auto watch = make(50ms);
    watch.start();
    for (int i = 0; i < 1000; ++i) {
        clock_.busy(50ms);
        clock_.idle(3ms);
    }
    EXPECT_THAT(reports_, IsEmpty());
    EXPECT_GT(clock_.fired, 500U);
}

TEST_F(loop_watch_test, reports_a_long_turn_at_once) {
    auto watch = make(50ms);
    watch.start();
    clock_.idle(10ms);
    clock_.busy(200ms);
    clock_.idle(0ms);
    // The timer was due after 25 ms, 15 ms into the turn.
    EXPECT_THAT(reports_, ElementsAre(185ms));
}

TEST_F(loop_watch_test, sees_each_turn_of_one_and_a_half_limits_wherever_it_begins) {
    for (auto begin = 0ms; begin < 60ms; begin += 1ms) {
        auto watch = make(50ms);
        watch.start();
        clock_.idle(begin);
        reports_.clear();
        clock_.busy(76ms);
        clock_.idle(0ms);
        EXPECT_EQ(reports_.size(), 1U) << begin.count();
    }
}

TEST_F(loop_watch_test, reports_once_a_second_the_longest_lag) {
    auto watch = make(50ms);
    watch.start();
    clock_.busy(125ms);
    clock_.idle(0ms); // lag 100 ms
    for (const auto turn : {225ms, 325ms, 125ms}) {
        clock_.busy(turn);
        clock_.idle(0ms); // 25 ms less
    }
    EXPECT_THAT(reports_, ElementsAre(100ms));
    clock_.idle(10s);
    EXPECT_THAT(reports_, ElementsAre(100ms, 300ms));
}

TEST_F(loop_watch_test, forgets_what_it_has_reported) {
    auto watch = make(50ms);
    watch.start();
    clock_.busy(325ms);
    clock_.idle(2s);
    clock_.busy(125ms);
    clock_.idle(2s);
    ASSERT_EQ(reports_.size(), 2U);
    EXPECT_LE(reports_[1], 125ms);
}

TEST_F(loop_watch_test, counts_each_lag_and_knows_the_longest_of_the_last_time) {
    auto watch = make(50ms);
    watch.start();
    clock_.idle(1s);
    EXPECT_EQ(watch.lags().counts()[0], 40U) << "each 25 ms, in time";
    EXPECT_EQ(watch.longest_lag(), 0ms);
    clock_.busy(75ms);
    clock_.idle(0ms);
    EXPECT_EQ(watch.longest_lag(), 50ms);
    EXPECT_EQ(watch.lags().counts()[9], 1U) << "over 25 ms, at most 100 ms";
    clock_.idle(29s);
    EXPECT_EQ(watch.longest_lag(), 50ms) << "at least 30 s";
    clock_.idle(32s);
    EXPECT_EQ(watch.longest_lag(), 0ms) << "at most 60 s";
}

TEST_F(loop_watch_test, is_off_with_a_limit_of_0) {
    auto watch = make(0ms);
    watch.start();
    clock_.busy(10s);
    clock_.idle(10s);
    EXPECT_THAT(reports_, IsEmpty());
    EXPECT_EQ(clock_.fired, 0U);
}

TEST_F(loop_watch_test, fires_no_more_often_than_each_millisecond) {
    auto watch = make(1ms);
    watch.start();
    clock_.idle(1s);
    EXPECT_EQ(clock_.fired, 1000U);
}

TEST_F(loop_watch_test, ends_with_stop) {
    auto watch = make(50ms);
    watch.start();
    clock_.idle(1s);
    watch.stop();
    const auto fired = clock_.fired;
    clock_.busy(1s);
    clock_.idle(1s);
    EXPECT_EQ(clock_.fired, fired);
    EXPECT_THAT(reports_, IsEmpty());
}

} // namespace
} // namespace shaddock::base
