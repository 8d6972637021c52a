#include "master/log_tail.hpp"

#include "temp_folder.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace shaddock::master {
namespace {

constexpr std::size_t enough = 4096;

TEST(log_tail, is_the_last_lines) {
    const test::temp_folder folder;
    const auto file = folder.write("chat-1.log", "a\nb\nc\n");
    EXPECT_EQ(log_tail(file, 2, enough), "b\nc\n");
    EXPECT_EQ(log_tail(file, 9, enough), "a\nb\nc\n");
    EXPECT_EQ(log_tail(file, 0, enough), "");
    EXPECT_EQ(log_tail(folder.path() / "none.log", 2, enough), "");
}

TEST(log_tail, goes_back_over_rotations) {
    const test::temp_folder folder;
    const auto file = folder.write("chat-1.log", "d\n");
    folder.write("chat-1.1.log", "b\nc\n");
    folder.write("chat-1.2.log", "a\n");
    EXPECT_EQ(log_tail(file, 3, enough), "b\nc\nd\n");
    EXPECT_EQ(log_tail(file, 9, enough), "a\nb\nc\nd\n");
}

TEST(log_tail, has_a_limit_and_begins_with_a_whole_line) {
    const test::temp_folder folder;
    const auto file = folder.write("chat-1.log", "first line\nsecond\nthird\n");
    EXPECT_EQ(log_tail(file, 9, 15), "second\nthird\n");
    EXPECT_EQ(log_tail(file, 9, 3), "");
}

TEST(log_tail, takes_no_time_for_the_lines_that_it_leaves_out) {
    const test::temp_folder folder;
    std::string text;
    for (int i = 0; i < 200'000; ++i) {
        text += "a line of a busy day\n";
    }
    const auto file = folder.write("chat-1.log", text + "last\n");
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(log_tail(file, 1, text.size()), "last\n");
    // Some milliseconds; moving the text once for each line would be 400 GB.
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
}

TEST(log_tail, ends_where_it_is_told_to) {
    const test::temp_folder folder;
    const auto file = folder.write("chat-1.log", "a\nb\nc\n");
    EXPECT_EQ(log_tail(file, 1, enough, 4), "b\n");
}

} // namespace
} // namespace shaddock::master
