#include "chat/chat_api.hpp"

#include <shaddock/testing/plugin_under_test.hpp>

#include <gmock/gmock.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

namespace json = shaddock::json;
using shaddock::errc;
using shaddock::session_ref;
using shaddock::testing::make_session;
using testing::ElementsAre;
using testing::IsEmpty;

class chat_plugin : public testing::Test {
protected:
    shaddock::testing::plugin_under_test plugin{shaddock_plugin_door};
    const session_ref ann = make_session(1, "ann*room").ref;
    const session_ref bob = make_session(2, "bob*room").ref;
    const session_ref eve = make_session(1, "eve*room", {}, "connector-server-2").ref;

    static std::string join(const session_ref& who, bool create = true) {
        return json::encode(std::tuple(who, std::string("room"), create));
    }
    std::string add(const session_ref& who, bool create = true) {
        return text(plugin.call("chatRemote.add", join(who, create), chat::add.hash()));
    }
    std::string kick(const session_ref& who) {
        return text(plugin.call("chatRemote.kick",
                                json::encode(std::tuple(who, std::string("room"))),
                                chat::kick.hash()));
    }
    std::string get() {
        return text(plugin.call("chatRemote.get", R"(["room"])", chat::get.hash()));
    }
    std::string send(const session_ref& who, std::string_view body, std::string rid = "room") {
        return text(plugin.request("chatHandler.send", body, {who, {{"rid", json::encode(rid)}}}));
    }
    static std::string text(const std::optional<shaddock::result<std::string>>& answer) {
        if (!answer) {
            return "(waiting)";
        }
        return *answer ? answer->value() : std::string(to_string(answer->error().code()));
    }
    std::vector<shaddock::testing::sent_push> take_pushes() {
        plugin.host.run();
        return std::exchange(plugin.host.pushes, {});
    }
};

TEST_F(chat_plugin, answers_a_join_with_all_names_in_order) {
    EXPECT_EQ(add(ann), R"(["ann"])");
    EXPECT_EQ(add(bob), R"(["ann","bob"])");
    EXPECT_EQ(add(eve), R"(["ann","bob","eve"])");
    EXPECT_EQ(get(), R"(["ann","bob","eve"])");
}

TEST_F(chat_plugin, tells_those_in_the_room_but_never_the_joiner) {
    add(ann);
    EXPECT_THAT(take_pushes(), IsEmpty());
    add(bob);
    const auto pushes = take_pushes();
    ASSERT_EQ(pushes.size(), 1U);
    EXPECT_EQ(pushes[0].route, "onAdd");
    EXPECT_EQ(pushes[0].message, R"({"route":"onAdd","user":"bob"})");
    EXPECT_THAT(pushes[0].uids(), ElementsAre("ann*room"));
}

TEST_F(chat_plugin, refuses_a_name_that_is_in_the_room_from_any_connector) {
    add(ann);
    EXPECT_EQ(add(ann), "duplicate");
    EXPECT_EQ(add(make_session(9, "ann*room", {}, "connector-server-3").ref), "duplicate");
    EXPECT_THAT(take_pushes(), IsEmpty());
    EXPECT_EQ(get(), R"(["ann"])");
}

TEST_F(chat_plugin, makes_a_room_only_when_asked) {
    EXPECT_EQ(add(ann, false), "not_found");
    EXPECT_EQ(get(), "[]");
    EXPECT_THAT(plugin.host.channel_names(), IsEmpty());
}

TEST_F(chat_plugin, tells_the_rest_when_one_is_taken_out_and_forgets_an_empty_room) {
    add(ann);
    add(bob);
    take_pushes();
    EXPECT_EQ(kick(ann), "true");
    const auto pushes = take_pushes();
    ASSERT_EQ(pushes.size(), 1U);
    EXPECT_EQ(pushes[0].message, R"({"route":"onLeave","user":"ann"})");
    EXPECT_THAT(pushes[0].uids(), ElementsAre("bob*room"));
    EXPECT_EQ(kick(ann), "false");
    EXPECT_THAT(take_pushes(), IsEmpty());
    EXPECT_EQ(kick(bob), "true");
    EXPECT_THAT(plugin.host.channel_names(), IsEmpty());
    EXPECT_THAT(take_pushes(), IsEmpty());
}

