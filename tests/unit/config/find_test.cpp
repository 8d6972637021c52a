#include "folder.hpp"

namespace shaddock::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(nearest, puts_the_smallest_slip_first) {
    const std::vector<std::string> ids{"gate-server-1", "connector-server-1", "connector-server-2",
                                       "chat-server-1"};
    EXPECT_THAT(nearest("conector-server-2", ids, 2),
                ElementsAre("connector-server-2", "connector-server-1"));
    EXPECT_THAT(nearest("caht-server-1", ids, 1), ElementsAre("chat-server-1"));
    EXPECT_THAT(nearest("Gate-Server-1", ids, 1), ElementsAre("gate-server-1"));
}

TEST(nearest, breaks_ties_by_name_and_gives_no_more_than_there_are) {
    EXPECT_THAT(nearest("x", {"c", "a", "b"}, 2), ElementsAre("a", "b"));
    EXPECT_THAT(nearest("x", {"a"}, 5), ElementsAre("a"));
    EXPECT_THAT(nearest("x", {}, 5), IsEmpty());
}

/// Runs a test in a working directory of its own.
class working_directory : public testing::Test {
protected:
    void SetUp() override { std::filesystem::current_path(here_.path()); }
    void TearDown() override { std::filesystem::current_path(before_); }

    folder here_;
    folder installed_;
    std::filesystem::path exe_ = installed_.path() / "bin" / "host";

private:
    std::filesystem::path before_ = std::filesystem::current_path();
};

using find_folder_in = working_directory;

TEST_F(find_folder_in, takes_the_one_it_is_told) {
    here_.write("other/servers.json", "{}");
    here_.write("config/servers.json", "{}");
    EXPECT_EQ(find_folder("other", exe_).value(), "other");
}

TEST_F(find_folder_in, prefers_the_working_directory) {
    here_.write("config/servers.json", "{}");
    installed_.write("config/servers.json", "{}");
    EXPECT_EQ(find_folder(std::nullopt, exe_).value(), "config");
}

TEST_F(find_folder_in, falls_back_to_the_installed_ones) {
    installed_.write("share/shaddock/config/servers.json", "{}");
    EXPECT_EQ(find_folder(std::nullopt, exe_).value(), installed_.path() / "share/shaddock/config");
    installed_.write("config/servers.json", "{}");
    EXPECT_EQ(find_folder(std::nullopt, exe_).value(), installed_.path() / "config");
}

TEST_F(find_folder_in, names_every_place_it_looked_at) {
    const auto found = find_folder(std::nullopt, exe_);
    ASSERT_TRUE(found.has_error());
    EXPECT_EQ(found.error().code(), errc::config);
    EXPECT_EQ(found.error().text(),
              "config folder: found no folder at 'config', '" + installed_.file("config") + "', '" +
                  installed_.file("share/shaddock/config") +
                  "', expected one with servers.json and master.json; name it with --config");
}

TEST_F(find_folder_in, does_not_look_elsewhere_when_told) {
    here_.write("config/servers.json", "{}");
    here_.write("a_file", "");
    for (const char* wrong : {"missing", "a_file"}) {
        const auto found = find_folder(wrong, exe_);
        ASSERT_TRUE(found.has_error()) << wrong;
        EXPECT_THAT(found.error().text(),
                    HasSubstr(std::string("found no folder at '") + wrong + "', expected"));
    }
}

} // namespace
} // namespace shaddock::config
