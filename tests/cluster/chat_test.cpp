#include "cluster.hpp"

namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;

constexpr auto duplicate = R"({"code":500,"error":true})";

std::string said(std::string_view text, std::string_view from, std::string_view target = "*") {
    return fmt::format(R"(onChat {{"msg":"{}","from":"{}","target":"{}"}})", text, from, target);
}
std::string added(std::string_view name) {
    return fmt::format(R"(onAdd {{"route":"onAdd","user":"{}"}})", name);
}
std::string left(std::string_view name) {
    return fmt::format(R"(onLeave {{"route":"onLeave","user":"{}"}})", name);
}

TEST(chat_cluster, the_gate_names_a_living_connector) {
    system all;
    auto& client = all.connect("gate-server-1");
    const auto answer = all.ask(client, "gate.gateHandler.queryEntry", R"({"uid":"alice"})");
    EXPECT_TRUE(answer.starts_with(R"({"code":200,"host":"127.0.0.1","port":)")) << answer;
    EXPECT_EQ(all.ask(client, "gate.gateHandler.queryEntry", "{}"), failed);
    EXPECT_EQ(all.ask(client, "gate.gateHandler.queryEntry", "not json"), failed);
    EXPECT_EQ(all.ask(client, "gate.gateHandler.queryEntry", R"({"uid":["a"]})"), failed);
    EXPECT_EQ(all.ask(client, "gate.gateHandler.queryEntry", R"({"uid":{}})"), failed);
    EXPECT_TRUE(all.ask(client, "gate.gateHandler.queryEntry", R"({"uid":123})")
                    .starts_with(R"({"code":200)"));
    all.kill("connector-server-1");
    all.kill("connector-server-2");
    all.settle();
    EXPECT_EQ(all.ask(client, "gate.gateHandler.queryEntry", R"({"uid":"alice"})"), failed);
}

TEST(chat_cluster, two_people_on_two_connectors_talk) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["alice"]})");
    auto& bob = all.enter("connector-server-2", "bob", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["alice","bob"]})");
    EXPECT_EQ(all.pushes(alice, 1), texts{added("bob")});
    EXPECT_EQ(all.pushes(bob, 0), texts{}); // the joiner never hears of himself

    EXPECT_EQ(all.say(alice, "hi 你好 😀"), "{}");
    // Beyond the BMP as \u escapes: what the JS clients' decoder can read.
    const auto heard = texts{said(R"(hi 你好 \ud83d\ude00)", "alice")};
    EXPECT_EQ(all.pushes(bob, 1), heard);
    EXPECT_EQ(all.pushes(alice, 1), heard);

    EXPECT_EQ(all.say(bob, "psst", "alice"), "{}");
    EXPECT_EQ(all.pushes(alice, 1), texts{said("psst", "bob", "alice")});
    EXPECT_EQ(all.pushes(bob, 0), texts{});

    alice.link->drop();
    EXPECT_EQ(all.pushes(bob, 1), texts{left("alice")});
}

TEST(chat_cluster, every_failure_is_an_answer) {
    system all;
    auto& early = all.connect("connector-server-1");
    EXPECT_EQ(all.say(early, "early"), failed);
    auto& alice = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.say(alice, "x", "nobody"), failed);
    for (const auto* route :
         {"", "abc", "a.b", "chat.chatHandler", "chat.chatHandler.", "chat.chatHandler.nothing",
          "chat.chatHandler.toString", "nowhere.h.m", "connector.nothing.enter", "a.b.c.d"}) {
        EXPECT_EQ(all.ask(alice, route, "{}"), failed) << route;
    }
    for (const auto* body :
         {"", "not json", "[]", "{}", R"({"content":1,"target":"*"})", R"({"content":"x"})"}) {
        EXPECT_EQ(all.ask(alice, "chat.chatHandler.send", body), failed) << body;
    }
    EXPECT_EQ(all.pushes(alice, 0), texts{});
    EXPECT_EQ(all.say(alice, "still here"), "{}");
}

TEST(chat_cluster, a_notify_is_served_and_not_answered) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    alice.send("chat.chatHandler.send", R"({"content":"n","target":"*"})",
               protocol::message_type::notify);
    EXPECT_EQ(all.pushes(alice, 1), texts{said("n", "alice")});
    EXPECT_EQ(alice.answers.size(), 1u); // enter's
}

