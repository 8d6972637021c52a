#include "life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// How fast a client may send, and how much one turn of the loop does for it.
namespace shaddock::net::testing {
namespace {

using ::testing::SizeIs;

TEST(allowance, is_a_burst_and_then_a_rate) {
    const input_rates rates{.messages = 10, .message_burst = 3};
    const base::time_point start{1h};
    allowance one(rates, start);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(one.allows(rates, 100));
        one.take_messages(1);
    }
    EXPECT_FALSE(one.allows(rates, 100));
    EXPECT_EQ(one.wait(rates, 100), 100ms);
    one.refill(rates, start + 99ms);
    EXPECT_FALSE(one.allows(rates, 100));
    one.refill(rates, start + 100ms);
    EXPECT_TRUE(one.allows(rates, 100));
    one.refill(rates, start + 1h);
    one.take_messages(3);
    EXPECT_FALSE(one.allows(rates, 0)) << "never more than the burst";
}

TEST(allowance, what_is_above_the_burst_needs_a_full_bucket_and_leaves_a_debt) {
    const input_rates rates{.bytes = 1000, .byte_burst = 500};
    const base::time_point start{1h};
    allowance one(rates, start);
    EXPECT_TRUE(one.allows(rates, 2000));
    one.take_bytes(1);
    EXPECT_FALSE(one.allows(rates, 2000));
    EXPECT_TRUE(one.allows(rates, 499));
    EXPECT_EQ(one.wait(rates, 2000), 1ms);
    one.refill(rates, start + 1ms);
    EXPECT_TRUE(one.allows(rates, 2000));
    one.take_bytes(2000);
    EXPECT_FALSE(one.allows(rates, 1));
    EXPECT_EQ(one.wait(rates, 1), 1501ms);
}

TEST(allowance, zero_is_no_limit) {
    const input_rates rates;
    allowance one(rates, base::time_point{1h});
    one.take_messages(1'000'000);
    one.take_bytes(1'000'000'000);
    EXPECT_TRUE(one.allows(rates, 1'000'000));
    EXPECT_EQ(one.wait(rates, 1'000'000), 0s);
}

std::string requests(int count, std::size_t size = 1) {
    std::string all;
    for (int i = 0; i < count; ++i) {
        all += package(package_type::data, std::string(size, 'x'));
    }
    return all;
}

/// Both framings. Packages travel many to a frame where there are frames.
class rates : public ::testing::TestWithParam<form> {
protected:
    static listener_options limited(std::size_t messages, std::size_t burst) {
        listener_options options;
        options.rates = {.messages = messages, .message_burst = burst};
        return options;
    }
};
INSTANTIATE_TEST_SUITE_P(framings, rates, ::testing::Values(form::packages, form::websocket),
                         [](const auto& how) {
                             return how.param == form::packages ? "packages" : "websocket";
                         });

TEST_P(rates, who_sends_faster_is_not_read_until_time_has_paid) {
    life here(GetParam(), limited(100, 20));
    here.log_in();
    here.pass(1s);
    const auto waits = here.wire.waits;
    here.give(requests(30));
    EXPECT_THAT(here.events.data, SizeIs(20));
    here.give(requests(5));
    EXPECT_THAT(here.events.data, SizeIs(20));
    EXPECT_EQ(here.wire.waits, waits) << "nobody waits for what it sends";
    EXPECT_EQ(here.the_set.counts().throttled, 1U);
    here.pass(50ms);
    EXPECT_THAT(here.events.data, SizeIs(::testing::AllOf(::testing::Ge(24U), ::testing::Le(25U))));
    for (int i = 0; i < 25; ++i) {
        here.pass(5ms);
    }
    EXPECT_THAT(here.events.data, SizeIs(35));
    EXPECT_EQ(here.wire.waits, waits + 1);
    EXPECT_EQ(here.the_set.counts().throttled, 0U);
    EXPECT_GE(here.the_set.counts().throttled_for, 100ms);
    EXPECT_LE(here.the_set.counts().throttled_for, 200ms);
}

TEST_P(rates, the_log_names_once_a_minute_how_many_were_not_read) {
    const kept_log log;
    life here(GetParam(), limited(100, 20));
    here.log_in();
    here.events.names[here.events.ready[0]] = "ann*hall";
    for (int minute = 0; minute < 2; ++minute) {
        here.give(requests(30));
        here.pass(1s);
        here.give(requests(40));
        here.pass(40s);
    }
    EXPECT_GE(here.the_set.counts().throttles, 4U);
    const auto lines = log.lines("not read");
    ASSERT_THAT(lines, SizeIs(2));
    for (const auto& line : lines) {
        EXPECT_THAT(line, ::testing::HasSubstr(": 1 clients since the last line of this kind, the "
                                               "first of them 10.0.0.1:1 (ann*hall)"));
    }
}

TEST_P(rates, the_order_stays) {
    life here(GetParam(), limited(1000, 4));
    here.log_in();
    std::string all;
    for (char each = 'a'; each <= 'z'; ++each) {
        all += package(package_type::data, std::string(1, each));
        if (each == 'm') {
            here.give(all);
            all.clear();
        }
    }
    here.give(all);
    for (int i = 0; i < 100; ++i) {
        here.pass(5ms);
    }
    std::string seen;
    for (const auto& each : here.events.data) {
        seen += each;
    }
    EXPECT_EQ(seen, "abcdefghijklmnopqrstuvwxyz");
}

TEST_P(rates, its_own_heartbeats_do_not_expire_while_it_is_not_read) {
    auto options = limited(1, 10);
    options.heartbeat = 3s;
    options.idle_timeout = 4s;
    life here(GetParam(), options);
    here.log_in();
    here.pass(2s);
    here.give(requests(30) + package(package_type::heartbeat));
    for (int i = 0; i < 21; ++i) {
        here.pass(1s);
        ASSERT_EQ(here.connections(), 1U) << i;
    }
    EXPECT_THAT(here.events.data, SizeIs(30));
    for (int i = 0; i < 8; ++i) {
        here.pass(1s);
    }
    EXPECT_EQ(here.connections(), 0U) << "silent again, it goes";
}

TEST_P(rates, a_message_may_cost_more) {
    life here(GetParam(), limited(10, 20));
    here.events.data_hook = [&](connection& from, std::string_view body) {
        here.events.data.emplace_back(body);
        from.charge(9);
        return true;
    };
    here.log_in();
    here.pass(10s);
    here.give(requests(5));
    EXPECT_THAT(here.events.data, SizeIs(2));
    here.pass(1s);
    EXPECT_THAT(here.events.data, SizeIs(3));
}

TEST_P(rates, who_is_kicked_while_it_is_not_read_goes_as_others_do) {
    life here(GetParam(), limited(1, 10));
    here.log_in();
    here.give(requests(30));
    const auto seen = here.events.data.size();
    here.events.ready[0]->kick("enough");
    here.settle();
    EXPECT_THAT(here.wire.output, ::testing::HasSubstr("enough"));
    EXPECT_TRUE(here.wire.is_shut_down);
    EXPECT_THAT(here.events.data, SizeIs(seen)) << "what waited is thrown away";
    here.wire.end();
    here.settle();
    EXPECT_EQ(here.connections(), 0U);
    EXPECT_EQ(here.the_set.counts().throttled, 0U);
}

TEST_P(rates, a_listener_may_go_while_clients_are_not_read) {
    life here(GetParam(), limited(1, 10));
    here.log_in();
    here.give(requests(30));
    EXPECT_EQ(here.the_set.counts().throttled, 1U);
}

TEST_P(rates, a_turn_does_so_much_for_one_client) {
    life here(GetParam());
    here.log_in();
    using share = base::turn_budget::share;
    const auto many = 3 * static_cast<int>(share::messages);
    here.wire.give(GetParam() == form::packages ? requests(many) : client::frame(requests(many)));
    here.loop.restart();
    here.loop.poll_one();
    EXPECT_THAT(here.events.data, SizeIs(share::messages));
    here.loop.poll_one();
    EXPECT_THAT(here.events.data, SizeIs(2 * share::messages));
    here.settle();
    EXPECT_THAT(here.events.data, SizeIs(many));
}

TEST_P(rates, another_client_has_its_turn_in_between) {
    life here(GetParam());
    here.log_in();
    auto& other = here.another_wire();
    here.the_set.add(other.make_stream(), {.from = *base::parse_ip("10.0.0.2"), .port = 1});
    here.settle();
    std::vector<std::size_t> answered;
    const auto many = 10 * static_cast<int>(base::turn_budget::share::messages);
    here.wire.give(GetParam() == form::packages ? requests(many) : client::frame(requests(many)));
    other.give(package(package_type::handshake, "{}"));
    here.loop.restart();
    while (here.events.handshakes.size() < 2) {
        ASSERT_EQ(here.loop.poll_one(), 1U);
    }
    EXPECT_LE(here.events.data.size(), 2 * base::turn_budget::share::messages);
}

TEST(rates_of_bytes, are_those_of_frames) {
    listener_options options;
    options.rates = {.bytes = 1000, .byte_burst = 2000};
    life here(form::packages, options);
    here.log_in();
    here.pass(10s);
    here.give(requests(4, 996));
    EXPECT_THAT(here.events.data, SizeIs(2));
    here.pass(500ms);
    EXPECT_THAT(here.events.data, SizeIs(2));
    here.pass(600ms);
    EXPECT_THAT(here.events.data, SizeIs(3));
}

TEST(rates_of_bytes, a_package_above_the_burst_is_read_when_the_bucket_is_full) {
    listener_options options;
    options.rates = {.bytes = 1000, .byte_burst = 2000};
    for (const auto how : {form::packages, form::websocket}) {
        life here(how, options);
        here.log_in();
        here.pass(10s);
        here.give(requests(1));
        here.give(requests(1, 5000));
        EXPECT_THAT(here.events.data, SizeIs(1));
        here.pass(100ms);
        EXPECT_THAT(here.events.data, SizeIs(2));
        here.give(requests(1));
        here.pass(2900ms);
        EXPECT_THAT(here.events.data, SizeIs(2)) << "its debt";
        here.pass(200ms);
        EXPECT_THAT(here.events.data, SizeIs(3));
    }
}

} // namespace
} // namespace shaddock::net::testing
