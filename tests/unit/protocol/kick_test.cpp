#include <protocol/kick.hpp>

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

TEST(kick_body, is_json_whatever_the_reason) {
    EXPECT_EQ(kick_body("kick"), R"({"reason":"kick"})");
    EXPECT_EQ(kick_body("a\"b\n"), R"({"reason":"a\"b\n"})");
    EXPECT_EQ(kick_body("\xf0\x9f\x98\x80"), R"({"reason":"\ud83d\ude00"})")
        << "as all text to clients";
    EXPECT_EQ(kick_body("\xff\x0b"), "{\"reason\":\"\xef\xbf\xbd\\u000b\"}");
}

} // namespace
} // namespace shaddock::protocol
