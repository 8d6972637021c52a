#include "life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// A connection on a stream that does what real ones do seldom.
namespace shaddock::net::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

/// All that a connection does: log in, requests with answers, a push that has to wait, a kick.
void talk(life& here) {
    here.events.data_hook = [](connection& from, std::string_view body) {
        from.send_package(package(package_type::data, body));
        return true;
    };
    here.log_in();
    here.give(package(package_type::data, "one") + package(package_type::data, "two"));
    here.wire.make_room(10);
    here.give(package(package_type::data, std::string(300, 'x')));
    here.wire.make_room(memory_wire::all);
    here.settle();
    if (!here.events.ready.empty()) {
        here.is_kicked = true;
        here.events.ready[0]->kick("enough");
    }
    here.settle();
    here.wire.end();
    here.settle();
}

class stream_forms : public ::testing::TestWithParam<form> {};
INSTANTIATE_TEST_SUITE_P(stream, stream_forms, ::testing::Values(form::packages, form::websocket),
                         [](const auto& one) {
                             return one.param == form::packages ? "packages" : "websocket";
                         });

TEST_P(stream_forms, each_failure_ends_the_connection_once) {
    int failures = 0;
    for (int n = 1;; ++n) {
        life here(GetParam());
        here.wire.fail_at = n;
        here.wire.shut_down_steps = 1;
        std::size_t became_ready = 0;
        here.events.ready_hook = [&](connection&) { ++became_ready; };
        talk(here);
        here.pass(1s);
        EXPECT_EQ(here.connections(), 0U) << n;
        EXPECT_EQ(here.wire.closed + here.wire.resets, 1) << n;
        EXPECT_EQ(here.events.closed.size(), became_ready) << n;
        bool is_empty = false;
        here.the_set.when_empty([&] { is_empty = true; });
        here.settle();
        EXPECT_TRUE(is_empty) << n;
        if (here.wire.operations < n) {
            EXPECT_TRUE(here.wire.is_shut_down);
            EXPECT_EQ(here.wire.closed, 1);
            break;
        }
        ++failures;
        EXPECT_FALSE(here.wire.is_shut_down && here.wire.resets > 0) << n;
        if (became_ready > 0 && !here.is_kicked) {
            EXPECT_EQ(here.events.closed[0].second, "the wire is broken") << n;
        }
    }
    EXPECT_GT(failures, 15) << "reads, writes, waits of both kinds, shutting down";
}

TEST_P(stream_forms, short_reads_and_writes_change_nothing) {
    life whole(GetParam());
    talk(whole);
    ASSERT_THAT(whole.wire.output, ::testing::HasSubstr("enough"));
    for (std::size_t chunk = 1; chunk < 40; ++chunk) {
        life here(GetParam());
        here.wire.chunk = chunk;
        talk(here);
        EXPECT_EQ(here.wire.output, whole.wire.output) << chunk;
        EXPECT_EQ(here.wire.closed, 1) << chunk;
        EXPECT_THAT(here.events.closed, SizeIs(1)) << chunk;
    }
}

TEST_P(stream_forms, waits_in_vain_are_waited_for_again) {
    life here(GetParam());
    here.log_in();
    const auto before = here.wire.waits;
    here.wire.wake_reader();
    here.settle();
    EXPECT_EQ(here.wire.waits, before + 1);
    here.wire.make_room(0);
    here.events.ready[0]->send_package(package(package_type::data, "late"));
    here.settle();
    here.wire.wake_writer();
    here.settle();
    EXPECT_EQ(here.wire.waits, before + 3);
    EXPECT_THAT(here.wire.output, ::testing::Not(::testing::EndsWith("late")));
    here.wire.make_room(memory_wire::all);
    here.settle();
    EXPECT_THAT(here.wire.output, ::testing::EndsWith("late"));
    EXPECT_EQ(here.connections(), 1U);
}

TEST(stream, a_full_buffer_is_read_on_when_others_had_their_turn) {
    life here;
    here.log_in();
    const auto one = package(package_type::data, std::string(32 * 1024 - 4, 'x'));
    std::string flood;
    for (int i = 0; i < 5; ++i) {
        flood += one;
    }
    const auto before = here.wire.operations;
    here.wire.give(flood);
    here.loop.restart();
    here.loop.poll_one();
    EXPECT_THAT(here.events.data, SizeIs(2)) << "a buffer of 64 KiB, then it is others' turn";
    EXPECT_EQ(here.wire.operations, before + 1 + 1) << "a wait, a read";
    here.settle();
    EXPECT_THAT(here.events.data, SizeIs(5));
    EXPECT_EQ(here.wire.operations, before + 1 + 3) << "a wait, three reads";
}

TEST(stream, shutting_down_may_take_steps) {
    life here;
    here.log_in();
    here.wire.shut_down_steps = 3;
    here.wire.make_room(0);
    here.events.ready[0]->kick("enough");
    here.settle();
    EXPECT_FALSE(here.wire.is_shut_down);
    here.wire.make_room(memory_wire::all);
    here.settle();
    EXPECT_TRUE(here.wire.is_shut_down);
    EXPECT_EQ(here.connections(), 1U) << "the peer may still have something to say";
    here.wire.end();
    here.settle();
    EXPECT_EQ(here.connections(), 0U);
    EXPECT_EQ(here.wire.closed, 1);
}

TEST(stream, one_that_never_shuts_down_is_closed_in_time) {
    life here;
    here.log_in();
    here.wire.shut_down_steps = 1;
    // The last word, and not a step more.
    here.wire.make_room(package(package_type::kick, R"({"reason":"enough"})").size());
    here.events.ready[0]->kick("enough");
    here.settle();
    EXPECT_THAT(here.wire.output, ::testing::HasSubstr("enough"));
    here.pass(1s);
    EXPECT_EQ(here.connections(), 0U);
    EXPECT_EQ(here.wire.closed, 1);
}

TEST(stream, answers_still_go_out_after_the_peers_last_word) {
    life here;
    here.events.data_hook = [](connection& from, std::string_view body) {
        from.send_package(package(package_type::data, body));
        return true;
    };
    here.log_in();
    here.wire.make_room(3);
    here.wire.give(package(package_type::data, "echo"));
    here.wire.end();
    here.settle();
    EXPECT_EQ(here.connections(), 1U);
    here.wire.make_room(memory_wire::all);
    here.settle();
    EXPECT_THAT(here.wire.output, ::testing::EndsWith("echo"));
    EXPECT_TRUE(here.wire.is_shut_down);
    EXPECT_EQ(here.wire.closed, 1);
    ASSERT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.events.closed[0].second, "closed by the client");
}

TEST(stream, what_a_peer_does_not_read_is_thrown_away) {
    life here;
    here.log_in();
    here.wire.make_room(0);
    here.events.ready[0]->kick("enough");
    here.settle();
    here.pass(1s);
    EXPECT_EQ(here.connections(), 0U);
    EXPECT_EQ(here.wire.resets, 1);
    EXPECT_EQ(here.wire.closed, 0);
}

TEST(stream, goes_with_its_port) {
    auto here = std::make_unique<life>();
    here->log_in();
    memory_wire other(here->loop.get_executor());
    {
        connection_set short_lived(here->loop.get_executor(), here->clock, {.host = {}});
        short_lived.set_events(here->events);
        short_lived.add(other.make_stream(), {.from = *base::parse_ip("10.0.0.2"), .port = 1});
    }
    EXPECT_EQ(other.closed, 1);
    here->settle();
    EXPECT_THAT(here->events.closed, IsEmpty()) << "nobody is told";
}

} // namespace
} // namespace shaddock::net::testing
