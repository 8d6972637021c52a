#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace shaddock::base {
namespace {

std::string one_of_each() {
    std::string bytes;
    writer out(bytes);
    out.u8(0xfe);
    out.u16(0x0102);
    out.u32(0x01020304);
    out.u64(0x0102030405060708);
    out.text(std::string_view("a\0b", 3));
    return bytes;
}

TEST(bytes, have_the_form_that_the_header_says) {
    EXPECT_EQ(one_of_each(), std::string("\xfe"
                                         "\x02\x01"
                                         "\x04\x03\x02\x01"
                                         "\x08\x07\x06\x05\x04\x03\x02\x01"
                                         "\x03\0\0\0a\0b",
                                         22));
}

TEST(bytes, tell_how_many_follow) {
    std::string bytes = "before";
    const auto place = bytes.size();
    writer out(bytes);
    out.u32(0);
    out.text(std::string(300, 'x'));
    out.set_length(place);
    reader in(std::string_view(bytes).substr(place));
    EXPECT_EQ(in.u32(), 304U);
    EXPECT_EQ(in.text().size(), 300U);
    EXPECT_TRUE(in.at_end());
    EXPECT_TRUE(bytes.starts_with("before"));
}

TEST(bytes, come_back_as_they_were_written) {
    const auto bytes = one_of_each();
    reader in(bytes);
    EXPECT_EQ(in.u8(), 0xfe);
    EXPECT_EQ(in.u16(), 0x0102);
    EXPECT_EQ(in.u32(), 0x01020304U);
    EXPECT_EQ(in.u64(), 0x0102030405060708U);
    EXPECT_FALSE(in.at_end());
    EXPECT_EQ(in.text(), std::string_view("a\0b", 3));
    EXPECT_TRUE(in.at_end());
    EXPECT_TRUE(in.ok());
}

TEST(bytes, keep_the_greatest_numbers) {
    std::string bytes;
    writer out(bytes);
    out.u16(std::numeric_limits<std::uint16_t>::max());
    out.u32(std::numeric_limits<std::uint32_t>::max());
    out.u64(std::numeric_limits<std::uint64_t>::max());
    reader in(bytes);
    EXPECT_EQ(in.u16(), std::numeric_limits<std::uint16_t>::max());
    EXPECT_EQ(in.u32(), std::numeric_limits<std::uint32_t>::max());
    EXPECT_EQ(in.u64(), std::numeric_limits<std::uint64_t>::max());
}

TEST(bytes, that_are_cut_short_read_as_nothing_from_there_on) {
    const auto whole = one_of_each();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        reader in(std::string_view(whole).substr(0, size));
        EXPECT_EQ(in.u8(), size >= 1 ? 0xfe : 0);
        EXPECT_EQ(in.u16(), size >= 3 ? 0x0102 : 0);
        EXPECT_EQ(in.u32(), size >= 7 ? 0x01020304U : 0U);
        EXPECT_EQ(in.u64(), size >= 15 ? 0x0102030405060708U : 0U);
        EXPECT_EQ(in.text(), "");
        EXPECT_FALSE(in.ok()) << size;
        // What comes later is not taken from the middle of what did not fit.
        EXPECT_EQ(in.u8(), 0);
        EXPECT_TRUE(in.at_end());
    }
}

TEST(bytes, of_a_text_that_claims_more_than_there_is_are_not_read) {
    reader in(std::string_view("\xff\xff\xff\xff"
                               "abc",
                               7));
    EXPECT_EQ(in.text(), "");
    EXPECT_FALSE(in.ok());
}

TEST(bytes, that_follow_the_known_fields_are_left) {
    auto bytes = one_of_each();
    writer(bytes).u64(9);
    reader in(bytes);
    (void)in.u8();
    (void)in.u16();
    (void)in.u32();
    (void)in.u64();
    EXPECT_EQ(in.text().size(), 3U);
    EXPECT_TRUE(in.ok());
    EXPECT_FALSE(in.at_end());
    EXPECT_EQ(in.u64(), 9U);
}

} // namespace
} // namespace shaddock::base
