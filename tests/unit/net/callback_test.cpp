#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// A callee may do anything with any connection inside any callback.
namespace shaddock::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(callbacks, a_kick_in_on_data_stops_the_rest_of_the_batch) {
    house here;
    int calls = 0;
    here.events.data_hook = [&](connection& from, std::string_view) {
        ++calls;
        from.kick("seen enough");
        return true;
    };
    auto& one = here.working();
    one.write(client::frame(data_package("1") + std::string("\x05\0\0\0", 4)) +
              client::frame(data_package("2")) + "not even a frame");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(one.close_code, 1000);
    EXPECT_EQ(here.protocol_errors(), 0U) << "nobody looks at it any more";
    ASSERT_THAT(here.events.closed, SizeIs(1));
}

TEST(callbacks, a_kick_in_on_data_and_then_false_is_no_second_error) {
    house here;
    here.events.data_hook = [](connection& from, std::string_view) {
        from.kick("mine");
        return false;
    };
    auto& one = here.working();
    one.write_package(package_type::data, "x");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(one.close_code, 1000);
    EXPECT_EQ(here.protocol_errors(), 0U);
}

TEST(callbacks, kick_in_on_data_of_a_batch_that_waits_for_its_end) {
    house here;
    here.events.data_hook = [](connection& from, std::string_view) {
        from.send_package(data_package("answer"));
        from.kick("go");
        return true;
    };
    auto& one = here.working();
    const auto frame = client::frame(data_package("1"));
    one.write(frame.substr(0, 5));
    here.settle();
    one.write(frame.substr(5) + frame + frame.substr(0, 3));
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages, ElementsAre(seen_package{package_type::data, "answer"},
                                          seen_package{package_type::kick, R"({"reason":"go"})"}));
}

TEST(callbacks, a_kick_in_on_handshake_sends_no_answer) {
    house here;
    here.events.handshake_hook = [](connection& from, std::string_view) {
        from.kick("no");
        return handshake_answer{.accepted = true, .json = "{}"};
    };
    auto& one = here.upgraded();
    one.write_package(package_type::handshake, "{}");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages, IsEmpty());
}

TEST(callbacks, kick_in_on_ready_sends_no_heartbeat_and_is_reported) {
    house here({.host = {}, .heartbeat = 3s});
    here.events.ready_hook = [](connection& from) { from.kick("full"); };
    auto& one = here.greeted();
    one.write_package(package_type::handshake_ack);
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages,
                ElementsAre(seen_package{package_type::kick, R"({"reason":"full"})"}));
    EXPECT_THAT(here.events.closed, SizeIs(1));
}

TEST(callbacks, on_closed_may_send_to_others_and_kick_them) {
    house here;
    here.working();
    auto& second = here.working();
    auto& third = here.working();
    auto* first_connection = here.events.ready[0];
    auto* second_connection = here.events.ready[1];
    auto* third_connection = here.events.ready[2];
    here.events.closed_hook = [&](connection& gone) {
        EXPECT_EQ(gone.send_package(data_package("too late")), send_result::closed);
        if (&gone == first_connection) {
            second_connection->send_package(data_package("left"));
            third_connection->kick("you too");
        }
    };
    here.clients[0]->drop();
    ASSERT_TRUE(here.until([&] { return third.is_ended && !second.packages.empty(); }));
    EXPECT_EQ(second.packages[0].body, "left");
    EXPECT_FALSE(second.is_ended);
    EXPECT_THAT(here.events.closed, SizeIs(2));
}

TEST(callbacks, on_data_of_one_may_close_another_that_has_input_waiting) {
    house here;
    auto& first = here.working();
    auto& second = here.working();
    auto ready = here.events.ready;
    int calls = 0;
    here.events.data_hook = [&](connection& from, std::string_view) {
        ++calls;
        (&from == ready[0] ? ready[1] : ready[0])->kick("the other was faster");
        return true;
    };
    first.write_package(package_type::data, "x");
    second.write_package(package_type::data, "y");
    ASSERT_TRUE(here.until([&] { return first.is_ended || second.is_ended; }));
    here.settle();
    EXPECT_EQ(calls, 1);
    EXPECT_NE(first.is_ended, second.is_ended);
}

TEST(callbacks, overflow_inside_on_data_ends_the_batch) {
    house here({.host = {}, .pending_limit = 32 * 1024});
    int calls = 0;
    const auto big = data_package(std::string(8'000'000, 'x'));
    here.events.data_hook = [&](connection& from, std::string_view) {
        ++calls;
        EXPECT_EQ(from.send_package(big), send_result::overflowed);
        EXPECT_EQ(from.send_package(big), send_result::closed);
        return true;
    };
    auto& one = here.working(4096);
    one.write_frame(data_package("1") + data_package("2"));
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(one.is_broken);
    EXPECT_EQ(one.packages.back().type, package_type::kick);
}

TEST(callbacks, stop_inside_on_data_ends_everything) {
    house here;
    auto& one = here.working();
    auto& two = here.working();
    bool is_done = false;
    here.events.data_hook = [&](connection&, std::string_view) {
        here.port().stop("going down", [&] { is_done = true; });
        EXPECT_FALSE(is_done);
        return true;
    };
    one.write_package(package_type::data, "x");
    ASSERT_TRUE(here.until([&] { return one.is_ended && two.is_ended; }));
    one.drop();
    two.drop();
    ASSERT_TRUE(here.until([&] { return is_done; }));
    EXPECT_THAT(here.events.closed, SizeIs(2));
}

TEST(callbacks, user_pointer_is_the_callees) {
    house here;
    int mark = 0;
    here.events.ready_hook = [&](connection& from) {
        EXPECT_EQ(from.user, nullptr);
        from.user = &mark;
    };
    void* seen = nullptr;
    here.events.closed_hook = [&](connection& gone) { seen = gone.user; };
    here.working().drop();
    ASSERT_TRUE(here.until([&] { return seen != nullptr; }));
    EXPECT_EQ(seen, &mark);
}

} // namespace
} // namespace shaddock::net::testing
