#include "base/log.hpp"

#include "../master/temp_folder.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace shaddock::base {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class logs : public testing::Test {
protected:
    ~logs() override { log::start("test", {}); }
    void start(log::options wanted) {
        wanted.file = folder.path() / "one.log";
        wanted.console = false;
        log::start("chat-server-1", wanted);
    }
    std::string text() const {
        std::ostringstream all;
        all << std::ifstream(folder.path() / "one.log").rdbuf();
        return all.str();
    }
    test::temp_folder folder;
};

TEST_F(logs, are_written_from_their_level_on) {
    start({});
    log::debug("net", "a detail");
    log::info("net", "{} has come", "somebody");
    EXPECT_THAT(text(), HasSubstr("info  [chat-server-1] net: somebody has come\n"));
    EXPECT_THAT(text(), Not(HasSubstr("detail")));
    log::warn("net", "late");
    log::error("net", "gone");
    EXPECT_THAT(text(), HasSubstr(" warn  [chat-server-1] net: late\n"));
    EXPECT_THAT(text(), HasSubstr(" error [chat-server-1] net: gone\n"));
}

TEST_F(logs, have_levels_per_area_from_the_start_and_at_run_time) {
    log::options wanted;
    wanted.areas = {{"net", log::level::debug}, {"bus", log::level::error}};
    start(wanted);
    log::debug("net", "1");
    log::debug("server", "2");
    log::warn("bus", "3");
    EXPECT_EQ(log::current_levels(), (log::levels{log::level::info, wanted.areas}));
    log::set_levels({log::level::warn, {{"server", log::level::debug}, {"nowhere", {}}}});
    log::info("net", "4");
    log::debug("server", "5");
    EXPECT_EQ(log::current_levels(),
              (log::levels{log::level::warn, {{"server", log::level::debug}}}));
    EXPECT_THAT(text(), MatchesRegex("[^\n]*net: 1\n[^\n]*server: 5\n"));
}

TEST_F(logs, count_what_is_no_area_as_a_plugin) {
    log::options wanted;
    wanted.areas = {{"plugin", log::level::error}};
    start(wanted);
    EXPECT_FALSE(log::is_on(log::level::warn, "chat"));
    EXPECT_TRUE(log::is_on(log::level::error, "chat"));
    EXPECT_TRUE(log::is_on(log::level::info, "master"));
}

TEST_F(logs, are_json_objects_when_asked_for) {
    log::options wanted;
    wanted.lines = log::format::json;
    start(wanted);
    log::warn("net", "said \"{}\"\n", "back\\slash");
    EXPECT_THAT(
        text(),
        MatchesRegex(
            R"(\{"time":"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z","level":"warn",)"
            R"("server":"chat-server-1","area":"net","text":"said \\"back\\\\slash\\"\\u000a"\})"
            "\n"));
}

TEST_F(logs, let_no_text_steer_a_terminal_or_forge_a_line) {
    start({});
    log::info("net", "{}",
              "a\n2026 forged \x1b[31m \u009b31m \u202eturned \xff\x9b caf\u00e9 \x7f");
    EXPECT_THAT(text(), HasSubstr("net: a\\x0a2026 forged \\x1b[31m \\u009b31m \\u202eturned "
                                  "\\xff\\x9b caf\u00e9 \\x7f\n"));
}

TEST_F(logs, are_json_in_utf8_whatever_is_said) {
    log::options wanted;
    wanted.lines = log::format::json;
    start(wanted);
    log::info("net", "{}", "\xff \u009b31m caf\u00e9 \xed\xa0\xbd\xed\xb8\x80");
    EXPECT_THAT(text(), HasSubstr("\"text\":\"\ufffd \\u009b31m caf\u00e9 \U0001f600\"}\n"));
}

TEST_F(logs, know_the_words_of_their_levels) {
    for (const auto at : {log::level::debug, log::level::info, log::level::warn, log::level::error,
                          log::level::off}) {
        EXPECT_EQ(log::level_of(to_string(at)), at);
    }
    EXPECT_EQ(log::level_of("loud"), std::nullopt);
}

} // namespace
} // namespace shaddock::base
