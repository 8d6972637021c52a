#include "message.hpp"

#include "line_connection.hpp"

#include <gtest/gtest.h>

namespace shaddock::cluster {

TEST(message, has_a_word_and_keeps_its_body) {
    const auto said = read_message(R"( {"dead" : {"id":"a", "life" : 1700000000000000001}} )");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->word, "dead");
    EXPECT_EQ(said->body, R"({"id":"a","life":1700000000000000001})");
}

TEST(message, comes_back_as_it_was_made) {
    const auto line = write_message("a\"b", R"({"id":"c\nd"})");
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto said = read_message(line);
    ASSERT_TRUE(said);
    EXPECT_EQ(said->word, "a\"b");
    EXPECT_EQ(said->body, R"({"id":"c\nd"})");
}

TEST(message, is_nothing_when_it_is_not_one_member_of_an_object) {
    for (const auto* text : {"", "{}", "[]", "1", "null", R"({"a":1,"b":2})", R"({"a":})",
                             R"({"a":1)", R"({"a":1} x)", "\xff\xfe", R"("stop")"}) {
        EXPECT_FALSE(read_message(text)) << text;
    }
}

TEST(message, survives_a_line_of_brackets) {
    EXPECT_FALSE(read_message(std::string(line_limit, '[')));
    EXPECT_FALSE(read_message(R"({"a":)" + std::string(line_limit, '[')));
}

} // namespace shaddock::cluster
