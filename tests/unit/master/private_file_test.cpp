#include "private_file.hpp"

#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

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

/// The name of a group that this process is in, and its number.
std::pair<std::string, gid_t> own_group() {
    const auto* found = getgrgid(getegid());
    return {found != nullptr ? found->gr_name : "", getegid()};
}

TEST(kept_secret, is_made_once_and_stays) {
    const test::temp_folder folder;
    const auto file = folder.path() / "metrics_token";
    const auto made = kept_secret(file, "");
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(made->size(), 64U);
    EXPECT_EQ(kept_secret(file, "").value(), *made);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    folder.write("metrics_token", std::string(32, 'x') + "\r\n");
    EXPECT_EQ(kept_secret(file, "").value(), std::string(32, 'x')) << "one of one's own";
}

TEST(kept_secret, may_be_given_to_a_group_even_later) {
    const auto [name, number] = own_group();
    if (name.empty()) {
        GTEST_SKIP() << "the group of this process has no name";
    }
    const test::temp_folder folder;
    const auto readable = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read;
    const auto file = folder.path() / "metrics_token";
    const auto made = kept_secret(file, name);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(fs::status(file).permissions(), readable);
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(kept_secret(file, name).value(), *made);
    EXPECT_EQ(fs::status(file).permissions(), readable);
    struct stat info {};
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_gid, number);
    const auto unknown = kept_secret(file, "no-such-group-here");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().text(), "there is no group 'no-such-group-here'");
}

TEST(kept_secret, is_refused_when_others_may_know_it_or_it_is_none) {
    const test::temp_folder folder;
    const auto file = folder.path() / "metrics_token";
    const auto refusal = [&] {
        const auto read = kept_secret(file, "");
        return read ? std::string("taken") : read.error().text();
    };
    const std::string good(40, 'a');
    folder.write("metrics_token", good);
    for (const auto mode : {0644, 0660, 0604, 0666}) {
        fs::permissions(file, static_cast<fs::perms>(mode));
        EXPECT_THAT(refusal(), testing::HasSubstr("others may know it")) << mode;
    }
    fs::permissions(file, static_cast<fs::perms>(0640));
    EXPECT_EQ(refusal(), "taken");
    for (const auto& text : {std::string(), std::string(31, 'a'), std::string(257, 'a'),
                             good + "\n" + good, good + " b"}) {
        folder.write("metrics_token", text);
        EXPECT_THAT(refusal(), testing::HasSubstr("expected one line of 32 to 256")) << text;
    }
    fs::remove(file);
    fs::create_directory(file);
    EXPECT_THAT(refusal(), testing::HasSubstr("no regular file"));
    fs::remove(file);
    folder.write("elsewhere", good);
    fs::create_symlink(folder.path() / "elsewhere", file);
    EXPECT_THAT(refusal(), testing::HasSubstr(file.string() + ": "));
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
