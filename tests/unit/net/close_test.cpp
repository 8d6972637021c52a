#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaddock::net::testing {
namespace {

using protocol::websocket_opcode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(close, by_the_client_is_answered_with_its_code) {
    house here;
    auto& one = here.working();
    one.write_frame(protocol::websocket_close_payload(4321, "bye"), websocket_opcode::close);
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(one.close_code, 4321);
    EXPECT_FALSE(one.is_reset);
    ASSERT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.events.closed[0].second, "closed by the client");
    EXPECT_EQ(here.protocol_errors(), 0U);
}

TEST(close, without_a_code_is_answered_without_a_code) {
    house here;
    auto& one = here.working();
    one.write_frame("", websocket_opcode::close);
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(one.close_code, protocol::close_code::none);
}

TEST(close, what_comes_after_the_clients_close_is_thrown_away) {
    house here;
    auto& one = here.working();
    one.write(client::frame("", websocket_opcode::close) +
              client::frame(protocol::encode_package(package_type::data, "late").value()));
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(here.events.data, IsEmpty());
}

TEST(close, by_the_server_sends_what_waits_and_1000) {
    house here;
    auto& one = here.working();
    auto& connection = *here.events.ready[0];
    connection.send_package(protocol::encode_package(package_type::data, "last").value());
    connection.kick("enough");
    EXPECT_EQ(connection.send_package(protocol::heartbeat_package), send_result::closed);
    EXPECT_THAT(here.events.closed, IsEmpty()) << "nothing is called inline";
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages,
                ElementsAre(seen_package{package_type::data, "last"},
                            seen_package{package_type::kick, R"({"reason":"enough"})"}));
    EXPECT_EQ(one.close_code, 1000);
    ASSERT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.events.closed[0].second, "enough");
    one.drop();
    EXPECT_TRUE(here.until([&] { return here.counts().connections == 0; }));
    EXPECT_THAT(here.events.closed, SizeIs(1)) << "exactly once";
}

TEST(close, twice_is_once) {
    house here;
    auto& one = here.working();
    auto& connection = *here.events.ready[0];
    connection.kick("first");
    connection.kick("second");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages,
                ElementsAre(seen_package{package_type::kick, R"({"reason":"first"})"}));
    ASSERT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.events.closed[0].second, "first");
}

TEST(kick, sends_its_package_and_closes) {
    house here;
    auto& one = here.working();
    here.events.ready[0]->kick("somebody \"else\" logged in");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages,
                ElementsAre(seen_package{package_type::kick,
                                         R"({"reason":"somebody \"else\" logged in"})"}));
    EXPECT_EQ(one.close_code, 1000);
}

TEST(kick, before_the_ack_is_a_plain_close) {
    house here;
    connection* early = nullptr;
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        early = &from;
        return handshake_answer{.accepted = true, .json = "{}"};
    };
    auto& one = here.greeted();
    early->kick("too slow");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages, IsEmpty());
    EXPECT_EQ(one.close_code, 1000);
}

TEST(closed, a_reset_is_reported) {
    house here;
    auto& one = here.working();
    one.reset();
    ASSERT_TRUE(here.until([&] { return here.events.closed.size() == 1; }));
    EXPECT_EQ(here.counts().connections, 0U);
}

TEST(closed, the_end_of_the_clients_stream_is_reported_after_its_data) {
    house here;
    std::string order;
    here.events.data_hook = [&](connection&, std::string_view) {
        order += "data ";
        return true;
    };
    here.events.closed_hook = [&](connection&) { order += "closed"; };
    auto& one = here.working();
    one.write_package(package_type::data, "last words");
    one.drop();
    ASSERT_TRUE(here.until([&] { return !here.events.closed.empty(); }));
    EXPECT_EQ(order, "data closed");
}

TEST(closed, an_answer_reaches_a_client_that_has_ended_its_output) {
    house here;
    here.events.data_hook = [](connection& from, std::string_view) {
        from.send_package(protocol::encode_package(package_type::data, "answer").value());
        return true;
    };
    auto& one = here.working();
    one.write_package(package_type::data, "question");
    one.end_output();
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages, ElementsAre(seen_package{package_type::data, "answer"}));
}

TEST(closed, what_waits_still_reaches_a_slow_client_that_has_ended_its_output) {
    house here;
    auto& one = here.working(4096);
    here.lazy.push_back(&one);
    auto& connection = *here.events.ready[0];
    const auto package =
        protocol::encode_package(package_type::data, std::string(10'000, 'x')).value();
    std::size_t sent = 0;
    while (connection.pending_bytes() < 100'000) {
        ASSERT_EQ(connection.send_package(package), send_result::queued);
        ++sent;
        here.loop.restart();
        here.loop.poll();
    }
    one.end_output();
    ASSERT_TRUE(here.until([&] { return here.events.closed.size() == 1; }));
    EXPECT_EQ(here.counts().connections, 1U);
    here.lazy.clear();
    ASSERT_TRUE(here.until([&] { return here.counts().connections == 0; }));
    here.settle();
    EXPECT_EQ(one.packages.size(), sent);
}

TEST(closed, resets_in_every_phase_leave_nothing_behind) {
    house here;
    here.connect().reset();
    here.upgraded().reset();
    here.greeted().reset();
    here.working().reset();
    auto& half = here.connect();
    half.write("GET / HT");
    here.settle();
    half.reset();
    ASSERT_TRUE(here.until([&] { return here.counts().connections == 0; }));
    EXPECT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.counts().accepted, 5U);
}

} // namespace
} // namespace shaddock::net::testing
