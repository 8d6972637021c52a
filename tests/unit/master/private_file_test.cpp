#include "private_file.hpp"

#include "temp_folder.hpp"

#include <gmock/gmock.h>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

TEST(private_file, is_written_whole_and_for_nobody_else) {
    const test::temp_folder folder;
    const auto file = folder.path() / "token";
    ASSERT_TRUE(write_private_file(file, "one\n"));
    ASSERT_TRUE(write_private_file(file, "two\n"));
    EXPECT_EQ(read_small_file(file).value(), "two\n");
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(private_file, leaves_nothing_behind_when_it_cannot_be_written) {
    const test::temp_folder folder;
    const auto file = folder.path() / "token";
    fs::create_directory(file); // nothing is renamed over a folder
    const auto written = write_private_file(file, "one\n");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().text(), testing::HasSubstr("cannot write " + file.string() + ": "));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

} // namespace
} // namespace shaddock::master
