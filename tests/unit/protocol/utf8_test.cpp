#include <protocol/utf8.hpp>

#include <gtest/gtest.h>

#include <string>

namespace shaddock::protocol {
namespace {

TEST(utf8, takes_the_borders_of_every_length) {
    for (const auto* text :
         {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
          "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "plain ascii, longer than 8",
          "12345678\xe4\xbd\xa0\xe5\xa5\xbd 12345678 \xf0\x9f\x98\x80"}) {
        EXPECT_TRUE(is_utf8(text)) << text;
    }
    EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(utf8, refuses_what_is_no_character) {
    for (const auto* text : {"\x80",
                             "\xbf",
                             "\xc0\x80",
                             "\xc1\xbf",
                             "\xe0\x9f\xbf",
                             "\xed\xa0\x80",
                             "\xed\xbf\xbf",
                             "\xf0\x8f\xbf\xbf",
                             "\xf4\x90\x80\x80",
                             "\xf5\x80\x80\x80",
                             "\xff",
                             "\xfe",
                             "\xe4\xbd",
                             "\xc2",
                             "\xf0\x9f\x98",
                             "\xe4(\xbd",
                             "\xe4\xbd(",
                             "\xc2\xc2\x80",
                             "12345678\x80",
                             "1234567\x80",
                             "12345678\xe4\xbd"}) {
        EXPECT_FALSE(is_utf8(text)) << text;
    }
}

/// The definition, written down a second time: the code point of each sequence, checked at the end.
bool is_utf8_by_definition(std::string_view text) {
    while (!text.empty()) {
        const auto first = static_cast<unsigned char>(text[0]);
        const std::size_t bytes = first < 0x80            ? 1
                                  : first >> 5 == 0b110   ? 2
                                  : first >> 4 == 0b1110  ? 3
                                  : first >> 3 == 0b11110 ? 4
                                                          : 0;
        if (bytes == 0 || bytes > text.size()) {
            return false;
        }
        std::uint32_t value = bytes == 1 ? first : first & (0xffU >> (bytes + 1));
        for (std::size_t i = 1; i < bytes; ++i) {
            const auto next = static_cast<unsigned char>(text[i]);
            if (next >> 6 != 0b10) {
                return false;
            }
            value = value << 6 | (next & 0x3fU);
        }
        constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
            return false;
        }
        text.remove_prefix(bytes);
    }
    return true;
}

TEST(utf8, agrees_with_the_definition_on_all_short_byte_strings) {
    std::string text(3, '\0');
    for (unsigned a = 0; a < 256; ++a) {
        for (unsigned b = 0; b < 256; ++b) {
            for (const unsigned c :
                 {0x00U, 0x7fU, 0x80U, 0x8fU, 0x90U, 0x9fU, 0xa0U, 0xbfU, 0xc2U}) {
                text[0] = static_cast<char>(a);
                text[1] = static_cast<char>(b);
                text[2] = static_cast<char>(c);
                ASSERT_EQ(is_utf8(text), is_utf8_by_definition(text)) << a << ' ' << b << ' ' << c;
                const std::string four = text + '\x80';
                ASSERT_EQ(is_utf8(four), is_utf8_by_definition(four)) << a << ' ' << b << ' ' << c;
            }
        }
    }
}

TEST(utf8_checker, takes_a_character_split_between_pieces) {
    const std::string text = "12345678 \xe4\xbd\xa0 \xf0\x9f\x98\x80 12345678";
    for (std::size_t split = 0; split <= text.size(); ++split) {
        utf8_checker checker;
        EXPECT_TRUE(checker.feed(text.substr(0, split)));
        const bool inside = (split > 9 && split < 12) || (split > 13 && split < 17);
        EXPECT_EQ(checker.complete(), !inside) << split;
        EXPECT_TRUE(checker.feed(text.substr(split)));
        EXPECT_TRUE(checker.complete());
    }
}

TEST(utf8_checker, stays_false) {
    utf8_checker checker;
    EXPECT_FALSE(checker.feed("\xff"));
    EXPECT_FALSE(checker.feed("a"));
    EXPECT_FALSE(checker.complete());
}

} // namespace
} // namespace shaddock::protocol
