#include "config/units.hpp"

#include <gtest/gtest.h>

namespace shaddock::config {
namespace {

using namespace std::chrono_literals;

TEST(duration, with_a_unit_is_that_unit) {
    EXPECT_EQ(parse_duration("10 s", 1ms), 10s);
    EXPECT_EQ(parse_duration("500ms", 1s), 500ms);
    EXPECT_EQ(parse_duration("2 min", 1s), 2min);
    EXPECT_EQ(parse_duration("1 h", 1s), 1h);
}

TEST(duration, without_a_unit_is_the_options_unit) {
    EXPECT_EQ(parse_duration("3", 1s), 3s);
    EXPECT_EQ(parse_duration("50", 1ms), 50ms);
    EXPECT_EQ(parse_duration("0", 1s), 0s);
}

TEST(duration, may_have_decimals_down_to_a_millisecond) {
    EXPECT_EQ(parse_duration("1.5 s", 1s), 1500ms);
    EXPECT_EQ(parse_duration("0.25", 1s), 250ms);
    EXPECT_EQ(parse_duration("0.0001 s", 1s), std::nullopt);
    EXPECT_EQ(parse_duration("0.5 ms", 1s), std::nullopt);
}

TEST(duration, refuses_what_it_does_not_know) {
    for (const char* text : {"", "s", "-1 s", "1 second", "1 s ", " 1 s", "1..5 s", "1. s", ".5 s",
                             "1,5 s", "0x10", "1e3"}) {
        EXPECT_EQ(parse_duration(text, 1s), std::nullopt) << text;
    }
}

TEST(duration, is_at_most_a_year) {
    EXPECT_EQ(parse_duration("8760 h", 1s), 8760h);
    EXPECT_EQ(parse_duration("8761 h", 1s), std::nullopt);
    EXPECT_EQ(parse_duration("99999999999999999999", 1s), std::nullopt);
}

TEST(size, counts_in_powers_of_1024) {
    EXPECT_EQ(parse_size("64 KiB"), 64u * 1024);
    EXPECT_EQ(parse_size("1MiB"), 1024u * 1024);
    EXPECT_EQ(parse_size("2 GiB"), 2ull * 1024 * 1024 * 1024);
    EXPECT_EQ(parse_size("100 B"), 100u);
    EXPECT_EQ(parse_size("100"), 100u);
}

TEST(size, refuses_other_units_fractions_and_overflow) {
    for (const char* text :
         {"", "KiB", "1 kB", "1 KB", "1.5 MiB", "-1", "18446744073709551615 KiB", "1 MiB "}) {
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
    }
}

TEST(duration, is_shown_as_people_write_it) {
    EXPECT_EQ(show_duration(0ms), "0");
    EXPECT_EQ(show_duration(1500ms), "1500 ms");
    EXPECT_EQ(show_duration(60s), "60 s");
    EXPECT_EQ(show_duration(90s), "90 s");
    EXPECT_EQ(show_duration(120s), "2 min");
    EXPECT_EQ(show_duration(120min), "2 h");
    for (const auto value : {1ms, 999ms, 61'000ms, 3'600'000ms}) {
        EXPECT_EQ(parse_duration(show_duration(value), 1s), value);
    }
}

TEST(size, is_shown_as_people_write_it) {
    EXPECT_EQ(show_size(0), "0 B");
    EXPECT_EQ(show_size(1023), "1023 B");
    EXPECT_EQ(show_size(65536), "64 KiB");
    EXPECT_EQ(show_size(16777215), "16777215 B");
    EXPECT_EQ(show_size(std::size_t{3} << 30), "3 GiB");
    EXPECT_EQ(parse_size(show_size(12345)), 12345u);
}

TEST(count, is_digits_only) {
    EXPECT_EQ(parse_count("10000"), 10000u);
    for (const char* text : {"", "+1", "-1", "1.0", "1 ", "18446744073709551616"}) {
        EXPECT_EQ(parse_count(text), std::nullopt) << text;
    }
}

} // namespace
} // namespace shaddock::config
