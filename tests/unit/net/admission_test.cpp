#include "admission.hpp"

#include <base/clock.hpp>

#include <gtest/gtest.h>

namespace shaddock::net {
namespace {

using namespace std::chrono_literals;

base::ip_address ip(std::string_view text) {
    return base::parse_ip(text).value();
}

class door : public ::testing::Test {
protected:
    admission made(std::size_t per_address, std::size_t rate = 0) {
        listener_options options;
        options.connections_per_address = per_address;
        options.handshake_rate = rate;
        return admission(clock, options);
    }
    /// How many of so many handshakes pass now.
    static int greetings(admission& here, std::string_view from, int wanted) {
        int passed = 0;
        for (int i = 0; i < wanted; ++i) {
            passed += here.may_greet(from.empty() ? base::ip_address() : ip(from)) ? 1 : 0;
        }
        return passed;
    }
    base::manual_clock clock;
};

TEST_F(door, has_places_for_each_address) {
    auto here = made(2);
    EXPECT_TRUE(here.enter(ip("10.0.0.1")));
    EXPECT_TRUE(here.enter(ip("10.0.0.1")));
    EXPECT_FALSE(here.enter(ip("10.0.0.1")));
    EXPECT_TRUE(here.enter(ip("10.0.0.2")));
    here.leave(ip("10.0.0.1"));
    EXPECT_TRUE(here.enter(ip("10.0.0.1")));
    EXPECT_FALSE(here.enter(ip("10.0.0.1")));
}

TEST_F(door, takes_a_household_of_ipv6_for_one) {
    auto here = made(1);
    EXPECT_TRUE(here.enter(ip("2001:db8:0:1::1")));
    EXPECT_FALSE(here.enter(ip("2001:db8:0:1:ffff::2")));
    EXPECT_TRUE(here.enter(ip("2001:db8:0:2::1")));
    here.leave(ip("2001:db8:0:1::1"));
    EXPECT_TRUE(here.enter(ip("2001:db8:0:1:ffff::2")));
}

TEST_F(door, without_a_limit_takes_all_and_forgets_who_left) {
    auto here = made(0);
    for (int i = 0; i < 5000; ++i) {
        ASSERT_TRUE(here.enter(ip("10.0.0.1")));
    }
    EXPECT_EQ(here.size(), 1U);
    for (int i = 0; i < 5000; ++i) {
        here.leave(ip("10.0.0.1"));
    }
    EXPECT_EQ(here.size(), 0U);
}

TEST_F(door, bounds_handshakes_and_leaves_three_quarters_to_others) {
    auto here = made(0, 100);
    EXPECT_EQ(greetings(here, "10.0.0.1", 200), 25);
    EXPECT_EQ(greetings(here, "10.0.0.2", 20), 20);
    EXPECT_EQ(greetings(here, "", 200), 55);
    EXPECT_EQ(greetings(here, "10.0.0.3", 1), 0);
    clock.advance(100ms);
    EXPECT_EQ(greetings(here, "10.0.0.1", 100), 2);
    EXPECT_EQ(greetings(here, "10.0.0.3", 100), 8);
    clock.advance(1h);
    EXPECT_EQ(greetings(here, "", 500), 100);
}

TEST_F(door, forgets_addresses_that_only_greeted) {
    auto here = made(0, 1000);
    for (int i = 0; i < 200; ++i) {
        const base::ip_address from = base::ip_of_v4({10, 0, 0, static_cast<std::uint8_t>(i)});
        here.enter(from);
        here.may_greet(from);
        here.leave(from);
    }
    EXPECT_EQ(here.size(), 200U);
    clock.advance(2s);
    EXPECT_EQ(greetings(here, "10.0.1.1", 1), 1);
    EXPECT_EQ(here.size(), 1U);
}

TEST_F(door, says_a_reason_once_a_minute_with_how_often) {
    auto here = made(0);
    EXPECT_EQ(here.note(drop::denied), 1U);
    EXPECT_FALSE(here.note(drop::denied));
    EXPECT_EQ(here.note(drop::origin), 1U);
    clock.advance(59s);
    EXPECT_FALSE(here.note(drop::denied));
    clock.advance(1s);
    EXPECT_EQ(here.note(drop::denied), 3U);
}

} // namespace
} // namespace shaddock::net