TEST(chat_cluster, the_route_constructor_is_kicked_for_attack) {
    system all;
    auto& client = all.connect("gate-server-1");
    client.send("a.b.constructor", "{}");
    EXPECT_TRUE(all.until([&] { return !client.kicks.empty() && client.link->is_ended; }));
    EXPECT_EQ(client.kicks, texts{R"({"reason":"attack"})"});
}

TEST(chat_cluster, a_name_in_the_room_is_refused_from_any_connector) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "room");
    (void)all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.last_enter, duplicate);
    auto& other = all.enter("connector-server-2", "alice", "room");
    EXPECT_EQ(all.last_enter, duplicate);
    EXPECT_EQ(all.pushes(alice, 0), texts{});
    // The connection stays usable under another name.
    EXPECT_EQ(
        all.ask(other, "connector.entryHandler.enter", R"({"username":"alice2","rid":"room"})"),
        R"({"users":["alice","alice2"]})");
    EXPECT_EQ(all.pushes(alice, 1), texts{added("alice2")});
    // And the name is free again once its owner has gone.
    alice.link->drop();
    EXPECT_EQ(all.pushes(other, 1), texts{left("alice")});
    (void)all.enter("connector-server-2", "alice", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["alice2","alice"]})");
}

TEST(chat_cluster, enter_refuses_what_it_cannot_use_and_binds_nothing) {
    system all;
    auto& client = all.connect("connector-server-1");
    for (const auto* body : {"{}", "", R"({"username":"a"})", R"({"rid":"r"})",
                             R"({"username":"","rid":"r"})", R"({"username":"a*b","rid":"r"})",
                             R"({"username":"a","rid":""})", R"({"username":1,"rid":"r"})"}) {
        EXPECT_EQ(all.ask(client, "connector.entryHandler.enter", body), failed) << body;
    }
    EXPECT_EQ(
        all.ask(client, "connector.entryHandler.enter", R"({"username":"a","rid":"__proto__"})"),
        R"({"users":["a"]})");
}

TEST(chat_cluster, a_person_switches_rooms_without_reconnecting) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "one");
    auto& bob = all.enter("connector-server-2", "bob", "one");
    auto& carol = all.enter("connector-server-2", "carol", "two");
    (void)all.pushes(alice, 1);
    EXPECT_EQ(all.ask(alice, "connector.entryHandler.enter", R"({"username":"alice","rid":"two"})"),
              R"({"users":["carol","alice"]})");
    EXPECT_EQ(all.pushes(bob, 1), texts{left("alice")});
    EXPECT_EQ(all.pushes(carol, 1), texts{added("alice")});
    EXPECT_EQ(all.pushes(alice, 0), texts{});

    EXPECT_EQ(all.say(alice, "in two"), "{}");
    EXPECT_EQ(all.pushes(carol, 1), texts{said("in two", "alice")});
    EXPECT_EQ(all.say(bob, "in one"), "{}");
    EXPECT_EQ(all.pushes(bob, 1), texts{said("in one", "bob")});
    EXPECT_EQ(all.pushes(alice, 1), texts{said("in two", "alice")});

    // Another name, or the same room again, is refused and changes nothing.
    EXPECT_EQ(
        all.ask(alice, "connector.entryHandler.enter", R"({"username":"mallory","rid":"one"})"),
        duplicate);
    EXPECT_EQ(all.ask(alice, "connector.entryHandler.enter", R"({"username":"alice","rid":"two"})"),
              duplicate);
    EXPECT_EQ(all.say(alice, "still in two"), "{}");
    EXPECT_EQ(all.pushes(carol, 1), texts{said("still in two", "alice")});

    alice.link->drop();
    EXPECT_EQ(all.pushes(carol, 1), texts{left("alice")});
    EXPECT_EQ(all.pushes(bob, 0), texts{});
}

