#include "config/reference.hpp"
#include "folder.hpp"

#include <sstream>

namespace shaddock::config {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in(std::filesystem::path(SHADDOCK_TEST_SOURCE_DIR) / path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

TEST(reference, is_the_table_of_the_operations_page) {
    EXPECT_THAT(text_of("docs/operations.md"), HasSubstr("\n" + to_markdown(reference()) + "\n"))
        << "put there what to_markdown() gives";
}

TEST(reference, has_every_option_once_with_a_default_and_a_meaning) {
    std::vector<std::string> keys;
    for (const auto& option : reference()) {
        EXPECT_THAT(keys, Not(Contains(option.key)));
        EXPECT_NE(option.standard, "") << option.key;
        EXPECT_NE(option.meaning, "") << option.key;
        keys.push_back(option.key);
    }
    EXPECT_THAT(keys, Contains("connector.heartbeat"));
    EXPECT_THAT(keys, Contains("types.<type>.modules"));
}

/// The rows of the table of limits: name and default.
std::vector<std::pair<std::string, std::string>> rows_of_limits() {
    std::vector<std::pair<std::string, std::string>> rows;
    std::istringstream page(text_of("docs/security.md"));
    for (std::string line; std::getline(page, line);) {
        const auto name = line.find("| `");
        const auto end = line.find(" | ", 2);
        if (name == 0 && end != line.npos) {
            rows.emplace_back(line.substr(2, end - 2),
                              line.substr(end + 3, line.find(" | ", end + 3) - end - 3));
        }
    }
    return rows;
}

TEST(reference, gives_the_defaults_that_stand_in_the_table_of_limits) {
    const auto rows = rows_of_limits();
    int compared = 0;
    for (const auto& option : reference()) {
        const bool has_number = option.standard.find_first_of("123456789") == 0;
        for (const auto& [name, standard] : rows) {
            if (has_number && name.starts_with("`" + option.key + "`")) {
                EXPECT_THAT(standard, HasSubstr(option.standard)) << option.key;
                ++compared;
            }
        }
    }
    EXPECT_GE(compared, 20);
}

TEST(reference, has_only_keys_that_the_file_may_have) {
    for (const auto& option : reference()) {
        const auto section = option.key.substr(0, option.key.rfind('.'));
        const auto name = option.key.substr(section.size() + 1);
        // A value that no option takes: the key is known, so that it is the value that is wrong.
        const bool is_map = option.unit == "map";
        const std::string wrong = is_map ? "[1]" : "{x: [1]}";
        const auto yaml = section == "types.<type>" ? "types: {a: {" + name + ": {}}}"
                          : section == "bus.nats"
                              ? "bus: {nats: {" + name + ": " + wrong + "}}"
                              : "types: {a: }\n" + section + ": {" + name + ": " + wrong + "}";
        EXPECT_THAT(
            system_folder("{}", yaml).load_error(),
            testing::AllOf(HasSubstr(is_map ? "found a list, expected " : "found a map, expected "),
                           Not(HasSubstr("one of the keys"))))
            << option.key;
    }
}

TEST(reference, stands_in_the_commented_file) {
    const auto file = text_of("config/host.yaml");
    for (const auto& option : reference()) {
        const auto name = option.key.substr(option.key.rfind('.') + 1);
        EXPECT_THAT(file,
                    testing::AnyOf(HasSubstr("  " + name + ":"), HasSubstr("# " + name + ":")))
            << option.key;
    }
}

} // namespace
} // namespace shaddock::config
