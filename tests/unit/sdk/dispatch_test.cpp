#include "vectors.hpp"

#include <shaddock/dispatch.hpp>

#include <gtest/gtest.h>

#include <charconv>

namespace shaddock {
namespace {

using protocol::testing::read_vectors;
using protocol::testing::text_of;

TEST(dispatch, puts_keys_where_the_original_does) {
    int checked = 0;
    const auto vectors = read_vectors("dispatch-crc32.json");
    for (const auto& vector : vectors.GetArray()) {
        if (!vector.HasMember("uid")) {
            continue; // numbers and other JavaScript values are no strings
        }
        SCOPED_TRACE(text_of(vector, "name"));
        const std::string uid = text_of(vector, "uid");
        EXPECT_EQ(dispatch_crc32(uid), vector["crc32Signed"].GetInt());
        for (const auto& mod : vector["mod"].GetObject()) {
            std::size_t count = 0;
            const char* digits = mod.name.GetString();
            std::from_chars(digits, digits + mod.name.GetStringLength(), count);
            EXPECT_EQ(dispatch_index(uid, count), mod.value.GetUint()) << count;
        }
        ++checked;
    }
    EXPECT_GE(checked, 39);
}

TEST(dispatch, counts_an_emoji_alike_in_utf8_and_cesu8) {
    EXPECT_EQ(dispatch_crc32("\xf0\x9f\x98\x80"), dispatch_crc32("\xed\xa0\xbd\xed\xb8\x80"));
}

TEST(dispatch, counts_stray_bytes_as_the_replacement_character) {
    const std::int32_t one = dispatch_crc32("\xef\xbf\xbd");
    for (const auto* stray : {"\x80", "\xff", "\xc2", "\xf5"}) {
        EXPECT_EQ(dispatch_crc32(stray), one) << stray;
    }
    const std::int32_t three = dispatch_crc32("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(dispatch_crc32("\xe0\x80\x80"), three);
    EXPECT_EQ(dispatch_crc32("\xf4\x90\x80\x80"),
              dispatch_crc32("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
    EXPECT_EQ(dispatch_crc32("\xe4(a"), dispatch_crc32("\xef\xbf\xbd(a"));
}

TEST(dispatch, knows_a_few_keys_by_heart) {
    EXPECT_EQ(dispatch_index("", 5), 0U);
    EXPECT_EQ(dispatch_index("a", 2), 1U);
    EXPECT_EQ(dispatch_index("a", 5), 4U);
}

} // namespace
} // namespace shaddock
