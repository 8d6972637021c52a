#include "life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaddock::net::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const seen_package heartbeat{package_type::heartbeat, ""};

listener_options beating(base::duration every) {
    return {.host = {}, .heartbeat = every, .idle_timeout = 0s};
}

TEST(heartbeat, the_first_follows_the_ack_after_on_ready) {
    house here(beating(3s));
    here.events.ready_hook = [](connection& from) {
        from.send_package(protocol::encode_package(package_type::data, "first").value());
    };
    auto& one = here.greeted();
    one.write_package(package_type::handshake_ack);
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 2; }));
    EXPECT_THAT(one.packages, ElementsAre(seen_package{package_type::data, "first"}, heartbeat));
}

TEST(heartbeat, each_is_answered_with_one) {
    house here(beating(3s));
    auto& one = here.working();
    for (int i = 0; i < 5; ++i) {
        one.write_package(package_type::heartbeat);
    }
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 5; }));
    here.settle();
    EXPECT_THAT(one.packages, AllOf(SizeIs(5), Each(heartbeat)));
}

TEST(heartbeat, the_server_sends_none_of_its_own_accord) {
    house here(beating(3s));
    auto& one = here.working();
    here.pass(5s);
    EXPECT_THAT(one.packages, IsEmpty());
}

TEST(heartbeat, off_means_none_sent_none_answered_none_expected) {
    house here(beating(0s));
    auto& one = here.working();
    one.write_package(package_type::heartbeat);
    one.write_package(package_type::data, "x");
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty(); }));
    here.pass(1h);
    EXPECT_THAT(one.packages, IsEmpty());
    EXPECT_FALSE(one.is_ended);
}

TEST(heartbeat, what_came_while_the_server_stood_still_is_read_before_anybody_is_judged) {
    life here(form::packages, {.host = {}, .heartbeat = 3s, .idle_timeout = 0s});
    here.log_in();
    here.clock.stand_still(12s);
    here.pass(5ms);
    EXPECT_EQ(here.connections(), 1U);
    here.give(package(package_type::heartbeat));
    here.pass(2s);
    EXPECT_EQ(here.the_set.counts().of(drop::heartbeat_timeout), 0U);
    here.pass(6s);
    EXPECT_EQ(here.the_set.counts().of(drop::heartbeat_timeout), 1U);
}

TEST(heartbeat, who_says_nothing_after_the_server_stood_still_is_closed) {
    life here(form::packages, {.host = {}, .heartbeat = 3s, .idle_timeout = 0s});
    here.log_in();
    here.clock.stand_still(12s);
    here.pass(5ms);
    EXPECT_EQ(here.the_set.counts().of(drop::heartbeat_timeout), 0U);
    here.pass(500ms);
    EXPECT_EQ(here.the_set.counts().of(drop::heartbeat_timeout), 1U);
}

TEST(heartbeat, silence_of_twice_the_period_closes_without_a_kick) {
    house here(beating(3s));
    auto& one = here.working();
    here.pass(5900ms);
    EXPECT_FALSE(one.is_ended);
    here.pass(600ms);
    EXPECT_TRUE(one.is_ended);
    EXPECT_EQ(one.close_code, 1000);
    EXPECT_THAT(one.packages, IsEmpty());
    ASSERT_EQ(here.events.closed.size(), 1U);
    EXPECT_EQ(here.events.closed[0].second, "no heartbeat in time");
    EXPECT_EQ(here.timeouts(), 1U);
    EXPECT_EQ(here.counts().of(drop::heartbeat_timeout), 1U);
}

TEST(heartbeat, its_timeout_can_be_set) {
    house here({.host = {}, .heartbeat = 3s, .heartbeat_timeout = 20s, .idle_timeout = 0s});
    auto& one = here.working();
    here.pass(19900ms);
    EXPECT_FALSE(one.is_ended);
    here.pass(600ms);
    EXPECT_TRUE(one.is_ended);
}

TEST(heartbeat, each_rearms_the_timeout) {
    house here(beating(3s));
    auto& one = here.working();
    for (int i = 0; i < 4; ++i) {
        here.pass(4s);
        one.write_package(package_type::heartbeat);
        here.settle();
    }
    EXPECT_FALSE(one.is_ended);
    here.pass(6500ms);
    EXPECT_TRUE(one.is_ended);
}

TEST(heartbeat, other_traffic_does_not_count) {
    house here(beating(3s));
    auto& one = here.working();
    for (int i = 0; i < 7; ++i) {
        one.write_package(package_type::data, "busy");
        one.write_frame("ping", protocol::websocket_opcode::ping);
        here.pass(1s);
    }
    EXPECT_TRUE(one.is_ended);
    EXPECT_GE(here.events.data.size(), 5U);
}

} // namespace
} // namespace shaddock::net::testing
