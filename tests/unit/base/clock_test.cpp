#include "base/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;

TEST(manual_clock, has_a_date_that_goes_with_it_and_can_be_set) {
    manual_clock clock;
    const wall_time new_year = std::chrono::sys_days{std::chrono::year{2030} / 1 / 1};
    clock.set_wall(new_year);
    EXPECT_EQ(clock.wall_now(), new_year);
    const auto before = clock.now();
    clock.advance(90s);
    EXPECT_EQ(clock.wall_now(), new_year + 90s);
    clock.set_wall(new_year - 24h);
    EXPECT_EQ(clock.now(), before + 90s) << "the date may jump, what waits does not";
    clock.advance(1s);
    EXPECT_EQ(clock.wall_now(), new_year - 24h + 1s);
}

TEST(manual_clock, what_falls_due_sees_the_date_of_its_time) {
    manual_clock clock;
    clock.set_wall(wall_time(1000s));
    wall_time seen;
    const auto wait = clock.after(10s, [&] { seen = clock.wall_now(); });
    clock.advance(60s);
    EXPECT_EQ(seen, wall_time(1010s));
}

TEST(steady_clock, without_an_executor_can_be_read) {
    const steady_clock clock;
    const auto before = clock.now();
    EXPECT_LE(before, clock.now());
    EXPECT_GT(clock.wall_now(), wall_time(std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}));
    EXPECT_GT(since_boot(), 0s);
}

} // namespace
} // namespace shaddock::base
