#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaddock::net::testing {
namespace {

using ::testing::IsEmpty;

listener_options options() {
    return {.host = {}, .idle_timeout = 90s, .handshake_timeout = 10s, .ack_timeout = 5s};
}

TEST(handshake_timeout, closes_who_says_nothing) {
    house here(options());
    auto& one = here.connect();
    here.settle();
    here.pass(9900ms);
    EXPECT_FALSE(one.is_ended);
    here.pass(400ms);
    EXPECT_TRUE(one.is_ended);
    EXPECT_EQ(here.timeouts(), 1U);
    one.drop();
    here.settle();
    EXPECT_EQ(here.counts().connections, 0U);
}

TEST(handshake_timeout, is_kept_after_a_long_time_without_clients) {
    house here(options());
    here.connect().drop();
    here.settle();
    here.pass(1h);
    auto& one = here.connect();
    here.settle();
    here.pass(9900ms);
    EXPECT_FALSE(one.is_ended);
    here.pass(400ms);
    EXPECT_TRUE(one.is_ended);
}

TEST(handshake_timeout, closes_who_sends_a_header_byte_now_and_then) {
    house here(options());
    auto& one = here.connect();
    one.write("GET / HTTP/1.1\r\nX-Slow: ");
    for (int i = 0; i < 9; ++i) {
        here.settle();
        here.pass(1s);
        one.write("a");
    }
    EXPECT_FALSE(one.is_ended);
    here.pass(1500ms);
    EXPECT_TRUE(one.is_ended);
}

TEST(handshake_timeout, counts_from_the_accept_not_from_the_upgrade) {
    house here(options());
    auto& one = here.connect();
    here.settle();
    here.pass(8s);
    one.write_upgrade();
    ASSERT_TRUE(here.until([&] { return one.is_upgraded; }));
    here.pass(2500ms);
    EXPECT_TRUE(one.is_ended);
    EXPECT_EQ(one.close_code, 1000);
}

TEST(ack_timeout, counts_from_the_answer) {
    house here(options());
    auto& one = here.connect();
    here.settle();
    here.pass(8s);
    one.write_upgrade();
    one.write_package(package_type::handshake, "{}");
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 1; }));
    here.pass(4900ms);
    EXPECT_FALSE(one.is_ended);
    here.pass(400ms);
    EXPECT_TRUE(one.is_ended);
    EXPECT_THAT(here.events.closed, IsEmpty());
    EXPECT_EQ(here.counts().of(drop::ack_timeout), 1U);
}

TEST(ack_timeout, is_over_with_the_ack) {
    house here(options());
    auto& one = here.working();
    here.pass(80s);
    EXPECT_FALSE(one.is_ended);
}

TEST(idle_timeout, closes_where_nothing_moves) {
    house here(options());
    auto& one = here.working();
    here.pass(89500ms);
    EXPECT_FALSE(one.is_ended);
    here.pass(1s);
    EXPECT_TRUE(one.is_ended);
    ASSERT_EQ(here.events.closed.size(), 1U);
    EXPECT_EQ(here.events.closed[0].second, "idle");
    EXPECT_EQ(here.counts().of(drop::idle), 1U);
}

TEST(idle_timeout, bytes_from_the_client_put_it_off) {
    house here(options());
    auto& one = here.working();
    for (int i = 0; i < 3; ++i) {
        here.pass(60s);
        one.write_frame("", protocol::websocket_opcode::pong);
        here.settle();
    }
    EXPECT_FALSE(one.is_ended);
}

TEST(idle_timeout, bytes_to_the_client_put_it_off) {
    house here(options());
    auto& one = here.working();
    for (int i = 0; i < 3; ++i) {
        here.pass(60s);
        ASSERT_EQ(here.events.ready.size(), 1U);
        here.events.ready[0]->send_package(protocol::heartbeat_package);
        here.settle();
    }
    EXPECT_FALSE(one.is_ended);
}

TEST(timeouts, zero_means_never) {
    house here({.host = {}, .idle_timeout = 0s, .handshake_timeout = 0s, .ack_timeout = 0s});
    auto& silent = here.connect();
    auto& unacked = here.greeted();
    auto& idle = here.working();
    here.pass(24h);
    EXPECT_FALSE(silent.is_ended);
    EXPECT_FALSE(unacked.is_ended);
    EXPECT_FALSE(idle.is_ended);
    EXPECT_EQ(here.timeouts(), 0U);
}

TEST(linger, ends_within_a_second_when_the_client_does_not_close) {
    house here(options());
    auto& one = here.working();
    here.events.ready[0]->kick("enough");
    here.settle();
    EXPECT_TRUE(one.is_ended) << "our side is over";
    EXPECT_EQ(here.counts().connections, 1U) << "its side is not";
    here.pass(1s);
    EXPECT_EQ(here.counts().connections, 0U);
}

} // namespace
} // namespace shaddock::net::testing
