#include "cluster.hpp"

namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;

/// Alice and bob in one room, each on a connector of their own, and carol beside alice where she is
/// asked for; they have heard of each other.
struct people : system {
    explicit people(bool with_carol = false)
        : carol(with_carol ? &enter("connector-server-1", "carol", "room") : nullptr) {
        (void)pushes(alice, with_carol ? 2 : 1);
        bob.take_pushes();
    }
    chat_client& alice = enter("connector-server-1", "alice", "room");
    chat_client& bob = enter("connector-server-2", "bob", "room");
    chat_client* carol;
    const std::string chat = chat_of("room");
};

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
    people all(true);
    all.network.cut("connector-server-1", all.chat);
    all.settle();
    all.carol->link->drop(); // the news cannot travel now
    all.settle();
    EXPECT_EQ(all.bob.take_pushes(), texts{});
    EXPECT_EQ(all.say(all.alice, "cut off"), failed);
    all.network.mend("connector-server-1", all.chat);
    EXPECT_EQ(all.pushes(all.bob, 1), texts{R"(onLeave {"route":"onLeave","user":"carol"})"});
    EXPECT_EQ(all.say(all.alice, "back"), "{}");
    EXPECT_EQ(all.pushes(all.bob, 1),
              texts{R"(onChat {"msg":"back","from":"alice","target":"*"})"});
}

TEST(faults, a_restarted_chat_server_takes_its_members_back) {
    people all;
    all.kill(all.chat);
    all.settle();
    all.start(all.chat);
    EXPECT_TRUE(all.until([&] { return all.at(all.chat).now().members == 2; }));
    EXPECT_EQ(all.say(all.alice, "back"), "{}");
    EXPECT_EQ(all.pushes(all.bob, 1),
              texts{R"(onChat {"msg":"back","from":"alice","target":"*"})"});
    EXPECT_FALSE(all.alice.link->is_ended);
    all.bob.link->drop();
    EXPECT_EQ(all.pushes(all.alice, 2).back(), R"(onLeave {"route":"onLeave","user":"bob"})");
}

TEST(faults, who_left_while_a_chat_server_was_down_is_announced_once) {
    people all(true);
    all.network.freeze(all.chat); // it does not live to read of the first one
    all.carol->link->drop();
    all.settle();
    all.kill(all.chat);
    all.settle();
    all.start(all.chat);
    const texts left{R"(onLeave {"route":"onLeave","user":"carol"})"};
    EXPECT_EQ(all.pushes(all.alice, 1), left);
    EXPECT_EQ(all.pushes(all.bob, 1), left);
    (void)all.enter("connector-server-2", "dave", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["alice","bob","dave"]})");
    // It has been acknowledged: the next life does not hear of her.
    (void)all.pushes(all.bob, 1);
    all.kill(all.chat);
    all.settle();
    all.start(all.chat);
    EXPECT_TRUE(all.until([&] { return all.at(all.chat).now().members == 3; }));
    all.settle();
    EXPECT_EQ(all.bob.take_pushes(), texts{});
}

TEST(faults, requests_are_answered_until_all_rosters_are_there_or_time_is_over) {
    people all;
    all.kill(all.chat);
    all.network.cut("connector-server-2", all.chat);
    const auto before = std::chrono::steady_clock::now();
    all.start(all.chat);
    EXPECT_TRUE(all.until([&] { return all.at(all.chat).now().members == 1; }));
    EXPECT_EQ(all.say(all.alice, "too early"), failed);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 1s) << "it was answered at once";
    EXPECT_TRUE(all.until([&] { return all.say(all.alice, "alone") == "{}"; }));
    EXPECT_GE(std::chrono::steady_clock::now() - before, 1s);
    // Whoever comes later is taken back all the same.
    all.network.mend("connector-server-2", all.chat);
    EXPECT_TRUE(all.until([&] { return all.at(all.chat).now().members == 2; }));
    EXPECT_EQ(all.say(all.alice, "together"), "{}");
    EXPECT_EQ(all.pushes(all.bob, 1),
              texts{R"(onChat {"msg":"together","from":"alice","target":"*"})"});
}

TEST(faults, a_join_that_nobody_knows_of_is_taken_back_and_can_be_tried_again) {
    system all;
    auto& bob = all.enter("connector-server-2", "bob", "room");
    auto& alice = all.connect("connector-server-1");
    const auto chat = all.chat_of("room");
    all.network.freeze(chat);
    const auto body = R"({"username":"alice","rid":"room"})";
    const auto asked = alice.send("connector.entryHandler.enter", body);
    all.settle();
    all.kill(chat);
    EXPECT_EQ(all.answer(alice, asked), failed);
    EXPECT_EQ(all.ask(alice, "connector.entryHandler.enter", body), failed) << "not known yet";
    all.start(chat);
    EXPECT_TRUE(all.until([&] {
        return all.ask(alice, "connector.entryHandler.enter", body) ==
               R"({"users":["bob","alice"]})";
    }));
    EXPECT_EQ(all.pushes(bob, 1).back(), R"(onAdd {"route":"onAdd","user":"alice"})");
    EXPECT_EQ(all.say(alice, "in"), "{}");
}

TEST(faults, a_connector_that_was_declared_dead_sends_its_people_back) {
    people all;
    all.declare_dead(all.chat_of("room"), "connector-server-1");
    EXPECT_EQ(all.pushes(all.bob, 1), texts{R"(onLeave {"route":"onLeave","user":"alice"})"});
    EXPECT_TRUE(all.until([&] { return all.alice.link->is_ended; }));
    all.alice.sort();
    EXPECT_EQ(all.alice.kicks, texts{R"({"reason":"lost"})"});
    EXPECT_TRUE(all.until([&] { return all.at("connector-server-1").now().links == 4; }));
    auto& again = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["bob","alice"]})");
    EXPECT_EQ(all.say(all.bob, "hi"), "{}");
    EXPECT_EQ(all.pushes(again, 1), texts{R"(onChat {"msg":"hi","from":"bob","target":"*"})"});
    EXPECT_EQ(all.say(again, "ho"), "{}");
}

TEST(faults, a_chat_server_that_was_declared_dead_keeps_its_rooms) {
    people all(true);
    all.network.freeze(all.chat);
    all.declare_dead("connector-server-1", all.chat);
    all.carol->link->drop();
    all.settle();
    all.network.thaw(all.chat);
    EXPECT_TRUE(all.until([&] { return all.say(all.alice, "back") == "{}"; }));
    EXPECT_EQ(all.pushes(all.bob, 2),
              (texts{R"(onLeave {"route":"onLeave","user":"carol"})",
                     R"(onChat {"msg":"back","from":"alice","target":"*"})"}));
    EXPECT_FALSE(all.alice.link->is_ended);
    (void)all.enter("connector-server-1", "carol", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["alice","bob","carol"]})");
}

} // namespace
} // namespace shaddock::cluster_test
