#include <protocol/dictionary.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

using ::testing::HasSubstr;

route_dictionary built(std::vector<std::string> handlers,
                       const std::vector<std::string>& extra = {}) {
    return route_dictionary::build(std::move(handlers), extra).value();
}

std::vector<std::string> numbered_routes(std::size_t count) {
    std::vector<std::string> routes;
    for (std::size_t i = 0; i < count; ++i) {
        routes.push_back("r." + std::to_string(i));
    }
    return routes;
}

TEST(route_dictionary, numbers_the_chat_demo_as_the_original) {
    const auto dictionary = built(
        {"gate.gateHandler.queryEntry", "chat.chatHandler.send", "connector.entryHandler.enter"});
    EXPECT_EQ(dictionary.size(), 3U);
    EXPECT_EQ(dictionary.code_of("chat.chatHandler.send"), 1U);
    EXPECT_EQ(dictionary.code_of("connector.entryHandler.enter"), 2U);
    EXPECT_EQ(dictionary.code_of("gate.gateHandler.queryEntry"), 3U);
    EXPECT_EQ(dictionary.route_of(2), "connector.entryHandler.enter");
    EXPECT_EQ(dictionary.version(), "s2r1qfKDrbhWCkA6uf+PTA==");
    EXPECT_EQ(dictionary.parts().route_to_code,
              R"({"chat.chatHandler.send":1,"connector.entryHandler.enter":2,)"
              R"("gate.gateHandler.queryEntry":3})");
    EXPECT_EQ(dictionary.parts().code_to_route,
              R"({"1":"chat.chatHandler.send","2":"connector.entryHandler.enter",)"
              R"("3":"gate.gateHandler.queryEntry"})");
    EXPECT_EQ(dictionary.parts().version, dictionary.version());
}

TEST(route_dictionary, has_nothing_for_what_it_does_not_know) {
    const auto dictionary = built({"a.b.c"}, {"onChat"});
    EXPECT_EQ(dictionary.code_of("a.b.d"), 0U);
    EXPECT_EQ(dictionary.code_of(""), 0U);
    EXPECT_EQ(dictionary.route_of(0), "");
    EXPECT_EQ(dictionary.route_of(3), "");
    EXPECT_EQ(dictionary.route_of(65535), "");
}

TEST(route_dictionary, may_be_empty) {
    const auto dictionary = built({});
    EXPECT_EQ(dictionary.size(), 0U);
    EXPECT_EQ(dictionary.parts().route_to_code, "{}");
    EXPECT_EQ(dictionary.parts().code_to_route, "{}");
    EXPECT_EQ(dictionary.version(), "mZFLkyvTelC5g8XnyQrpOw=="); // of "{}"
}

TEST(route_dictionary, counts_handlers_once_and_upper_case_first) {
    const auto dictionary = built({"b.h.m", "a.h.m", "b.h.m", "a.H.m", "B.h.m"});
    EXPECT_EQ(dictionary.parts().code_to_route,
              R"({"1":"B.h.m","2":"a.H.m","3":"a.h.m","4":"b.h.m"})");
}

TEST(route_dictionary, sorts_by_utf16_units) {
    // Units: 0061, 00e9, d7ff, d83d de00 (an emoji), dbff dfff, e000, ffff.
    const auto dictionary = built({"\uffff", "\U0010ffff", "\ue000", "\U0001f600", "\ud7ff", "é",
                                   "a", "a\U0001f600", "a\uffff"});
    const std::vector<std::string> expected = {"a",          "a\U0001f600", "a\uffff",
                                               "é",          "\ud7ff",      "\U0001f600",
                                               "\U0010ffff", "\ue000",      "\uffff"};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(dictionary.route_of(static_cast<std::uint16_t>(i + 1)), expected[i]) << i;
    }
}

TEST(route_dictionary, appends_extra_routes_in_their_order) {
    const auto dictionary = built({"b.h.m", "a.h.m"}, {"onZ", "onA"});
    EXPECT_EQ(dictionary.parts().route_to_code, R"({"a.h.m":1,"b.h.m":2,"onZ":3,"onA":4})");
    EXPECT_EQ(dictionary.parts().code_to_route, R"({"1":"a.h.m","2":"b.h.m","3":"onZ","4":"onA"})");
}

TEST(route_dictionary, gives_a_doubled_extra_a_second_code_and_leaves_its_place) {
    const auto dictionary = built({"a.h.m"}, {"onX", "a.h.m", "onX"});
    EXPECT_EQ(dictionary.code_of("a.h.m"), 3U);
    EXPECT_EQ(dictionary.code_of("onX"), 4U);
    EXPECT_EQ(dictionary.route_of(1), "a.h.m");
    EXPECT_EQ(dictionary.route_of(3), "a.h.m");
    EXPECT_EQ(dictionary.parts().route_to_code, R"({"a.h.m":3,"onX":4})");
    EXPECT_EQ(dictionary.parts().code_to_route, R"({"1":"a.h.m","2":"onX","3":"a.h.m","4":"onX"})");
}

TEST(route_dictionary, writes_keys_like_array_indexes_first_as_javascript) {
    const auto dictionary =
        built({"a.h.m"}, {"10", "7", "07", "4294967294", "4294967295", "0", "-1"});
    EXPECT_EQ(dictionary.parts().route_to_code,
              R"({"0":7,"7":3,"10":2,"4294967294":5,"a.h.m":1,"07":4,"4294967295":6,"-1":8})");
    // node: crypto.createHash('md5').update(JSON.stringify(dict)).digest('base64')
    EXPECT_EQ(dictionary.version(), "xCj897IzDDl7ENdpy2t1Tw==");
}

TEST(route_dictionary, sends_escapes_but_hashes_the_characters_themselves) {
    const auto dictionary = built({}, {"on\U0001f600\"\\\n\x01é"});
    EXPECT_EQ(dictionary.parts().route_to_code, "{\"on\\ud83d\\ude00\\\"\\\\\\n\\u0001é\":1}");
    EXPECT_EQ(dictionary.parts().code_to_route, "{\"1\":\"on\\ud83d\\ude00\\\"\\\\\\n\\u0001é\"}");
    EXPECT_EQ(dictionary.version(), "PkB+yPWpe42oofqZzNYduQ==");
}

TEST(route_dictionary, has_room_for_65535) {
    const auto dictionary = built(numbered_routes(65534), {"last"});
    EXPECT_EQ(dictionary.code_of("last"), 65535U);
    EXPECT_EQ(dictionary.route_of(65535), "last");
    const auto too_many = route_dictionary::build(numbered_routes(65534), {"one", "more"});
    ASSERT_FALSE(too_many);
    EXPECT_EQ(too_many.error().code(), errc::config);
    EXPECT_THAT(too_many.error().text(), HasSubstr("65536 routes, at most 65535"));
}

TEST(route_dictionary, refuses_what_a_client_could_not_read) {
    for (const std::string route : {"", "\xff", "\xed\xa0\xbd\xed\xb8\x80"}) {
        EXPECT_FALSE(route_dictionary::build({route}, {}));
        const auto refused = route_dictionary::build({"a.b.c"}, {route});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), errc::config);
        EXPECT_THAT(refused.error().text(), HasSubstr("route 2 is"));
    }
}

} // namespace
} // namespace shaddock::protocol
