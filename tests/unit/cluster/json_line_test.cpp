#include "json_line.hpp"

#include <gtest/gtest.h>

namespace shaddock::cluster {

TEST(json_line, names_what_is_said_and_keeps_its_arguments) {
    const auto said = read_line(R"( {"dead" : {"id":"a", "life" : 1700000000000000001}} )");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->name, "dead");
    EXPECT_EQ(said->args, R"({"id":"a","life":1700000000000000001})");
    const auto gone = peer_of(said->args);
    ASSERT_TRUE(gone);
    EXPECT_EQ(*gone, (bus::peer{"a", static_cast<incarnation>(1700000000000000001)}));
}

TEST(json_line, comes_back_as_it_was_made) {
    const bus::peer who{"a\"b", static_cast<incarnation>(5)};
    const auto line = make_line("dead", json_of(who));
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto said = read_line(line);
    ASSERT_TRUE(said);
    EXPECT_EQ(peer_of(said->args), who);
}

TEST(json_line, is_nothing_when_it_is_not_one_member_of_an_object) {
    for (const auto* text : {"", "{}", "[]", "1", "null", R"({"a":1,"b":2})", R"({"a":})",
                             R"({"a":1)", R"({"a":1} x)", "\xff\xfe", R"("stop")"}) {
        EXPECT_FALSE(read_line(text)) << text;
    }
}

TEST(json_line, survives_a_line_of_brackets) {
    EXPECT_FALSE(read_line(std::string(line_limit, '[')));
    EXPECT_FALSE(read_line(R"({"a":)" + std::string(line_limit, '[')));
}

TEST(json_line, has_no_peer_without_id_or_with_a_life_that_is_no_number) {
    for (const auto* text : {"{}", "[]", R"({"id":"a"})", R"({"life":1})", R"({"id":1,"life":1})",
                             R"({"id":"a","life":-1})", R"({"id":"a","life":"1"})",
                             R"({"id":"","life":1})", R"({"id":"a","life":1.5})"}) {
        EXPECT_FALSE(peer_of(text)) << text;
    }
}

} // namespace shaddock::cluster
