#include "talk.hpp"

#include <shaddock/dispatch.hpp>

#include <set>

/// Of moves_test.cpp: a room for each uid, with a count that moves along.
extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace shaddock::cluster_test {
namespace {

const std::string leaver = "chat-server-1";
const std::string other = "chat-server-2";

/// The nth name of a room that is the `owner`th's of two chat servers.
std::string hall(std::size_t owner, int nth = 0) {
    for (int n = 0;; ++n) {
        auto name = fmt::format("hall{}", n);
        if (dispatch_index(name, 2) == owner && nth-- == 0) {
            return name;
        }
    }
}

std::size_t rooms_left(system& all, const std::string& id = leaver) {
    const auto now = all.at(id).now();
    return now.staying ? now.staying->rooms : 1'000'000;
}

void leave(system& all, const std::string& id = leaver) {
    all.propose_without({}, {id});
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
}

TEST(stay, rooms_stay_under_people_who_talk_and_newcomers_find_them) {
    system all;
    talk people(all);
    const auto before = all.at(leaver).now().members;
    people.say_until([&] { return people.pairs[0].asked.size() > 3; });
    all.propose_without({}, {leaver});
    people.say_until([&] { return all.is_settled(); });
    people.say_until([&] { return people.pairs[0].asked.size() > 20; });
    people.expect_whole();
    EXPECT_EQ(all.at(leaver).now().members, before);
    EXPECT_EQ(rooms_left(all), before / 2);
    for (const auto& each : people.pairs) {
        all.enter("connector-server-2", "eve", each.room);
        EXPECT_EQ(all.last_enter, R"({"users":["ann","bob","eve"]})") << each.room;
    }
    EXPECT_EQ(all.at(leaver).now().members, before + before / 2);
}

TEST(stay, a_new_room_is_made_elsewhere_and_the_last_one_to_go_leaves_none) {
    system all;
    auto& ann = all.enter("connector-server-1", "ann", hall(0));
    auto& bob = all.enter("connector-server-2", "bob", hall(0, 1));
    leave(all);
    EXPECT_EQ(rooms_left(all), 2U);
    all.enter("connector-server-1", "eve", hall(0, 2));
    EXPECT_EQ(all.at(other).now().members, 1U);
    ann.link->drop();
    EXPECT_TRUE(all.until([&] { return rooms_left(all) == 1; }));
    // It stays its, though it is empty for a moment.
    all.enter("connector-server-2", "ann", hall(0));
    EXPECT_EQ(rooms_left(all), 2U);
    for (auto* each : {&bob}) {
        each->link->drop();
    }
    EXPECT_TRUE(all.until([&] { return rooms_left(all) == 1; }));
}

TEST(stay, what_is_left_at_the_end_moves_under_people_who_talk) {
    system all;
    talk people(all);
    people.say_until([&] { return people.pairs[0].asked.size() > 3; });
    all.propose_without({}, {leaver});
    people.say_until([&] { return all.is_settled(); });
    all.propose_without({leaver});
    people.say_until([&] { return all.is_settled(); });
    EXPECT_EQ(all.at(leaver).now().channels, 0U);
    all.stop(leaver);
    people.say_until([&] { return people.pairs[0].asked.size() > 20; });
    people.expect_whole();
}

TEST(stay, one_that_leaves_is_taken_back_with_its_rooms) {
    system all;
    talk people(all);
    const auto before = all.at(leaver).now().members;
    leave(all);
    auto& eve = all.enter("connector-server-1", "eve", hall(0));
    EXPECT_EQ(all.at(other).now().members, 24 - before + 1);
    all.propose_without();
    people.say_until([&] { return all.is_settled(); });
    people.say_until([&] { return people.pairs[0].asked.size() > 20; });
    people.expect_whole();
    EXPECT_EQ(all.at(leaver).now().members, before + 1) << "the room that was made elsewhere too";
    EXPECT_EQ(all.say(eve, "x"), "{}");
}

TEST(stay, the_state_of_a_room_goes_along_at_the_end) {
    system all(system::shape{.probe = &shaddock_plugin_door, .probes = 2});
    std::vector<chat_client*> clients;
    for (int n = 0; n < 6; ++n) {
        clients.push_back(&all.enter("connector-server-1", fmt::format("ann{}", n), "hall"));
        all.ask(*clients.back(), "probe.probeHandler.join", "{}");
        all.ask(*clients.back(), "probe.probeHandler.count", "{}");
    }
    leave(all, "probe-server-1");
    EXPECT_GT(rooms_left(all, "probe-server-1"), 0U);
    texts counted;
    const auto count = [&](int times) {
        counted.clear();
        for (auto* each : clients) {
            counted.push_back(all.ask(*each, "probe.probeHandler.count", "{}"));
            EXPECT_TRUE(counted.back().ends_with(fmt::format(R"("count":{}}})", times)))
                << counted.back();
        }
        return std::ranges::count_if(counted, [](const auto& text) {
            return text.find("probe-server-1") != std::string::npos;
        });
    };
    EXPECT_EQ(static_cast<std::size_t>(count(2)), rooms_left(all, "probe-server-1"));
    all.propose_without({"probe-server-1"});
    EXPECT_EQ(count(3), 0);
}

TEST(stay, rooms_of_one_that_crashes_while_it_leaves_come_back_to_it) {
    system all;
    auto& ann = all.enter("connector-server-1", "ann", hall(0));
    auto& bob = all.enter("connector-server-2", "bob", hall(0));
    auto& eve = all.enter("connector-server-1", "eve", hall(0, 1));
    leave(all);
    all.kill(leaver);
    eve.link->drop();
    all.settle();
    EXPECT_EQ(all.say(ann, "x"), failed);
    all.start(leaver);
    EXPECT_TRUE(all.until([&] { return rooms_left(all) == 1 && all.is_settled(); }));
    EXPECT_EQ(all.say(ann, "y"), "{}");
    EXPECT_EQ(all.say(bob, "z"), "{}");
    all.enter("connector-server-2", "joe", hall(0));
    EXPECT_EQ(all.last_enter, R"({"users":["ann","bob","joe"]})");
    // The room that nobody has come back with is made anew, elsewhere.
    all.enter("connector-server-2", "eve", hall(0, 1));
    EXPECT_EQ(all.last_enter, R"({"users":["eve"]})");
    EXPECT_EQ(rooms_left(all), 1U);
    EXPECT_EQ(all.at(other).now().members, 1U);
}

TEST(stay, a_connector_that_comes_later_finds_rooms_that_stay) {
    system all;
    all.enter("connector-server-1", "ann", hall(0));
    leave(all);
    all.kill("connector-server-2");
    all.start("connector-server-2");
    EXPECT_TRUE(all.until([&] { return all.is_settled(); }));
    all.enter("connector-server-2", "bob", hall(0));
    EXPECT_EQ(all.last_enter, R"({"users":["ann","bob"]})");
    all.enter("connector-server-2", "eve", hall(0, 1));
    EXPECT_EQ(all.last_enter, R"({"users":["eve"]})");
    EXPECT_EQ(rooms_left(all), 1U);
}

TEST(stay, who_has_not_heard_what_stays_asks_nobody_for_a_room_that_may) {
    system all;
    all.enter("connector-server-1", "ann", hall(0));
    leave(all);
    all.kill("connector-server-2");
    all.kill(leaver);
    all.start("connector-server-2");
    all.enter("connector-server-2", "bob", hall(0));
    EXPECT_EQ(all.last_enter, failed);
    all.enter("connector-server-2", "eve", hall(1));
    EXPECT_EQ(all.last_enter, R"({"users":["eve"]})") << "it is no room of the leaver's";
    all.start(leaver);
    EXPECT_TRUE(all.until([&] { return rooms_left(all) == 1 && all.is_settled(); }));
    all.enter("connector-server-2", "bob", hall(0));
    EXPECT_EQ(all.last_enter, R"({"users":["ann","bob"]})");
}

TEST(stay, rooms_stay_while_other_servers_come) {
    system all;
    talk people(all);
    const auto before = all.at(leaver).now().members;
    leave(all);
    const auto id = all.add_guest("chat");
    all.propose_without({}, {leaver});
    people.say_until([&] { return all.is_settled(); });
    EXPECT_GT(all.at(id).now().members, 0U);
    EXPECT_EQ(all.at(leaver).now().members, before);
    all.propose_without({}, {leaver, other});
    people.say_until([&] { return all.is_settled(); });
    EXPECT_EQ(all.at(leaver).now().members, before);
    EXPECT_EQ(all.at(leaver).now().members + all.at(other).now().members + all.at(id).now().members,
              24U);
    people.expect_whole();
    for (const auto& each : people.pairs) {
        all.enter("connector-server-2", "eve", each.room);
        EXPECT_EQ(all.last_enter, R"({"users":["ann","bob","eve"]})") << each.room;
    }
}

TEST(stay, who_has_no_link_to_one_that_leaves_makes_no_second_room_and_moves_nobody) {
    system all;
    auto& ann = all.enter("connector-server-1", "ann", hall(0));
    auto& joe = all.enter("connector-server-2", "joe", hall(0));
    all.network.cut(leaver, "connector-server-2");
    all.propose_without({}, {leaver});
    all.enter("connector-server-2", "bob", hall(0));
    EXPECT_EQ(all.last_enter, failed);
    EXPECT_TRUE(all.until([&] { return all.is_settled() && rooms_left(all) == 1; }));
    all.network.mend(leaver, "connector-server-2");
    EXPECT_TRUE(all.until([&] {
        all.enter("connector-server-2", "bob", hall(0));
        return all.last_enter != failed;
    }));
    EXPECT_EQ(all.last_enter, R"({"users":["ann","joe","bob"]})");
    joe.take_pushes();
    EXPECT_EQ(all.say(ann, "x"), "{}");
    EXPECT_EQ(all.pushes(joe, 1), texts{R"(onChat {"msg":"x","from":"ann","target":"*"})"});
    EXPECT_EQ(all.at(other).now().members, 0U);
}

TEST(stay, nothing_stays_where_somebody_is_of_a_build_that_knows_of_no_staying) {
    system all(system::shape{.speaks = [](const std::string& id) {
        bus::version_range spoken;
        spoken.highest = id == "connector-server-2" ? std::uint16_t{5} : spoken.highest;
        return spoken;
    }});
    talk people(all);
    all.propose_without({}, {leaver});
    people.say_until([&] { return all.is_settled(); });
    people.expect_whole();
    EXPECT_EQ(rooms_left(all), 0U);
    EXPECT_EQ(all.at(other).now().members, 24U);
}

} // namespace
} // namespace shaddock::cluster_test