TEST_F(chat_plugin, tells_the_rest_when_a_session_is_lost) {
    add(ann);
    add(bob);
    take_pushes();
    auto* room = plugin.host.find_channel("room");
    room->remove(ann); // as the host does before it calls the hook
    plugin.hooks().on_member_lost("room", {ann, 1});
    const auto pushes = take_pushes();
    ASSERT_EQ(pushes.size(), 1U);
    EXPECT_EQ(pushes[0].message, R"({"route":"onLeave","user":"ann"})");
    room->remove(bob);
    plugin.hooks().on_member_lost("room", {bob, 2});
    take_pushes();
    EXPECT_THAT(plugin.host.channel_names(), IsEmpty());
}

TEST_F(chat_plugin, sends_to_all_and_to_the_sender) {
    add(ann);
    add(bob);
    take_pushes();
    EXPECT_EQ(send(ann, R"({"rid":"other","content":"hi","from":"bob","target":"*"})"), "{}");
    const auto pushes = take_pushes();
    ASSERT_EQ(pushes.size(), 1U);
    EXPECT_EQ(pushes[0].channel, "room");
    EXPECT_EQ(pushes[0].route, "onChat");
    EXPECT_EQ(pushes[0].message, R"({"msg":"hi","from":"ann","target":"*"})");
    EXPECT_THAT(pushes[0].uids(), ElementsAre("ann*room", "bob*room"));
}

TEST_F(chat_plugin, tells_the_sender_when_nobody_gets_the_message) {
    add(ann);
    add(bob);
    take_pushes();
    plugin.host.push_refusal = shaddock::error(errc::overloaded, "full");
    EXPECT_EQ(send(ann, R"({"content":"hi","target":"*"})"), "overloaded");
    EXPECT_EQ(send(ann, R"({"content":"hi","target":"bob"})"), "overloaded");
    EXPECT_THAT(take_pushes(), IsEmpty());
}

TEST_F(chat_plugin, lets_nobody_in_whom_the_members_cannot_be_told_of) {
    add(ann);
    plugin.host.push_refusal = shaddock::error(errc::overloaded, "full");
    EXPECT_EQ(add(bob), "overloaded");
    plugin.host.push_refusal.reset();
    EXPECT_EQ(get(), R"(["ann"])");
    EXPECT_EQ(add(bob), R"(["ann","bob"])");
}

TEST_F(chat_plugin, tells_of_a_leave_as_soon_as_it_can_and_of_no_join_before_it) {
    add(ann);
    add(bob);
    add(eve);
    take_pushes();
    plugin.host.push_refusal = shaddock::error(errc::overloaded, "full");
    EXPECT_EQ(kick(bob), "true");
    EXPECT_EQ(kick(eve), "true");
    plugin.host.advance(std::chrono::seconds(1));
    plugin.host.push_refusal.reset();
    EXPECT_EQ(add(bob), "overloaded");
    EXPECT_THAT(take_pushes(), IsEmpty());
    plugin.host.advance(std::chrono::seconds(1));
    EXPECT_EQ(add(bob), R"(["ann","bob"])");
    const auto pushes = take_pushes();
    ASSERT_EQ(pushes.size(), 3U);
    EXPECT_EQ(pushes[0].message, R"({"route":"onLeave","user":"bob"})");
    EXPECT_EQ(pushes[1].message, R"({"route":"onLeave","user":"eve"})");
    EXPECT_EQ(pushes[2].message, R"({"route":"onAdd","user":"bob"})");
    EXPECT_THAT(plugin.host.timers(), IsEmpty());
}

TEST_F(chat_plugin, further_leaves_do_not_put_off_the_telling) {
    for (const auto& who : {ann, bob, eve}) {
        add(who);
    }
    take_pushes();
    plugin.host.push_refusal = shaddock::error(errc::overloaded, "full");
    kick(bob);
    plugin.host.push_refusal.reset();
    plugin.host.advance(std::chrono::milliseconds(15));
    kick(eve);
    plugin.host.advance(std::chrono::milliseconds(10));
    EXPECT_EQ(take_pushes().size(), 2U) << "20 ms after the first";
}

