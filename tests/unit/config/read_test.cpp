#include "folder.hpp"

#include "config/json_text.hpp"

namespace shaddock::config {
namespace {

TEST(read_for_env, takes_the_section_of_the_env) {
    folder f;
    f.write(
        "shop.json",
        "{\n  \"development\": {\n    \"price\": 1\n  },\n  \"production\": {\"price\": 2}\n}\n");
    const auto read = read_for_env(f.path(), "development", "shop");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->path, f.path() / "shop.json");
    EXPECT_EQ(read->text, "{\n    \"price\": 1\n  }");
    EXPECT_EQ(read->line_offset, 1u);
    EXPECT_EQ(read->line_offset + line_of(read->text, "/price"), 3u);
}

TEST(read_for_env, takes_the_whole_without_such_a_section) {
    folder f;
    f.write("shop.json", "\n[1, 2]\n");
    const auto read = read_for_env(f.path(), "development", "shop.json");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->text, "[1, 2]");
    EXPECT_EQ(read->line_offset, 1u);
}

TEST(read_for_env, looks_in_the_envs_folder_when_the_file_is_absent) {
    folder f;
    f.write("production/shop.json", R"({"production": 1})");
    const auto read = read_for_env(f.path(), "production", "shop");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->path, f.path() / "production/shop.json");
    // The file is for one env already: its keys are not sections.
    EXPECT_EQ(read->text, R"({"production": 1})");
}

TEST(read_for_env, prefers_the_folders_own_file) {
    folder f;
    f.write("shop.json", "1");
    f.write("production/shop.json", "2");
    EXPECT_EQ(read_for_env(f.path(), "production", "shop")->text, "1");
}

TEST(read_for_env, names_both_places_of_a_missing_file) {
    folder f;
    const auto read = read_for_env(f.path(), "production", "shop");
    ASSERT_TRUE(read.has_error());
    EXPECT_EQ(read.error().code(), errc::not_found);
    EXPECT_EQ(read.error().text(), f.file("shop.json") + ": found no such file, nor " +
                                       f.file("production/shop.json") + ", expected one of them");
}

TEST(read_for_env, stays_in_the_folder) {
    folder f;
    f.write("inside/shop.json", "1");
    EXPECT_TRUE(read_for_env(f.path(), "development", "inside/shop"));
    for (const char* name : {"", "../shop", "a/../../shop", "/etc/passwd"}) {
        const auto read = read_for_env(f.path(), "development", name);
        ASSERT_TRUE(read.has_error()) << name;
        EXPECT_EQ(read.error().code(), errc::config);
        EXPECT_EQ(read.error().text(),
                  "configuration file '" + std::string(name) +
                      "': found a path that leaves the config folder, expected a name such as "
                      "'shop' or 'shop.json'");
    }
}

TEST(read_for_env, refuses_an_env_that_is_no_name) {
    folder f;
    for (const char* env : {"", "..", "a/b", ".hidden"}) {
        const auto read = read_for_env(f.path(), env, "shop");
        ASSERT_TRUE(read.has_error()) << env;
        EXPECT_EQ(read.error().text(),
                  "env: found '" + std::string(env) +
                      "', expected 1 to 64 letters, digits, '.', '_' or '-', such as "
                      "'development'");
    }
}

TEST(read_for_env, says_what_is_wrong_with_the_file) {
    folder f;
    f.write("shop.json", "{\n\"a\": }");
    EXPECT_EQ(read_for_env(f.path(), "development", "shop").error().text(),
              f.file("shop.json") + ":2: found '}', expected a JSON value");
    f.write("large.json", "[\"" + std::string(std::size_t{1024} * 1024, 'x') + "\"]");
    EXPECT_EQ(read_for_env(f.path(), "development", "large").error().text(),
              f.file("large.json") + ": found more than 1 MiB, expected a file of at most 1 MiB");
    std::filesystem::create_directory(f.path() / "folder.json");
    EXPECT_EQ(read_for_env(f.path(), "development", "folder").error().text(),
              f.file("folder.json") + ": found a folder, expected a file");
}

TEST(read_for_env, takes_a_file_of_exactly_1_mib) {
    folder f;
    f.write("full.json", "\"" + std::string(std::size_t{1024} * 1024 - 2, 'x') + "\"");
    EXPECT_TRUE(read_for_env(f.path(), "development", "full"));
}

} // namespace
} // namespace shaddock::config
