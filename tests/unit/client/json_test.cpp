#include "client/json.hpp"

#include <gmock/gmock.h>

namespace shaddock::client {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

TEST(client_json, writes_one_line_for_programs) {
    EXPECT_EQ(json_line(R"({ "a" : [1, 2.50, "x"], "b":{}, "c":[] })"),
              R"({"a":[1,2.5,"x"],"b":{},"c":[]})");
    EXPECT_EQ(json_line(""), "null");
    EXPECT_EQ(json_line("no json"), R"("no json")");
    EXPECT_EQ(json_line("\"\xf0\x9f\x98\x80\""), "\"\xf0\x9f\x98\x80\"");
}

TEST(client_json, keeps_numbers_as_they_are) {
    EXPECT_EQ(json_line("[4294967296,-1,0.1,1e300]"), "[4294967296,-1,0.1,1e+300]");
}

TEST(client_json, spreads_what_is_long_for_people) {
    EXPECT_EQ(json_text(R"({"a":[1,2],"b":"x"})"), R"({"a": [1, 2], "b": "x"})");
    const std::string word(100, 'w');
    EXPECT_EQ(json_text(R"({"a":[1],"b":")" + word + R"(","c":[]})"),
              "{\n  \"a\": [\n    1\n  ],\n  \"b\": \"" + word + "\",\n  \"c\": []\n}");
    EXPECT_EQ(json_text(""), "(no body)");
}

TEST(client_json, escapes_what_a_terminal_would_obey) {
    EXPECT_EQ(json_text("\x1b[2J\x07"), R"("\u001b[2J\u0007")") << "no JSON at all";
    EXPECT_EQ(json_text(R"("\u001b[2J \u0085 \u007f")"), R"("\u001b[2J \u0085 \u007f")");
    EXPECT_EQ(json_string("a\x1b\xff"), "\"a\\u001b\xef\xbf\xbd\"");
}

TEST(client_json, says_why_a_text_is_no_json) {
    EXPECT_EQ(json_problem(R"({"a":1})"), std::nullopt);
    EXPECT_THAT(json_problem(R"({"a":})"), Optional(HasSubstr("byte 5")));
    EXPECT_TRUE(json_problem("{} {}"));
    EXPECT_TRUE(json_problem(""));
}

struct comparison {
    std::string found;
    std::string wanted;
    std::optional<std::string> difference;
};

class json_difference_of : public ::testing::TestWithParam<comparison> {};

TEST_P(json_difference_of, names_the_place) {
    const auto& one = GetParam();
    EXPECT_EQ(json_difference(one.found, one.wanted), one.difference) << one.found;
}

INSTANTIATE_TEST_SUITE_P(
    bodies, json_difference_of,
    ::testing::Values(
        comparison{R"({"code":200,"more":1})", R"({"code":200})", {}},
        comparison{R"({"code":200})", R"({"code":200.0})", {}},
        comparison{R"({"code":500})", R"({"code":200})", "code: found 500, expected 200"},
        comparison{R"({})", R"({"code":200})", "code: found nothing, expected 200"},
        comparison{R"({"a":{"b":[1]}})", R"({"a":{"b":"x"}})", R"(a.b: found [1], expected "x")"},
        comparison{R"({"users":["ada","bob","eve"]})", R"({"users":["ada","eve"]})", {}},
        comparison{R"({"users":["ada","bob"]})", R"({"users":["bob","ada"]})",
                   R"(users: found ["ada","bob"], expected "ada" in it, in this order)"},
        comparison{R"([{"id":1,"x":2},{"id":2}])", R"([{"id":1},{"id":2}])", {}},
        comparison{R"([1])", R"([1,1])", "found [1], expected 1 in it, in this order"},
        comparison{"null", "null", {}}, comparison{"0", "false", "found 0, expected false"},
        comparison{"", "{}", "found no body, expected {}"},
        comparison{"text", "{}", R"(found "text", expected {})"}));

} // namespace
} // namespace shaddock::client
