#include "base/log.hpp"

#include "../master/temp_folder.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <sys/resource.h>

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

TEST_F(logs, are_made_anew_when_somebody_has_moved_or_deleted_them) {
    start({});
    log::info("net", "1");
    const auto file = folder.path() / "one.log";
    std::filesystem::rename(file, folder.path() / "moved.log");
    log::look_after_files();
    log::info("net", "2");
    EXPECT_THAT(text(), AllOf(HasSubstr("net: 2"), Not(HasSubstr("net: 1"))));
    std::filesystem::remove(file);
    log::look_after_files();
    EXPECT_TRUE(std::filesystem::exists(file));
    log::look_after_files();
    log::info("net", "3");
    EXPECT_THAT(text(), HasSubstr("net: 3"));
}

TEST_F(logs, turn_over_when_they_are_full) {
    log::options wanted;
    wanted.file_limit_bytes = 200;
    wanted.files = 2;
    start(wanted);
    for (int i = 0; i < 20; ++i) {
        log::info("net", "{:050}", i);
    }
    EXPECT_THAT(text(), HasSubstr("19"));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "one.1.log"));
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "one.2.log"));
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "one.3.log"));
    EXPECT_LE(std::filesystem::file_size(folder.path() / "one.1.log"), 200U);
}

TEST_F(logs, count_what_a_full_disk_loses_and_say_so_after_it) {
    start({});
    log::info("net", "before");
    EXPECT_EQ(log::lost_lines(), 0U);
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    // Room for half a line.
    const rlimit full{std::filesystem::file_size(folder.path() / "one.log") + 10, limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
    log::info("net", "lost");
    log::info("net", "lost too");
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    std::signal(SIGXFSZ, before);
    EXPECT_EQ(log::lost_lines(), 2U);
    log::info("net", "after");
    log::info("net", "and on");
    EXPECT_THAT(text(), MatchesRegex(".*net: before\n.*\n.*net: after\n.*error .*base: 2 lines of "
                                     "this log were lost: File too large\n.*net: and on\n"));
    EXPECT_THAT(text(), Not(HasSubstr("net: lost")));
}

} // namespace
} // namespace shaddock::base
