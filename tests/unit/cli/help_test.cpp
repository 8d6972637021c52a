#include "cli/arguments.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace shaddock::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::string help_of(const std::vector<std::string>& arguments) {
    const auto found = parse(arguments);
    const auto* said = std::get_if<answer>(&found);
    EXPECT_NE(said, nullptr);
    EXPECT_EQ(said == nullptr ? -1 : said->status, 0);
    return said == nullptr ? "" : said->text;
}

std::string operations() {
    std::ostringstream text;
    text << std::ifstream(SHADDOCK_SOURCE_DIR "/docs/operations.md").rdbuf();
    return text.str();
}

TEST(help, of_every_command_teaches_with_examples_and_exit_statuses) {
    const auto overview = help_of({"--help"});
    const auto docs = operations();
    ASSERT_GE(verbs().size(), 11U);
    for (const auto& verb : verbs()) {
        EXPECT_THAT(overview, HasSubstr("\n  " + verb + " "));
        const auto own = help_of({verb, "--help"});
        EXPECT_THAT(own, HasSubstr("Examples:\n  host " + verb)) << verb;
        EXPECT_THAT(own, HasSubstr("Exit status: 0 ")) << verb;
        EXPECT_THAT(docs, HasSubstr("| `host " + verb)) << "docs/operations.md, Commands";
    }
}

TEST(help, of_the_whole_is_grouped_by_what_one_wants_to_do) {
    const auto overview = help_of({"--help"});
    std::size_t before = 0;
    for (const auto* group :
         {"Run a system:", "Look at it:", "Change it while it runs:", "Write plugins:",
          "First steps:", "Day by day:", "Exit status: 0 done"}) {
        const auto at = overview.find(group, before);
        ASSERT_NE(at, std::string::npos) << group << " is missing, or stands too early";
        before = at;
    }
    EXPECT_THAT(overview, Not(HasSubstr("Subcommands:"))) << "a command without a group";
}

TEST(version, names_what_a_plugin_must_fit) {
    EXPECT_THAT(help_of({"--version"}),
                MatchesRegex("host [0-9.]+\nbuild id ([0-9a-f]+|none)\n(gcc|clang) [0-9.]+, Boost "
                             "[0-9.]+\nSDK ABI [0-9]+, fingerprint .+\n"));
}

} // namespace
} // namespace shaddock::cli
