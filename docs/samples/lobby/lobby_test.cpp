#include "lobby/lobby_api.hpp"

#include <shaddock/testing/plugin_under_test.hpp>

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

using shaddock::testing::make_session;
using shaddock::testing::plugin_under_test;

struct lobby_plugin : testing::Test {
    lobby_plugin() { plugin.host.files["lobby"] = R"({"seats":2})"; }

    std::string ask(std::string_view route, std::string_view body,
                    const shaddock::door::session_data& who) {
        const auto answer = plugin.request(route, body, who);
        return *answer ? answer->value() : answer->error().text();
    }

    plugin_under_test plugin{shaddock_plugin_door};
};

TEST_F(lobby_plugin, seats_a_guest_and_tells_the_table) {
    EXPECT_EQ(ask("lobbyHandler.sit", R"({"name":"ann","table":"red"})", make_session(1)),
              R"({"guests":["ann"]})");
    ASSERT_EQ(plugin.host.pushes.size(), 1U);
    EXPECT_EQ(plugin.host.pushes[0].route, "onGuests");
    EXPECT_EQ(plugin.host.pushes[0].uids(), std::vector<std::string>{"ann"});
    ASSERT_EQ(plugin.host.changes.size(), 2U); // bound, then the setting pushed
    EXPECT_EQ(plugin.host.changes[0].change.uid, "ann");
    EXPECT_EQ(plugin.host.changes[1].change.settings[0].json, R"("red")");
}

TEST_F(lobby_plugin, refuses_a_guest_when_the_table_is_full) {
    ask("lobbyHandler.sit", R"({"name":"ann","table":"red"})", make_session(1));
    ask("lobbyHandler.sit", R"({"name":"bob","table":"red"})", make_session(2));
    EXPECT_EQ(ask("lobbyHandler.sit", R"({"name":"cid","table":"red"})", make_session(3)),
              "the table is full");
    const auto guests = plugin.call("lobbyRemote.guests", R"(["red"])", lobby::guests.hash());
    EXPECT_EQ(guests->value(), R"(["ann","bob"])");
}

TEST_F(lobby_plugin, does_not_start_with_a_wrong_file) {
    plugin.host.files["lobby"] = R"({"seats":"many"})";
    try {
        plugin.create();
        FAIL() << "it was created";
    } catch (const std::runtime_error& failed) {
        EXPECT_NE(std::string(failed.what()).find("config/lobby.json:1: seats"), std::string::npos)
            << failed.what();
    }
}

TEST_F(lobby_plugin, lets_guests_speak_who_sat_down_before) {
    ask("lobbyHandler.sit", R"({"name":"ann","table":"red"})", plugin.connect(1));
    // What the plugin bound and pushed is in the client's next request.
    EXPECT_EQ(ask("lobbyHandler.say", R"({"text":"hi"})", plugin.session_now(1)), "{}");
    EXPECT_EQ(plugin.host.pushes.back().message, R"({"from":"ann","text":"hi"})");
}

TEST_F(lobby_plugin, has_the_seats_of_its_own_record) {
    plugin.host.self_.record_json = R"({"id":"lobby-server-1","seats":1})";
    ask("lobbyHandler.sit", R"({"name":"ann","table":"red"})", plugin.connect(1));
    EXPECT_EQ(ask("lobbyHandler.sit", R"({"name":"bob","table":"red"})", plugin.connect(2)),
              "the table is full");
}

TEST_F(lobby_plugin, lets_only_guests_speak) {
    EXPECT_EQ(ask("lobbyHandler.say", R"({"text":"hi"})", make_session(1)), "sit down first");
    EXPECT_EQ(ask("lobbyHandler.say", R"({"text":7})", make_session(1)),
              "text: expected string, found number 7");
}

TEST_F(lobby_plugin, tells_the_table_of_a_guest_who_is_lost_and_clears_an_empty_one) {
    const auto ann = plugin.connect(1);
    ask("lobbyHandler.sit", R"({"name":"ann","table":"red"})", ann);
    ask("lobbyHandler.sit", R"({"name":"bob","table":"red"})", plugin.connect(2));
    plugin.close(ann.ref);
    EXPECT_EQ(plugin.host.pushes.back().message, R"({"guests":["bob"]})");
    plugin.close(plugin.session_now(2).ref);
    EXPECT_TRUE(plugin.host.channel_names().empty());
}

TEST_F(lobby_plugin, reads_its_words_again_every_minute) {
    const auto file = testing::TempDir() + "lobby_words.txt";
    plugin.host.files["lobby"] = R"({"seats":2,"words_file":")" + file + R"("})";
    std::ofstream(file) << "rude";
    plugin.start_components().value();

    ask("lobbyHandler.sit", R"({"name":"ann","table":"red"})", make_session(1));
    const auto ann = make_session(1, "ann", {{"table", R"("red")"}});
    ask("lobbyHandler.say", R"({"text":"how rude"})", ann);
    EXPECT_EQ(plugin.host.pushes.back().message, R"({"from":"ann","text":"how ***"})");

    std::ofstream(file) << "loud";
    plugin.host.advance(std::chrono::seconds(60)); // nobody waits a minute
    ask("lobbyHandler.say", R"({"text":"rude and loud"})", ann);
    EXPECT_EQ(plugin.host.pushes.back().message, R"({"from":"ann","text":"rude and ***"})");
    plugin.stop_components().value();
    std::remove(file.c_str());
}

} // namespace
