#include <shaddock/names.hpp>

#include <gtest/gtest.h>

namespace {

using shaddock::broken_name_rule;

std::string text_for(std::string_view name) {
    return broken_name_rule(name).value_or("");
}

TEST(name_rules, allow_what_people_call_themselves) {
    for (const std::string_view name :
         {"a", "Ann Lee", "a*b", "__proto__", "\xe5\xbc\xa0\xe4\xb8\x89", "\xd9\x85\xd9\x8a",
          "\xc2\xa0", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", "\xe2\x80\xaf",
          "\xe2\x81\xaa"}) {
        EXPECT_EQ(text_for(name), "") << name;
    }
}

TEST(name_rules, bound_code_points_and_bytes) {
    const auto repeated = [](std::string_view one, int times) {
        std::string text;
        for (int i = 0; i < times; ++i) {
            text += one;
        }
        return text;
    };
    EXPECT_EQ(text_for(""), "expected 1 to 64 characters, found 0");
    EXPECT_EQ(text_for(repeated("\xe5\xbc\xa0", 64)), "");
    EXPECT_EQ(text_for(repeated("\xe5\xbc\xa0", 65)), "expected 1 to 64 characters, found 65");
    EXPECT_EQ(text_for(repeated("\xf0\x9f\x98\x80", 64)), "") << "256 bytes";
    EXPECT_EQ(text_for(repeated("\xf0\x9f\x98\x80", 65)), "expected at most 256 bytes, found 260");
    EXPECT_EQ(broken_name_rule("abc", {.code_points = 2, .bytes = 10}),
              "expected 1 to 2 characters, found 3");
}

TEST(name_rules, refuse_what_deceives_by_the_code_point) {
    const struct {
        const char* name;
        const char* text;
    } cases[] = {
        {"a\tb", "U+0009, a control character, is not allowed"},
        {"\x7f", "U+007F, a control character, is not allowed"},
        {"\xc2\x80", "U+0080, a control character, is not allowed"},
        {"a\xc2\x9f", "U+009F, a control character, is not allowed"},
        {"\xe2\x80\xa8", "U+2028, a line separator, is not allowed"},
        {"\xe2\x80\xa9", "U+2029, a line separator, is not allowed"},
        {"\xe2\x80\xaa", "U+202A, a control of the direction of text, is not allowed"},
        {"nna\xe2\x80\xae", "U+202E, a control of the direction of text, is not allowed"},
        {"\xe2\x81\xa6", "U+2066, a control of the direction of text, is not allowed"},
        {"\xe2\x81\xa9", "U+2069, a control of the direction of text, is not allowed"},
        {"a\xff", "it is not UTF-8"},
        {"\xe2\x80", "it is not UTF-8"},
        {"\xed\xa0\xbd", "it is not UTF-8"},
        {"\xed\xa0\xbd\xed\xb8\x80", "it is not UTF-8"},
    };
    for (const auto& one : cases) {
        EXPECT_EQ(text_for(one.name), one.text);
    }
    EXPECT_EQ(text_for(std::string_view("a\0b", 3)), "U+0000, a control character, is not allowed");
}

} // namespace
