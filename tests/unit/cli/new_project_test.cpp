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

    fs::path root_;
};

TEST_F(a_new_project, has_the_type_in_all_names_and_texts) {
    const auto folder = root_ / "project";
    ASSERT_TRUE(make(folder, "my-game"));
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("@")));
        if (entry.is_regular_file()) {
            ++files;
            EXPECT_THAT(content(entry.path()), Not(HasSubstr("@name@"))) << entry.path();
            EXPECT_THAT(content(entry.path()), Not(testing::ContainsRegex("@[a-z_]+@")))
                << entry.path();
        }
    }
    EXPECT_GE(files, 10U);
    EXPECT_THAT(content(folder / "CMakeLists.txt"),
                AllOf(HasSubstr("shaddock_add_plugin(my-game "), HasSubstr("my_game_handler.cpp")));
    EXPECT_THAT(content(folder / "plugin.cpp"),
                AllOf(HasSubstr(R"(SHADDOCK_PLUGIN("my-game", registrar))"),
                      HasSubstr(R"("myGameHandler")")));
    EXPECT_TRUE(fs::exists(folder / "tests/my_game_test.cpp"));
    EXPECT_TRUE(fs::exists(folder / ".gitignore"));
    EXPECT_THAT(content(folder / "README.md"), HasSubstr((folder / "build/my-game.so").string()));
}

TEST_F(a_new_project, says_what_to_do_next) {
    const auto folder = root_ / "a folder";
    const auto said = make(folder, "tally");
    ASSERT_TRUE(said) << said.error().text();
    EXPECT_THAT(*said, HasSubstr("cd '" + folder.string() +
                                 "' && cmake -B build "
                                 "-DCMAKE_PREFIX_PATH=" +
                                 (root_ / "prefix").string() + "\n"));
    EXPECT_THAT(
        *said,
        AllOf(HasSubstr("\n  cmake --build build\n"), HasSubstr("\n  ctest --test-dir build\n"),
              HasSubstr("  tally: {modules: [\"" + folder.string() + "/build/tally.so\"]}\n"),
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
