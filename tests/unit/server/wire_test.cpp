#include "wire.hpp"

#include <gtest/gtest.h>

namespace shaddock::server {
namespace {

door::session_data session() {
    return {{"connector-server-1", incarnation{7}, session_id{9}, "alice*room"},
            {{"rid", "\"room\""}, {"n", "1"}},
            "192.0.2.1",
            "10.0.0.5"};
}

TEST(wire, a_request_comes_out_as_it_went_in) {
    const auto data = session();
    const request_id whole{incarnation{7}, session_id{9}, 11};
    const auto bytes =
        wire::encode("chat.chatHandler.send", whole, 42, &data, "{\"a\":1}", "connector.so 1.2", 5);
    wire::request out;
    ASSERT_TRUE(wire::decode(bytes, out));
    EXPECT_EQ(out.route, "chat.chatHandler.send");
    EXPECT_EQ(out.id, whole);
    EXPECT_EQ(out.contract, 42u);
    EXPECT_EQ(out.caller, "connector.so 1.2");
    ASSERT_TRUE(out.has_session);
    EXPECT_EQ(out.session.ref, data.ref);
    EXPECT_EQ(out.session.address, "192.0.2.1");
    EXPECT_EQ(out.session.reached_at, "");
    ASSERT_EQ(out.session.settings.size(), 2u);
    EXPECT_EQ(out.session.settings[0].key, "rid");
    EXPECT_EQ(out.session.settings[0].json, "\"room\"");
    EXPECT_EQ(out.body, "{\"a\":1}");
    EXPECT_EQ(out.epoch, 5U);
}

TEST(wire, a_request_without_a_session_has_none) {
    const auto bytes = wire::encode("time.timeRemote.now", {}, 1, nullptr, "");
    wire::request out;
    ASSERT_TRUE(wire::decode(bytes, out));
    EXPECT_FALSE(out.has_session);
    EXPECT_EQ(out.body, "");
}

TEST(wire, every_cut_request_is_refused) {
    const auto data = session();
    const std::string whole = wire::encode("a.b.c", {}, 1, &data, "");
    // Older writers end before the epoch, and before the client's address.
    const auto older = whole.size() - 8;
    const auto oldest = older - 4 - data.address.size();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        wire::request out;
        EXPECT_EQ(wire::decode(std::string_view(whole).substr(0, size), out),
                  size == older || size == oldest)
            << size;
        EXPECT_EQ(out.session.address, size >= older ? data.address : "");
        EXPECT_EQ(out.epoch, 0U);
    }
}

TEST(wire, contracts_come_out_as_they_went_in_and_cut_ones_are_refused) {
    const contract_rows rows{{contract_row::role::called, "a.b.c", 42, "[] -> {}"},
                             {contract_row::role::served, "d.e.f", 7, "[bool] -> int32"}};
    const auto bytes = wire::encode(rows);
    contract_rows out;
    ASSERT_TRUE(wire::decode(bytes, out));
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(out[1].as, contract_row::role::served);
    EXPECT_EQ(out[1].route, "d.e.f");
    EXPECT_EQ(out[1].hash, 7U);
    EXPECT_EQ(out[1].shape, "[bool] -> int32");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        contract_rows cut;
        EXPECT_FALSE(wire::decode(std::string_view(bytes).substr(0, size), cut)) << size;
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

TEST(wire, a_session_change_of_too_many_settings_arrives_whole_to_be_refused) {
    door::session_change change;
    change.what = door::session_change::kind::push;
    for (int i = 0; i < 300; ++i) {
        change.settings.push_back({std::to_string(i), "1"});
    }
    change.text = "after them";
    session_ref who;
    door::session_change out;
    ASSERT_TRUE(wire::decode(wire::encode(session().ref, change), who, out));
    EXPECT_EQ(out.settings.size(), 300u);
    EXPECT_EQ(out.text, "after them");
}

TEST(wire, settings_that_claim_more_than_there_are_are_refused) {
    std::string bytes;
    wire::writer out(bytes);
    wire::write(out, session().ref);
    out.u8(4);
    out.text("u");
    out.u32(0xffffffff);
    session_ref who;
    door::session_change change;
    EXPECT_FALSE(wire::decode(bytes, who, change));
}

TEST(wire, an_envelope_may_end_in_fields_that_this_reader_does_not_know) {
    const auto data = session();
    auto bytes = wire::encode("chat.chatHandler.send", {}, 42, &data, "{}", "connector.so 1.2");
    wire::writer(bytes).text("a field of tomorrow");
    wire::request out;
    ASSERT_TRUE(wire::decode(bytes, out));
    EXPECT_EQ(out.body, "{}");

    door::session_change change;
    change.what = door::session_change::kind::kick;
    change.text = "reason";
    auto changed = wire::encode(data.ref, change);
    wire::writer(changed).u64(42);
    session_ref who;
    door::session_change kicked;
    ASSERT_TRUE(wire::decode(changed, who, kicked));
    EXPECT_EQ(kicked.text, "reason");
}

TEST(wire, a_later_reader_finds_the_end_of_an_older_writers_envelope) {
    const auto bytes = wire::encode_push("onChat", "{}", std::vector{session_id{7}});
    wire::reader in(bytes);
    EXPECT_EQ(in.text(), "onChat");
    EXPECT_EQ(in.text(), "{}");
    ASSERT_EQ(in.u32(), 1U);
    EXPECT_EQ(in.u64(), 7U);
    // Here it would read what later versions write, and take its default instead.
    EXPECT_TRUE(in.at_end());
    EXPECT_TRUE(in.ok());
}

} // namespace
} // namespace shaddock::server