TEST_F(chat_plugin, an_empty_room_has_nobody_to_be_told) {
    add(ann);
    add(bob);
    plugin.host.push_refusal = shaddock::error(errc::overloaded, "full");
    kick(bob);
    EXPECT_EQ(add(eve), "overloaded");
    kick(ann);
    plugin.host.push_refusal.reset();
    EXPECT_EQ(add(eve), R"(["eve"])");
}

TEST_F(chat_plugin, sends_to_one_only) {
    add(ann);
    add(bob);
    add(eve);
    take_pushes();
    EXPECT_EQ(send(ann, R"({"content":"psst","target":"eve"})"), "{}");
    const auto pushes = take_pushes();
    ASSERT_EQ(pushes.size(), 1U);
    EXPECT_EQ(pushes[0].message, R"({"msg":"psst","from":"ann","target":"eve"})");
    EXPECT_THAT(pushes[0].uids(), ElementsAre("eve*room"));
    EXPECT_EQ(send(ann, R"({"content":"note","target":"ann"})"), "{}");
    EXPECT_THAT(take_pushes().at(0).uids(), ElementsAre("ann*room"));
}

TEST_F(chat_plugin, refuses_a_send_that_cannot_be_delivered) {
    add(ann);
    take_pushes();
    EXPECT_EQ(send(ann, R"({"content":"hi","target":"nobody"})"), "not_found");
    EXPECT_EQ(send(ann, R"({"content":"hi","target":"*"})", "elsewhere"), "not_found");
    EXPECT_EQ(send(bob, R"({"content":"hi","target":"*"})"), "not_found") << "not a member";
    EXPECT_EQ(send(ann, R"({"target":"*"})"), "bad_request");
    EXPECT_EQ(send(ann, R"({"content":5,"target":"*"})"), "bad_request");
    EXPECT_EQ(send(ann, "hello"), "bad_request");
    EXPECT_EQ(text(plugin.request("chatHandler.send", R"({"content":"hi","target":"*"})",
                                  make_session(5))),
              "refused");
    EXPECT_THAT(take_pushes(), IsEmpty());
}

TEST_F(chat_plugin, takes_texts_as_long_as_its_config_says) {
    const auto say = [](shaddock::testing::plugin_under_test& to, std::size_t bytes) {
        const auto who = make_session(1, "ann*room").ref;
        to.call("chatRemote.add", join(who), chat::add.hash());
        return text(to.request("chatHandler.send",
                               R"({"target":"*","content":")" + std::string(bytes, 'x') + "\"}",
                               {who, {{"rid", "\"room\""}}}));
    };
    EXPECT_EQ(say(plugin, 32768), "{}");
    EXPECT_EQ(say(plugin, 32769), "bad_request");

    shaddock::testing::plugin_under_test terse(shaddock_plugin_door);
    terse.host.files["chat"] = R"({"content_limit":10})";
    EXPECT_EQ(say(terse, 10), "{}");
    EXPECT_EQ(say(terse, 11), "bad_request");

    shaddock::testing::plugin_under_test wrong(shaddock_plugin_door);
    wrong.host.files["chat"] = R"({"content_limit":-1})";
    EXPECT_THROW(wrong.create(), std::runtime_error);
}

TEST_F(chat_plugin, refuses_names_and_rooms_that_deceive) {
    const auto add_to = [&](const std::string& name, const std::string& room) {
        const auto who = make_session(4, name + "*" + room).ref;
        return text(plugin.call("chatRemote.add", json::encode(std::tuple(who, room, true)),
                                chat::add.hash()));
    };
    EXPECT_EQ(add_to("a\u202eb", "room"), "bad_request");
    EXPECT_EQ(add_to("ann", "one\u2028two"), "bad_request");
    EXPECT_EQ(add_to("", "room"), "bad_request");
    EXPECT_THAT(plugin.host.channel_names(), IsEmpty());
}

TEST_F(chat_plugin, takes_any_text_as_a_room) {
    const session_ref who = make_session(3, "ann*__proto__").ref;
    EXPECT_EQ(text(plugin.call("chatRemote.add",
                               json::encode(std::tuple(who, std::string("__proto__"), true)))),
              R"(["ann"])");
}

} // namespace
