#include "base/rare_lines.hpp"

#include <gtest/gtest.h>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;

TEST(rare_lines, are_due_once_a_minute_for_each_subject_and_count_the_rest) {
    manual_clock clock;
    rare_lines lines(clock);
    EXPECT_EQ(lines.due("a"), "");
    EXPECT_EQ(lines.due("a"), std::nullopt);
    EXPECT_EQ(lines.due("b"), "") << "another subject";
    clock.advance(59s);
    EXPECT_EQ(lines.due("a"), std::nullopt);
    clock.advance(1s);
    EXPECT_EQ(lines.due("a"), "; 2 more since the last such line");
    EXPECT_EQ(lines.due("a"), std::nullopt);
    clock.advance(60s);
    EXPECT_EQ(lines.due("b"), "");
}

} // namespace
} // namespace shaddock::base