TEST(chat_cluster, a_switch_into_a_room_that_has_the_name_changes_nothing) {
    system all;
    auto& alice = all.enter("connector-server-1", "alice", "one");
    auto& bob = all.enter("connector-server-2", "bob", "one");
    auto& other = all.enter("connector-server-2", "alice", "two");
    (void)all.pushes(alice, 1);
    EXPECT_EQ(all.ask(alice, "connector.entryHandler.enter", R"({"username":"alice","rid":"two"})"),
              duplicate);
    EXPECT_EQ(all.pushes(other, 0), texts{});
    EXPECT_EQ(all.pushes(bob, 0), texts{});
    EXPECT_EQ(all.say(alice, "still in one"), "{}");
    EXPECT_EQ(all.pushes(bob, 1), texts{said("still in one", "alice")});
}

TEST(chat_cluster, enter_runs_one_at_a_time_per_session) {
    system all;
    auto& watcher = all.enter("connector-server-2", "bob", "one");
    auto& alice = all.connect("connector-server-1");
    const auto first =
        alice.send("connector.entryHandler.enter", R"({"username":"alice","rid":"one"})");
    const auto second =
        alice.send("connector.entryHandler.enter", R"({"username":"alice","rid":"two"})");
    const auto third =
        alice.send("connector.entryHandler.enter", R"({"username":"alice","rid":"one"})");
    EXPECT_EQ(all.answer(alice, first), R"({"users":["bob","alice"]})");
    EXPECT_EQ(all.answer(alice, second), R"({"users":["alice"]})");
    EXPECT_EQ(all.answer(alice, third), R"({"users":["bob","alice"]})");
    EXPECT_EQ(all.pushes(watcher, 3), (texts{added("alice"), left("alice"), added("alice")}));
}

TEST(chat_cluster, what_is_sent_while_switching_always_has_a_room) {
    system all;
    auto& bob = all.enter("connector-server-2", "bob", "one");
    auto& carol = all.enter("connector-server-2", "carol", "two");
    auto& alice = all.enter("connector-server-1", "alice", "one");
    (void)all.pushes(bob, 1);
    std::vector<std::uint32_t> sent;
    std::uint32_t entered = 0;
    for (int i = 0; i < 40; ++i) {
        if (i == 5) {
            entered =
                alice.send("connector.entryHandler.enter", R"({"username":"alice","rid":"two"})");
        }
        sent.push_back(alice.send("chat.chatHandler.send", R"({"content":"x","target":"*"})"));
        all.loop.restart();
        all.loop.poll_one();
    }
    EXPECT_EQ(all.answer(alice, entered), R"({"users":["carol","alice"]})");
    for (const auto id : sent) {
        EXPECT_EQ(all.answer(alice, id), "{}");
    }
    all.settle();
    const auto one = bob.take_pushes();
    const auto two = carol.take_pushes();
    // 40 messages in all, each in one room, and one onLeave here, one onAdd there.
    EXPECT_EQ(one.size() + two.size(), 42u);
    EXPECT_EQ(alice.take_pushes().size(), 40u);
}

TEST(chat_cluster, rooms_with_chinese_names_meet_on_one_server) {
    system all(2, 3);
    auto& one = all.enter("connector-server-1", "小明", "聊天室");
    (void)all.enter("connector-server-2", "小红", "聊天室");
    EXPECT_EQ(all.last_enter, R"({"users":["小明","小红"]})");
    EXPECT_EQ(all.pushes(one, 1), texts{added("小红")});
}

TEST(chat_cluster, someone_who_closes_while_entering_is_no_ghost) {
    system all;
    auto& bob = all.enter("connector-server-2", "bob", "room");
    for (int i = 0; i < 20; ++i) {
        auto& hasty = all.connect("connector-server-1");
        hasty.send("connector.entryHandler.enter", R"({"username":"hasty","rid":"room"})");
        for (int turn = 0; turn < i % 5; ++turn) {
            all.loop.restart();
            all.loop.poll_one();
        }
        hasty.link->drop();
        all.settle();
        const auto heard = bob.take_pushes();
        EXPECT_TRUE(heard.empty() || heard == (texts{added("hasty"), left("hasty")}))
            << heard.size();
    }
    (void)all.enter("connector-server-1", "hasty", "room");
    EXPECT_EQ(all.last_enter, R"({"users":["bob","hasty"]})");
}

} // namespace
} // namespace shaddock::cluster_test
