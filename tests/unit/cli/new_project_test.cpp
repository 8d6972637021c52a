#include "new_project.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include <unistd.h>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string content(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// An installation with the template of the source tree.
class a_new_project : public testing::Test {
protected:
    a_new_project()
        : root_(fs::canonical(testing::TempDir()) /
                ("shaddock_new." + std::to_string(::getpid()))) {
        fs::remove_all(root_);
        fs::create_directories(root_ / "prefix/bin");
        fs::create_directories(root_ / "prefix/share/shaddock");
        fs::create_directories(root_ / "prefix/lib/cmake/shaddock");
        std::ofstream(root_ / "prefix/lib/cmake/shaddock/shaddockConfig.cmake") << "# a package";
        fs::copy(fs::path(SHADDOCK_TEST_SOURCE_DIR) / "sdk/template",
                 root_ / "prefix/share/shaddock/template", fs::copy_options::recursive);
    }
    ~a_new_project() override { fs::remove_all(root_); }

    result<std::string> make(const fs::path& folder, const std::string& type) {
        new_command wanted;
        wanted.folder = folder;
        wanted.type = type;
        return make_project(wanted, root_ / "prefix/bin/host");
    }
    result<std::string> make_several(const fs::path& folder, std::vector<std::string> types) {
        new_command wanted;
        wanted.folder = folder;
        wanted.types = std::move(types);
        return make_project(wanted, root_ / "prefix/bin/host");
    }
    /// The number of files; none has a word of the template left.
    static std::size_t files_of(const fs::path& folder) {
        std::size_t files = 0;
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("@")));
            if (entry.is_regular_file()) {
                ++files;
                EXPECT_THAT(content(entry.path()), Not(testing::ContainsRegex("@[a-z_ ]+@")))
                    << entry.path();
            }
        }
        return files;
    }

    fs::path root_;
};

TEST_F(a_new_project, has_the_type_in_all_names_and_texts) {
    const auto folder = root_ / "project";
    ASSERT_TRUE(make(folder, "my-game"));
    EXPECT_EQ(files_of(folder), 11U);
    EXPECT_THAT(content(folder / "my_game_handler.cpp"), Not(HasSubstr("next_total")));
    EXPECT_THAT(content(folder / "my_game_remote.hpp"), HasSubstr("\"my_game_api.hpp\""));
    EXPECT_THAT(content(folder / "CMakePresets.json"),
                HasSubstr("\"CMAKE_PREFIX_PATH\": \"" + (root_ / "prefix").string() + "\""));
    EXPECT_THAT(content(folder / "CMakeLists.txt"),
                AllOf(HasSubstr("shaddock_add_plugin(my-game "), HasSubstr("my_game_handler.cpp")));
    EXPECT_THAT(content(folder / "plugin.cpp"),
                AllOf(HasSubstr(R"(SHADDOCK_PLUGIN("my-game", registrar))"),
                      HasSubstr(R"("myGameHandler")")));
    EXPECT_TRUE(fs::exists(folder / "tests/my_game_test.cpp"));
    EXPECT_TRUE(fs::exists(folder / ".gitignore"));
    EXPECT_THAT(content(folder / "README.md"),
                HasSubstr((folder / "build/dev/my-game.so").string()));
}

TEST_F(a_new_project, of_several_types_has_a_folder_for_each_and_one_header_of_contracts) {
    const auto folder = root_ / "my island";
    const auto said = make_several(folder, {"area", "big-bag"});
    ASSERT_TRUE(said) << said.error().text();
    EXPECT_EQ(files_of(folder), 20U);
    EXPECT_THAT(content(folder / "CMakeLists.txt"),
                AllOf(HasSubstr("project(my_island "), HasSubstr("set(types area big-bag)")));
    EXPECT_THAT(content(folder / "contracts/contracts.hpp"),
                AllOf(HasSubstr("area_type {"), HasSubstr("big_bag_type {"),
                      HasSubstr("\"big-bag.bigBagRemote.total\"")));
    EXPECT_FALSE(fs::exists(folder / "area/area_api.hpp"));
    EXPECT_THAT(content(folder / "area/area_handler.cpp"),
                AllOf(HasSubstr("app_.call(big_bag_type::total"), HasSubstr("\"contracts.hpp\"")));
    EXPECT_THAT(content(folder / "big-bag/big_bag_handler.cpp"),
                HasSubstr("app_.call(area_type::total"));
    EXPECT_THAT(content(folder / "config/servers.json"),
                AllOf(HasSubstr(R"("id": "area-server-1", "host": "127.0.0.1", "port": 7100)"),
                      HasSubstr(R"("id": "big-bag-server-1", "host": "127.0.0.1", "port": 7101)")));
    EXPECT_THAT(
        content(folder / "config/host.yaml"),
        HasSubstr("  big-bag: {modules: [\"" + folder.string() + "/build/dev/big-bag.so\"]}"));
    EXPECT_THAT(*said,
                AllOf(HasSubstr("the server types area, big-bag"),
                      HasSubstr("\n  host start --config '" + folder.string() + "/config'\n"),
                      HasSubstr("--target area ")));
}

