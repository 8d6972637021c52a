#include "wire.hpp"

#include <gtest/gtest.h>

namespace shaddock::server {
namespace {

door::session_data session() {
    return {{"connector-server-1", incarnation{7}, session_id{9}, "alice*room"},
            {{"rid", "\"room\""}, {"n", "1"}}};
}

TEST(wire, a_request_comes_out_as_it_went_in) {
    const auto data = session();
    const request_id whole{incarnation{7}, session_id{9}, 11};
    const auto bytes = wire::encode("chat.chatHandler.send", whole, 42, &data,
                                    {door::codec::json, "{\"a\":1}"}, "connector.so 1.2");
    wire::request out;
    ASSERT_TRUE(wire::decode(bytes, out));
    EXPECT_EQ(out.route, "chat.chatHandler.send");
    EXPECT_EQ(out.id, whole);
    EXPECT_EQ(out.contract, 42u);
    EXPECT_EQ(out.caller, "connector.so 1.2");
    ASSERT_TRUE(out.has_session);
    EXPECT_EQ(out.session.ref, data.ref);
    ASSERT_EQ(out.session.settings.size(), 2u);
    EXPECT_EQ(out.session.settings[0].key, "rid");
    EXPECT_EQ(out.session.settings[0].json, "\"room\"");
    EXPECT_EQ(out.body.bytes, "{\"a\":1}");
}

TEST(wire, a_request_without_a_session_has_none) {
    const auto bytes = wire::encode("time.timeRemote.now", {}, 1, nullptr, {door::codec::raw, ""});
    wire::request out;
    ASSERT_TRUE(wire::decode(bytes, out));
    EXPECT_FALSE(out.has_session);
    EXPECT_EQ(out.body.tag, door::codec::raw);
    EXPECT_EQ(out.body.bytes, "");
}

TEST(wire, every_cut_request_is_refused) {
    const auto data = session();
    const std::string whole = wire::encode("a.b.c", {}, 1, &data, {door::codec::json, ""});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        wire::request out;
        EXPECT_FALSE(wire::decode(std::string_view(whole).substr(0, size), out)) << size;
    }
}

TEST(wire, a_session_change_comes_out_as_it_went_in) {
    door::session_change change;
    change.what = door::session_change::kind::push;
    change.settings = {{"k", "[1,2]"}};
    change.text = "reason";
    change.uid = "u";
    session_ref who;
    door::session_change out;
    ASSERT_TRUE(wire::decode(wire::encode(session().ref, change), who, out));
    EXPECT_EQ(who, session().ref);
    EXPECT_EQ(out.what, change.what);
    EXPECT_EQ(out.uid, "u");
    EXPECT_EQ(out.text, "reason");
    ASSERT_EQ(out.settings.size(), 1u);
    EXPECT_EQ(out.settings[0].json, "[1,2]");
}

TEST(wire, a_reply_keeps_its_codec) {
    const auto reply = wire::decode_reply(wire::encode_reply({door::codec::raw, "x"}));
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->tag, door::codec::raw);
    EXPECT_EQ(reply->bytes, "x");
    EXPECT_FALSE(wire::decode_reply(""));
}

} // namespace
} // namespace shaddock::server
