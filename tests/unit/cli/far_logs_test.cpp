#include "far_logs.hpp"

#include <gtest/gtest.h>

namespace shaddock::cli {
namespace {

using lines = std::vector<std::string>;

TEST(far_logs, the_lines_of_a_later_look_begin_behind_those_of_the_one_before) {
    EXPECT_EQ(first_new_line({}, {"a", "b"}), 0U);
    EXPECT_EQ(first_new_line({"a", "b"}, {"a", "b"}), 2U);
    EXPECT_EQ(first_new_line({"a", "b"}, {"a", "b", "c"}), 2U);
    EXPECT_EQ(first_new_line({"a", "b", "c"}, {"b", "c", "d"}), 2U);
    EXPECT_EQ(first_new_line({"a", "b"}, {"c", "d"}), 0U);
    EXPECT_EQ(first_new_line({"a", "b"}, {"b"}), 1U);
}

TEST(far_logs, equal_lines_are_not_taken_for_one) {
    EXPECT_EQ(first_new_line({"a", "a"}, {"a", "a", "a"}), 2U);
    EXPECT_EQ(first_new_line({"x", "a"}, {"a", "a"}), 1U);
}

} // namespace
} // namespace shaddock::cli