TEST_F(a_new_project, of_several_types_has_types_that_differ_and_are_its_own) {
    const auto refused = [this](std::vector<std::string> types) {
        const auto made = make_several(root_ / "never", std::move(types));
        EXPECT_FALSE(fs::exists(root_ / "never"));
        return made ? "made" : made.error().text();
    };
    EXPECT_THAT(refused({"area", "connector"}), HasSubstr("--types: found 'connector', which"));
    EXPECT_THAT(refused({"area", "config"}), HasSubstr("--types: found 'config', which"));
    EXPECT_THAT(refused({"a-b", "a_b"}), HasSubstr("--types: found 'a-b' and 'a_b'"));
    EXPECT_THAT(refused({"area", "a.b"}), HasSubstr("--types: found 'a.b'"));
}

TEST_F(a_new_project, says_what_to_do_next) {
    const auto folder = root_ / "a folder";
    const auto said = make(folder, "tally");
    ASSERT_TRUE(said) << said.error().text();
    EXPECT_THAT(*said, HasSubstr("cd '" + folder.string() + "' && cmake --preset dev\n"));
    EXPECT_THAT(
        *said,
        AllOf(HasSubstr("\n  cmake --build --preset dev\n"), HasSubstr("\n  ctest --preset dev\n"),
              HasSubstr("  tally: {modules: [\"" + folder.string() + "/build/dev/tally.so\"]}\n"),
              HasSubstr(R"("id": "tally-server-1")")));
}

TEST_F(a_new_project, takes_an_empty_folder_and_touches_no_other) {
    const auto folder = root_ / "mine";
    fs::create_directories(folder);
    EXPECT_TRUE(make(folder.string() + "/", "tally"));
    EXPECT_TRUE(fs::exists(folder / "plugin.cpp"));

    const auto before = content(folder / "plugin.cpp");
    const auto again = make(folder, "other");
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().text(), HasSubstr(folder.string() + " is not empty"));
    EXPECT_EQ(content(folder / "plugin.cpp"), before);

    const auto file = make(folder / "plugin.cpp", "tally");
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().text(), HasSubstr("is a file"));
}

TEST_F(a_new_project, needs_a_type_that_is_a_name_everywhere) {
    for (const auto* good : {"tally", "my-game", "a", "Room2", "x_y", "time", "int", "class"}) {
        EXPECT_TRUE(check_new_type(good)) << good;
    }
    for (const auto* bad :
         {"", "2rooms", "-x", "_x", "a.b", "a b", "a/b", "ä", "master", "web", "test", "all"}) {
        const auto checked = check_new_type(bad);
        ASSERT_FALSE(checked) << bad;
        EXPECT_THAT(checked.error().text(), HasSubstr("found '" + std::string(bad) + "'"));
    }
    EXPECT_TRUE(check_new_type(std::string(64, 'x')));
    EXPECT_FALSE(check_new_type(std::string(65, 'x')));
    EXPECT_FALSE(make(root_ / "never", "a.b"));
    EXPECT_FALSE(fs::exists(root_ / "never"));
}

TEST_F(a_new_project, says_where_it_looked_for_the_template) {
    fs::remove_all(root_ / "prefix/share");
    const auto made = make(root_ / "never", "tally");
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().text(),
                AllOf(HasSubstr((root_ / "prefix/share/shaddock/template").string()),
                      HasSubstr("shaddock-dev")));
    EXPECT_FALSE(fs::exists(root_ / "never"));
}

} // namespace
} // namespace shaddock::cli
