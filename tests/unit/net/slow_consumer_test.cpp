#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace shaddock::net::testing {
namespace {

using ::testing::SizeIs;

constexpr std::size_t limit = 256 * 1024;

listener_options bounded() {
    return {.host = {}, .heartbeat = 30s, .pending_limit = limit};
}

const std::string push =
    protocol::encode_package(package_type::data, std::string(3000, 'x')).value();

/// Sends to one that does not read until it is thrown out; returns the largest queue seen.
std::size_t flood(house& here, connection& slow) {
    const auto made = encode_for_all(push);
    std::size_t most = 0;
    for (int i = 0; i < 100'000; ++i) {
        const auto result = slow.send(made);
        if (result != send_result::queued) {
            EXPECT_EQ(result, send_result::overflowed);
            return most;
        }
        most = std::max(most, slow.pending_bytes());
        here.loop.restart();
        here.loop.poll();
    }
    ADD_FAILURE() << "never full";
    return most;
}

TEST(slow_consumer, is_cut_at_a_package_boundary_kicked_and_counted) {
    house here(bounded());
    auto& slow = here.working(4096);
    here.lazy.push_back(&slow);
    auto& connection = *here.events.ready[0];
    EXPECT_LE(flood(here, connection), limit);
    EXPECT_EQ(here.counts().of(drop::slow_consumer), 1U);
    EXPECT_LT(connection.pending_bytes(), push.size() + 100)
        << "the rest of one package and the goodbye";
    EXPECT_EQ(connection.send_package(push), send_result::closed);

    here.lazy.clear();
    ASSERT_TRUE(here.until([&] { return slow.is_ended; }));
    EXPECT_FALSE(slow.is_broken);
    EXPECT_FALSE(slow.is_reset);
    EXPECT_EQ(slow.unparsed(), 0U);
    ASSERT_GT(slow.packages.size(), 1U);
    EXPECT_EQ(slow.packages.back(),
              (seen_package{package_type::kick, R"({"reason":"slow consumer"})"}));
    EXPECT_EQ(slow.close_code, 1008);
    for (std::size_t i = 0; i + 1 < slow.packages.size(); ++i) {
        ASSERT_EQ(slow.packages[i].body.size(), 3000U);
    }
    ASSERT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.events.closed[0].second, "slow consumer");
}

TEST(slow_consumer, that_never_reads_is_gone_within_a_second) {
    house here(bounded());
    auto& slow = here.working(4096);
    here.lazy.push_back(&slow);
    flood(here, *here.events.ready[0]);
    here.settle();
    EXPECT_THAT(here.events.closed, SizeIs(1)) << "its session ends at once";
    EXPECT_EQ(here.counts().connections, 1U);
    here.pass(1s);
    EXPECT_EQ(here.counts().connections, 0U);
    here.lazy.clear();
    ASSERT_TRUE(here.until([&] { return slow.is_ended; }));
    EXPECT_TRUE(slow.is_reset) << "nothing of it waits in the kernel any more";
}

TEST(slow_consumer, makes_nobody_wait) {
    house here(bounded());
    auto& slow = here.working(4096);
    here.lazy.push_back(&slow);
    auto& fast = here.working();
    auto& to_slow = *here.events.ready[0];
    auto& to_fast = *here.events.ready[1];
    const auto made = encode_for_all(push);
    std::size_t sent = 0;
    while (here.counts().of(drop::slow_consumer) == 0 && sent < 100'000) {
        to_slow.send(made);
        to_fast.send(made);
        ++sent;
        ASSERT_TRUE(here.until([&] { return fast.packages.size() == sent; }));
    }
    EXPECT_EQ(here.counts().of(drop::slow_consumer), 1U);
    EXPECT_FALSE(fast.is_ended);
}

TEST(slow_consumer, is_not_one_who_reads_but_gets_much_in_one_turn) {
    house here({.host = {}, .pending_limit = 64 * 1024});
    auto& one = here.working();
    const auto made = encode_for_all(push);
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(here.events.ready[0]->send(made), send_result::queued) << i;
    }
    EXPECT_TRUE(here.until([&] { return one.packages.size() == 100; }));
    EXPECT_EQ(here.counts().of(drop::slow_consumer), 0U);
}

/// Writes the same frame until the connection ends; reads nothing.
void flood_with(house& here, client& one, const std::string& frame) {
    std::string many;
    while (many.size() < 60'000) {
        many += frame;
    }
    std::size_t rest = 0;
    here.until([&] {
        // A frame cut off by the kernel goes on where it was.
        rest += one.write(std::string_view(many).substr(rest));
        rest = rest == many.size() ? 0 : rest;
        return here.counts().of(drop::slow_consumer) > 0;
    });
}

TEST(slow_consumer, a_flood_of_pings_does_not_grow_the_queue_past_the_bound) {
    house here({.host = {}, .pending_limit = 16 * 1024});
    auto& one = here.working(4096);
    here.lazy.push_back(&one);
    flood_with(here, one, client::frame(std::string(125, 'p'), protocol::websocket_opcode::ping));
    EXPECT_EQ(here.counts().of(drop::slow_consumer), 1U);
    EXPECT_THAT(here.events.closed, SizeIs(1));
}

TEST(slow_consumer, a_flood_of_pings_before_the_handshake_ends_too) {
    house here({.host = {}, .pending_limit = 16 * 1024});
    auto& one = here.upgraded(4096);
    here.lazy.push_back(&one);
    flood_with(here, one, client::frame(std::string(125, 'p'), protocol::websocket_opcode::ping));
    EXPECT_EQ(here.counts().of(drop::slow_consumer), 1U);
    here.lazy.clear();
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_TRUE(one.packages.empty()) << "no kick before the ack";
}

TEST(slow_consumer, a_flood_of_heartbeats_ends_too) {
    house here({.host = {}, .heartbeat = 30s, .pending_limit = 4 * 1024});
    auto& one = here.working(4096);
    here.lazy.push_back(&one);
    flood_with(here, one, client::frame(protocol::heartbeat_package));
    EXPECT_EQ(here.counts().of(drop::slow_consumer), 1U);
}

} // namespace
} // namespace shaddock::net::testing
