#include "sweep_wheel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace shaddock::net::testing {
namespace {

using namespace std::chrono_literals;

const base::time_point start{1h};

std::vector<sweep_entry*> due_at(sweep_wheel& wheel, base::time_point now) {
    std::vector<sweep_entry*> due;
    wheel.advance(now, [&](sweep_entry& entry) { due.push_back(&entry); });
    return due;
}

TEST(sweep_wheel, is_never_early_and_at_most_a_tick_late) {
    for (const auto wait : {0ms, 1ms, 249ms, 250ms, 251ms, 10'000ms, 127'000ms}) {
        sweep_wheel wheel(start);
        sweep_entry entry;
        wheel.watch(entry, start + wait);
        base::time_point now = start;
        while (due_at(wheel, now).empty()) {
            now += 1ms;
            ASSERT_LE(now, start + wait + wheel.tick) << wait.count();
        }
        EXPECT_GE(now, start + wait) << wait.count();
    }
}

TEST(sweep_wheel, looks_at_far_deadlines_once_a_turn) {
    sweep_wheel wheel(start);
    sweep_entry never;
    wheel.watch(never, base::time_point::max());
    int looks = 0;
    for (auto now = start; now < start + 10min; now += wheel.tick) {
        for (auto* entry : due_at(wheel, now)) {
            ++looks;
            wheel.watch(*entry, base::time_point::max());
        }
    }
    EXPECT_EQ(looks, 4) << "600 s, 128 s each";
}

TEST(sweep_wheel, finds_all_after_a_long_sleep) {
    sweep_wheel wheel(start);
    sweep_entry soon;
    sweep_entry late;
    wheel.watch(soon, start + 1s);
    wheel.watch(late, start + 100s);
    EXPECT_EQ(due_at(wheel, start + 24h).size(), 2U);
}

TEST(sweep_wheel, an_entry_may_be_moved_nearer_and_destroyed) {
    sweep_wheel wheel(start);
    sweep_entry moved;
    auto gone = std::make_unique<sweep_entry>();
    wheel.watch(moved, start + 100s);
    wheel.watch(*gone, start + 1s);
    wheel.watch(moved, start + 1s);
    gone.reset();
    EXPECT_EQ(due_at(wheel, start + 2s), std::vector{&moved});
    EXPECT_TRUE(due_at(wheel, start + 200s).empty());
}

TEST(sweep_wheel, a_visit_may_destroy_an_entry_that_is_due_too) {
    sweep_wheel wheel(start);
    auto one = std::make_unique<sweep_entry>();
    auto other = std::make_unique<sweep_entry>();
    wheel.watch(*one, start + 1s);
    wheel.watch(*other, start + 1s);
    int visits = 0;
    wheel.advance(start + 2s, [&](sweep_entry& entry) {
        ++visits;
        (&entry == one.get() ? other : one).reset();
    });
    EXPECT_EQ(visits, 1);
}

} // namespace
} // namespace shaddock::net::testing
