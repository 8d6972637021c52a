#include "cluster.hpp"

namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;

TEST(faults, calls_to_a_dead_chat_server_fail_at_once) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    all.kill(all.chat_of("room"));
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(all.say(alice, "anyone?"), failed);
    // Far below the call timeout of 2 s: the answer came from the broken link.
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1s);
    EXPECT_FALSE(alice.link->is_ended);
}

TEST(faults, enter_without_a_chat_server_fails_and_binds_nothing) {
    system all(1, 1);
    all.kill("chat-server-1");
    all.settle();
    auto& alice = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.last_enter, failed);
    all.start("chat-server-1");
    EXPECT_TRUE(all.until([&] { return all.at("connector-server-1").now().links == 2; }));
    EXPECT_EQ(
        all.ask(alice, "connector.entryHandler.enter", R"({"username":"alice2","rid":"room"})"),
        R"({"users":["alice2"]})");
}

TEST(faults, members_of_a_dead_connector_leave_and_the_others_hear_it) {
    system all;
    (void)all.enter("connector-server-1", "alice", "room");
    auto& bob = all.enter("connector-server-2", "bob", "room");
    all.kill("connector-server-1");
    EXPECT_EQ(all.pushes(bob, 1), texts{R"(onLeave {"route":"onLeave","user":"alice"})"});
    all.start("connector-server-1");
    EXPECT_TRUE(all.until([&] { return all.at("connector-server-1").now().links == 4; }));
    (void)all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["bob","alice"]})");
}

TEST(faults, a_lost_link_is_not_death_and_only_differences_are_announced) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    auto& carol = all.enter("connector-server-1", "carol", "room");
    auto& bob = all.enter("connector-server-2", "bob", "room");
    (void)all.pushes(alice, 2);
    const auto chat = all.chat_of("room");
    all.network.cut("connector-server-1", chat);
    all.settle();
    carol.link->drop(); // the news cannot travel now
    all.settle();
    EXPECT_EQ(bob.take_pushes(), texts{});
    EXPECT_EQ(all.say(alice, "cut off"), failed);
    all.network.mend("connector-server-1", chat);
    EXPECT_EQ(all.pushes(bob, 1), texts{R"(onLeave {"route":"onLeave","user":"carol"})"});
    EXPECT_EQ(all.say(alice, "back"), "{}");
    EXPECT_EQ(all.pushes(bob, 1), texts{R"(onChat {"msg":"back","from":"alice","target":"*"})"});
}

TEST(faults, a_restarted_chat_server_takes_its_members_back) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    auto& bob = all.enter("connector-server-2", "bob", "room");
    (void)all.pushes(alice, 1);
    const auto chat = all.chat_of("room");
    all.kill(chat);
    all.settle();
    all.start(chat);
    EXPECT_TRUE(all.until([&] { return all.at(chat).now().members == 2; }));
    EXPECT_EQ(all.say(alice, "back"), "{}");
    EXPECT_EQ(all.pushes(bob, 1), texts{R"(onChat {"msg":"back","from":"alice","target":"*"})"});
    EXPECT_FALSE(alice.link->is_ended);
    bob.link->drop();
    EXPECT_EQ(all.pushes(alice, 2).back(), R"(onLeave {"route":"onLeave","user":"bob"})");
}

} // namespace
} // namespace shaddock::cluster_test
