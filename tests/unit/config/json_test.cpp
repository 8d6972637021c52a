#include "json.hpp"

#include "config/json_text.hpp"

#include <shaddock/error.hpp>

#include <gmock/gmock.h>

namespace shaddock::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The text of the error that parsing ends in, or "no error".
std::string parse_error(std::string_view text) {
    try {
        parse_json(text, "f.json");
        return "no error";
    } catch (const error& failed) {
        return failed.text();
    }
}

TEST(json, compact_text_keeps_order_numbers_and_letters) {
    const std::string_view text = R"({ "z": 1.0, "a": [true, null, -0, 1e5, 12345678901234567890],
                                      "text": "汉字 \"\u0041\" 🙂", "empty": {}, "none": [] })";
    EXPECT_EQ(
        compact(parse_json(text, "f.json")),
        R"({"z":1.0,"a":[true,null,-0,1e5,12345678901234567890],"text":"汉字 \"A\" 🙂","empty":{},"none":[]})");
}

TEST(json, knows_the_bytes_and_line_of_each_value) {
    const std::string_view text = "{\n \"a\" :\n  [ 1 ,\n \"x\" ] , \"b\" : {\n} }\n";
    const json_value root = parse_json(text, "f.json");
    const json_value& list = root.find("a")->value;
    EXPECT_EQ(root.find("a")->line, 2u);
    EXPECT_EQ(list.line, 3u);
    EXPECT_EQ(text.substr(list.begin, list.end - list.begin), "[ 1 ,\n \"x\" ]");
    EXPECT_EQ(list.members[1].line, 4u);
    const json_value& number = list.members[0].value;
    EXPECT_EQ(text.substr(number.begin, number.end - number.begin), "1");
    const json_value& word = list.members[1].value;
    EXPECT_EQ(text.substr(word.begin, word.end - word.begin), "\"x\"");
    const json_value& object = root.find("b")->value;
    EXPECT_EQ(text.substr(object.begin, object.end - object.begin), "{\n}");
    EXPECT_EQ(text.substr(root.begin, root.end - root.begin), text.substr(0, text.size() - 1));
}

TEST(json, errors_name_file_line_found_and_expected) {
    EXPECT_EQ(parse_error(""), "f.json:1: found the end of the file, expected a JSON value");
    EXPECT_EQ(parse_error("{\n\"a\": 1\n\"b\": 2}"),
              "f.json:3: found '\"b\": 2}', expected ',' or '}'");
    EXPECT_EQ(parse_error("[1\n2]"), "f.json:2: found '2]', expected ',' or ']'");
    EXPECT_EQ(parse_error("{\"a\" 1}"), "f.json:1: found '1}', expected ':' after the key");
    EXPECT_EQ(parse_error("{} x"), "f.json:1: found 'x', expected the end of the file");
    EXPECT_EQ(parse_error("{\n'a': 1}"),
              "f.json:2: found ''a': 1}', expected a key in double quotes");
    EXPECT_EQ(parse_error("{\"a\":\n tru}"), "f.json:2: found '}', expected a JSON value");
}

TEST(json, is_strict) {
    EXPECT_EQ(parse_error("{\n// note\n\"a\": 1}"),
              "f.json:2: found '// note', expected a key in double quotes (JSON has no comments)");
    EXPECT_NE(parse_error("[1,]"), "no error");
    EXPECT_NE(parse_error("{\"a\":1,}"), "no error");
    EXPECT_NE(parse_error("[NaN]"), "no error");
    EXPECT_NE(parse_error("[01]"), "no error");
    EXPECT_NE(parse_error("\"\xff\""), "no error");
    EXPECT_NE(parse_error("\"a\nb\""), "no error");
    EXPECT_EQ(parse_error(std::string_view("{\n}\0", 4)),
              "f.json:2: found a zero byte, expected JSON text");
    EXPECT_EQ(parse_error("[\"\\u0000\"]"), "no error");
}

TEST(json, refuses_half_a_surrogate_pair_and_names_its_line) {
    const std::string rule = "found half of a surrogate pair after \\u, expected both halves, the "
                             "high one first";
    EXPECT_EQ(parse_error("[\"a\",\n\"\\udc00\"]"), "f.json:2: " + rule);
    EXPECT_EQ(parse_error("[\"\\ud83d\\ude42\",\n\"x\\udfff\\ud83d\"]"),
              "f.json:2: found '\\ud83d\"]', expected four hexadecimal digits (pairs for "
              "surrogates) after \\u");
    EXPECT_EQ(parse_error("{\n\n\"\\udc00\": 1}"), "f.json:3: " + rule);
    EXPECT_EQ(parse_json("[\"\\ud83d\\ude42 \\ud7ff \\ue000\"]", "f.json").members.size(), 1u);
}

TEST(json, refuses_a_key_twice_and_names_both_lines) {
    EXPECT_EQ(
        parse_error("{\n\"a\": 1,\n\"a\": 2}"),
        "f.json:3: found key 'a' twice in one object (first on line 2), expected each key once");
    EXPECT_EQ(parse_error("[{\"a\": 1}, {\"a\": 2}]"), "no error");
}

TEST(json, has_at_most_64_levels) {
    EXPECT_EQ(parse_error(std::string(64, '[') + std::string(64, ']')), "no error");
    EXPECT_EQ(parse_error("\n" + std::string(65, '[') + std::string(65, ']')),
              "f.json:2: found more than 64 levels, expected at most 64");
    // A megabyte of brackets must not reach the end of the stack.
    EXPECT_EQ(parse_error(std::string(std::size_t{1024} * 1024, '[')),
              "f.json:1: found more than 64 levels, expected at most 64");
}

constexpr std::string_view placed = R"({
  "servers": [
    {"id": "a"},
    {
      "id": "b",
      "x/y~z": 1,
      "": 2
    }
  ],
  "last": true
})";

TEST(line_of, finds_keys_and_elements_by_pointer) {
    EXPECT_EQ(line_of(placed, ""), 1u);
    EXPECT_EQ(line_of(placed, "/servers"), 2u);
    EXPECT_EQ(line_of(placed, "/servers/0/id"), 3u);
    EXPECT_EQ(line_of(placed, "/servers/1"), 4u);
    EXPECT_EQ(line_of(placed, "/servers/1/x~1y~0z"), 6u);
    EXPECT_EQ(line_of(placed, "/servers/1/"), 7u);
    EXPECT_EQ(line_of(placed, "/last"), 10u);
}

TEST(line_of, finds_elements_of_lists_in_lists) {
    EXPECT_EQ(line_of(placed, "/servers/1/id"), 5u);
    EXPECT_EQ(line_of("[1,\n[2,\n3]]", "/1/1"), 3u);
}

TEST(steps_of, are_the_keys_and_indices_of_a_pointer) {
    EXPECT_THAT(steps_of(""), IsEmpty());
    EXPECT_THAT(steps_of("/"), ElementsAre(""));
    EXPECT_THAT(steps_of("/a.b/0/c~1d~0e~2/"), ElementsAre("a.b", "0", "c/d~e~2", ""));
}

TEST(line_of, is_zero_for_what_is_not_there) {
    EXPECT_EQ(line_of(placed, "/servers/2"), 0u);
    EXPECT_EQ(line_of(placed, "/servers/x"), 0u);
    EXPECT_EQ(line_of(placed, "/servers/0/id/deeper"), 0u);
    EXPECT_EQ(line_of(placed, "/nothing"), 0u);
    EXPECT_EQ(line_of("{not json", "/not"), 0u);
}

} // namespace
} // namespace shaddock::config
