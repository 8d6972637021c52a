#include "talk.hpp"

#include "../plugin/modules/counting.hpp"

#include <chrono>

/// Rooms that move when the list of servers changes.
SHADDOCK_PLUGIN("probe", registrar) {
    counting::setup(registrar);
}

namespace shaddock::cluster_test {
namespace {

/// One that is the first's of two chat servers at first, then that one's of three.
std::string room_of(std::size_t owner) {
    for (int n = 0;; ++n) {
        auto name = fmt::format("room{}", n);
        if (dispatch_index(name, 2) == 0 && dispatch_index(name, 3) == owner) {
            return name;
        }
    }
}

TEST(moves, rooms_move_under_people_who_talk) {
    system all;
    talk people(all);
    const auto id = all.add_guest("chat");
    people.say_until([&] { return people.pairs[0].asked.size() > 3; });
    EXPECT_EQ(all.at(id).now().channels, 0U) << "nobody routes to a guest";
    all.propose_without();
    people.say_until([&] { return all.is_settled(); });
    EXPECT_GT(all.at(id).now().channels, 0U);
    all.propose_without({"chat-server-1"});
    people.say_until([&] { return all.is_settled(); });
    EXPECT_EQ(all.at("chat-server-1").now().channels, 0U);
    all.stop("chat-server-1");
    people.say_until([&] { return people.pairs[0].asked.size() > 20; });
    people.expect_whole();
}

TEST(moves, members_keep_their_order_and_who_leaves_on_the_way_is_announced) {
    system all;
    const auto id = all.add_guest("chat");
    const auto room = room_of(2);
    auto& ann = all.enter("connector-server-1", "ann", room);
    auto& bob = all.enter("connector-server-2", "bob", room);
    all.enter("connector-server-1", "eve", room);
    all.settle();
    ann.take_pushes();
    all.propose_without();
    bob.link->drop();
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
    EXPECT_EQ(all.pushes(ann, 1), texts{R"(onLeave {"route":"onLeave","user":"bob"})"});
    EXPECT_EQ(all.at(id).now().members, 2U);
    all.enter("connector-server-2", "bob", room);
    EXPECT_EQ(all.last_enter, R"({"users":["ann","eve","bob"]})");
}

TEST(moves, rooms_of_a_dead_owner_come_back_from_the_frontends) {
    system all(2, 3);
    const auto room = room_of(2);
    auto& ann = all.enter("connector-server-1", "ann", room);
    auto& bob = all.enter("connector-server-2", "bob", room);
    all.settle();
    ann.take_pushes();
    all.kill("chat-server-3");
    bob.link->drop();
    all.settle();
    all.propose_without({"chat-server-3"});
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
    EXPECT_EQ(all.pushes(ann, 1), texts{R"(onLeave {"route":"onLeave","user":"bob"})"});
    EXPECT_EQ(all.say(ann, "hello"), "{}");
}

TEST(moves, an_owner_that_comes_back_while_rooms_move_takes_none_that_fall_to_another) {
    system all;
    const auto next = all.add_guest("chat");
    auto& ann = all.enter("connector-server-1", "ann", room_of(2));
    auto& bob = all.enter("connector-server-1", "bob", room_of(0));
    all.settle();
    all.kill("chat-server-1");
    all.settle();
    all.network.freeze("chat-server-2"); // so that frontends wait before they move the rooms
    all.propose_without();
    all.start("chat-server-1");
    all.network.thaw("chat-server-2");
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
    all.settle();
    EXPECT_EQ(all.at("chat-server-1").now().members, 1U);
    EXPECT_EQ(all.at(next).now().members, 1U);
    for (auto* each : {&ann, &bob}) {
        EXPECT_EQ(all.say(*each, "x"), "{}");
        EXPECT_EQ(all.pushes(*each, 1).size(), 1U);
    }
}

TEST(moves, wait_for_an_owner_that_stands_still_for_half_a_second_at_most) {
    system all;
    talk people(all);
    all.add_guest("chat");
    all.network.freeze("chat-server-2");
    const auto begun = std::chrono::steady_clock::now();
    all.propose_without();
    std::vector<std::uint32_t> asked;
    for (auto& each : people.pairs) {
        if (dispatch_index(each.room, 2) == 1 && dispatch_index(each.room, 3) != 1) {
            const auto id =
                each.ann->send("chat.chatHandler.send", R"({"content":"x","target":"*"})");
            EXPECT_EQ(all.answer(*each.ann, id), "{}") << each.room;
        }
    }
    EXPECT_TRUE(all.until([&] { return all.at("connector-server-1").now().epoch == 2; }));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 900ms);
    all.network.thaw("chat-server-2");
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
    // What the one before says of its rooms now is too late, and changes nothing.
    all.settle();
    for (auto& each : people.pairs) {
        EXPECT_EQ(all.say(*each.bob, "y"), "{}") << each.room;
    }
}

TEST(moves, who_is_on_a_frontend_that_stands_still_meanwhile_hears_all_when_it_goes_on) {
    system all;
    const auto room = room_of(2);
    auto& ann = all.enter("connector-server-1", "ann", room);
    auto& bob = all.enter("connector-server-2", "bob", room);
    const auto id = all.add_guest("chat");
    all.settle();
    ann.take_pushes();
    const auto frozen = std::chrono::steady_clock::now();
    all.freeze("connector-server-1");
    all.propose_without();
    // The room moves without it.
    texts said;
    while (std::chrono::steady_clock::now() - frozen < 700ms) {
        EXPECT_EQ(all.say(bob, std::to_string(said.size())), "{}");
        said.push_back(
            fmt::format(R"(onChat {{"msg":"{}","from":"bob","target":"*"}})", said.size()));
        all.until([] { return false; }, 20ms);
    }
    EXPECT_EQ(all.at(id).now().members, 2U);
    EXPECT_TRUE(ann.pushes.empty());
    all.thaw("connector-server-1");
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
    EXPECT_EQ(all.say(ann, "back"), "{}");
    said.push_back(R"(onChat {"msg":"back","from":"ann","target":"*"})");
    EXPECT_EQ(all.pushes(ann, said.size()), said);
    EXPECT_EQ(all.pushes(bob, said.size()), said);
}

TEST(moves, who_is_in_a_room_that_falls_to_an_older_build_is_kicked_to_come_back) {
    system all(system::shape{.speaks = [](const std::string& id) {
        bus::version_range spoken;
        if (id == "chat-server-3") {
            spoken.highest = 4;
        }
        return spoken;
    }});
    all.add_guest("chat");
    auto& moving = all.enter("connector-server-1", "ann", room_of(2));
    auto& staying = all.enter("connector-server-1", "bob", room_of(0));
    all.propose_without();
    EXPECT_TRUE(all.until([&] { return all.is_settled() && !moving.kicks.empty(); }));
    EXPECT_EQ(moving.kicks, texts{R"({"reason":"lost"})"});
    EXPECT_TRUE(staying.kicks.empty());
    all.enter("connector-server-1", "ann", room_of(2));
    EXPECT_EQ(all.last_enter, R"({"users":["ann"]})");
    EXPECT_EQ(all.say(staying, "y"), "{}");
}

TEST(moves, what_a_plugin_knows_of_a_room_goes_along) {
    system all(system::shape{.probe = &shaddock_plugin_door, .probes = 2});
    std::vector<chat_client*> clients;
    for (int n = 0; n < 6; ++n) {
        clients.push_back(&all.enter("connector-server-1", fmt::format("ann{}", n), "hall"));
        for (int i = 0; i < 2; ++i) {
            all.ask(*clients.back(), "probe.probeHandler.count", "{}");
        }
    }
    const auto id = all.add_guest("probe");
    all.propose_without();
    texts counted;
    for (auto* each : clients) {
        counted.push_back(all.ask(*each, "probe.probeHandler.count", "{}"));
    }
    const auto have_moved = std::ranges::count_if(
        counted, [&](const auto& text) { return text.find(id) != std::string::npos; });
    EXPECT_GT(have_moved, 0);
    for (const auto& text : counted) {
        EXPECT_TRUE(text.ends_with(R"("count":3})")) << text;
    }
}

TEST(moves, what_a_plugin_knows_of_a_room_survives_a_planned_restart) {
    std::string kept;
    system all(system::shape{.probe = &shaddock_plugin_door,
                             .probes = 1,
                             .adjust = [&](server::server_options& options) {
                                 if (options.self.type == "probe") {
                                     options.kept_rooms = std::exchange(kept, {});
                                     options.keep_rooms = [&](std::string bytes) {
                                         kept = std::move(bytes);
                                     };
                                 }
                             }});
    auto& ann = all.enter("connector-server-1", "ann", "hall");
    auto& bob = all.enter("connector-server-2", "bob", "hall");
    all.ask(ann, "probe.probeHandler.join", "{}");
    all.ask(ann, "probe.probeHandler.count", "{}");
    all.ask(bob, "probe.probeHandler.count", "{}"); // nobody is in his room
    all.stop("probe-server-1");
    all.start("probe-server-1");
    const auto count = [&](chat_client& who) {
        std::string answer;
        all.until([&] {
            answer = all.ask(who, "probe.probeHandler.count", "{}");
            return answer != failed;
        });
        return answer;
    };
    EXPECT_EQ(count(ann), R"({"server":"probe-server-1","count":2})");
    EXPECT_EQ(count(bob), R"({"server":"probe-server-1","count":1})");
}

TEST(moves, a_server_that_may_own_no_rooms_serves_none_and_keeps_none_for_its_next_life) {
    std::string kept;
    bool may_own = true;
    system all(system::shape{
        .probe = &shaddock_plugin_door,
        .probes = 1,
        .adjust = [&](server::server_options& options) {
            if (options.self.type == "probe") {
                options.may_own = [&] { return may_own; };
                options.keep_rooms = [&](std::string bytes) { kept = std::move(bytes); };
            }
        }});
    auto& ann = all.enter("connector-server-1", "ann", "hall");
    all.ask(ann, "probe.probeHandler.join", "{}");
    EXPECT_EQ(all.ask(ann, "probe.probeHandler.count", "{}"),
              R"({"server":"probe-server-1","count":1})");
    may_own = false;
    EXPECT_EQ(all.ask(ann, "probe.probeHandler.count", "{}"), failed);
    all.stop("probe-server-1");
    EXPECT_EQ(kept, "");
}

} // namespace
} // namespace shaddock::cluster_test
