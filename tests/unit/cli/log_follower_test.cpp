#include "log_follower.hpp"

#include "../master/temp_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace shaddock::cli {
namespace {

class log_follower_test : public testing::Test {
protected:
    void add(const std::string& text) const {
        std::ofstream(file, std::ios::binary | std::ios::app) << text;
    }
    test::temp_folder folder;
    std::filesystem::path file = folder.write("one.log", "old\n");
};

TEST_F(log_follower_test, begins_at_the_end_and_gives_whole_lines) {
    log_follower one(file);
    EXPECT_EQ(one.position(), 4U);
    EXPECT_EQ(one.read_more(), "");
    add("new\nhalf");
    EXPECT_EQ(one.read_more(), "new\n");
    add(" a line\n");
    EXPECT_EQ(one.read_more(), "half a line\n");
}

TEST_F(log_follower_test, goes_on_over_a_rotation_and_loses_nothing) {
    log_follower one(file);
    add("before\n");
    std::filesystem::rename(file, folder.path() / "one.1.log");
    EXPECT_EQ(one.read_more(), "before\n") << "its successor is not there yet";
    add("after\n");
    EXPECT_EQ(one.read_more(), "after\n");
    add("more\n");
    EXPECT_EQ(one.read_more(), "more\n");
}

TEST_F(log_follower_test, begins_again_in_a_file_that_was_cut) {
    log_follower one(file);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << "x\n";
    EXPECT_EQ(one.read_more(), "x\n");
}

TEST_F(log_follower_test, waits_for_a_file_that_is_not_there) {
    file = folder.path() / "later.log";
    log_follower one(file);
    EXPECT_EQ(one.read_more(), "");
    add("first\n");
    EXPECT_EQ(one.read_more(), "first\n");
}

} // namespace
} // namespace shaddock::cli
