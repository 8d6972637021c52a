#include "cluster.hpp"

namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;

TEST(life, a_server_says_what_it_is) {
    system all;
    const auto now = all.at("connector-server-1").now();
    EXPECT_TRUE(now.is(control::server_state::ready));
    EXPECT_EQ(now.module, "connector.so");
    EXPECT_EQ(now.generation, 1u);
    EXPECT_EQ(now.links, 4u);
    EXPECT_EQ(now.expected, 4u);
    EXPECT_NE(all.at("connector-server-1").client_port(), 0);
    EXPECT_EQ(all.at("chat-server-1").client_port(), 0);
}

TEST(life, a_stopping_connector_kicks_with_a_reason_and_its_members_leave) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    auto& bob = all.enter("connector-server-2", "bob", "room");
    all.stop("connector-server-1");
    EXPECT_TRUE(all.until([&] { return alice.link->is_ended; }));
    alice.sort();
    EXPECT_EQ(alice.kicks, texts{R"({"reason":"test"})"});
    EXPECT_EQ(all.pushes(bob, 1), texts{R"(onLeave {"route":"onLeave","user":"alice"})"});
    EXPECT_TRUE(all.at("chat-server-1").now().is(control::server_state::ready));
}

TEST(life, a_stopping_connector_sends_its_clients_away_one_after_the_other) {
    system all(
        system::shape{.adjust = [](server::server_options& options) { options.drain_rate = 100; }});
    std::vector<chat_client*> people;
    for (int n = 0; n < 40; ++n) {
        people.push_back(&all.enter("connector-server-1", fmt::format("p{}", n), "hall"));
    }
    const auto are_kicked = [&] {
        return std::ranges::count_if(people, [](auto* each) { return each->link->is_ended; });
    };
    const auto begun = std::chrono::steady_clock::now();
    all.begin_stop("connector-server-1");
    ASSERT_TRUE(all.until([&] { return are_kicked() >= 4; }));
    const auto stays =
        std::ranges::find_if(people, [](auto* each) { return !each->link->is_ended; });
    ASSERT_NE(stays, people.end());
    EXPECT_LT(are_kicked(), 30);
    EXPECT_EQ(all.say(**stays, "still here"), "{}") << "who has not been sent away is served";
    EXPECT_TRUE(all.until([&] { return all.is_stopped("connector-server-1"); }));
    EXPECT_GT(std::chrono::steady_clock::now() - begun, 300ms);
    for (auto* each : people) {
        each->sort();
        EXPECT_EQ(each->kicks, texts{R"({"reason":"test"})"});
    }
}

TEST(life, the_chat_server_counts_what_it_holds) {
    system all(1, 1);
    auto& alice = all.enter("connector-server-1", "alice", "room");
    (void)all.enter("connector-server-1", "bob", "room");
    EXPECT_EQ(all.at("chat-server-1").now().channels, 1u);
    EXPECT_EQ(all.at("chat-server-1").now().members, 2u);
    EXPECT_EQ(all.at("connector-server-1").now().sessions, 2u);
    alice.link->drop();
    EXPECT_TRUE(all.until([&] { return all.at("chat-server-1").now().members == 1; }));
    EXPECT_EQ(all.at("connector-server-1").now().sessions, 1u);
}

} // namespace
} // namespace shaddock::cluster_test
