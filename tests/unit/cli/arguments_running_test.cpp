#include "cli/arguments.hpp"

#include "parsed.hpp"

#include <gmock/gmock.h>

namespace shaddock::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using words = std::vector<std::string>;

std::string refusal(const words& arguments) {
    const auto found = parse(arguments);
    const auto* said = std::get_if<answer>(&found);
    EXPECT_NE(said, nullptr);
    EXPECT_EQ(said == nullptr ? 0 : said->status, exit_usage);
    return said == nullptr ? "" : said->text;
}

TEST(running_arguments, stop) {
    EXPECT_THAT(parsed<stop_command>({"stop"}).targets, IsEmpty());
    EXPECT_THAT(parsed<stop_command>({"stop", "a", "b"}).targets, ElementsAre("a", "b"));
    EXPECT_EQ(parsed<stop_command>({"stop", "a"}).within, std::nullopt);
    EXPECT_EQ(parsed<stop_command>({"stop", "a", "--within", "30min"}).within,
              std::chrono::minutes(30));
    EXPECT_EQ(parsed<stop_command>({"stop", "a", "--within", "90"}).within,
              std::chrono::seconds(90));
    for (const std::string wrong : {"0", "soon", "169 h"}) {
        EXPECT_THAT(parsed<answer>({"stop", "a", "--within", wrong}).text, HasSubstr("30 min"));
    }
    EXPECT_THAT(parsed<answer>({"stop", "--within", "30min"}).text, HasSubstr("targets"));
}

TEST(running_arguments, reload_types_and_ids) {
    const auto plain = parsed<reload_command>({"reload", "chat"});
    EXPECT_THAT(plain.wanted.targets, ElementsAre("chat"));
    EXPECT_FALSE(plain.wanted.rollback);
    EXPECT_FALSE(plain.wanted.dry_run);
    EXPECT_FALSE(plain.as_json);
    const auto wanted = parsed<reload_command>(
        {"reload", "chat-server-1", "connector", "--rollback", "--json", "--run", "/r"});
    EXPECT_THAT(wanted.wanted.targets, ElementsAre("chat-server-1", "connector"));
    EXPECT_TRUE(wanted.wanted.rollback);
    EXPECT_TRUE(parsed<reload_command>({"reload", "chat", "--dry-run"}).wanted.dry_run);
    EXPECT_TRUE(wanted.as_json);
    EXPECT_EQ(wanted.where.run, "/r");
    const auto help = parsed<answer>({"reload", "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.text, AllOf(HasSubstr("--rollback"), HasSubstr("host reload chat --rollback"),
                                 HasSubstr("Exit status")));
}

TEST(running_arguments, add) {
    const auto wanted = parsed<add_command>(
        {"add", "serverType=chat", "note=a=b", "port=", "--json", "--run", "/r"});
    EXPECT_THAT(wanted.keys,
                ElementsAre(Pair("serverType", "chat"), Pair("note", "a=b"), Pair("port", "")));
    EXPECT_TRUE(wanted.as_json);
    EXPECT_EQ(wanted.where.run, "/r");
    EXPECT_THAT(refusal({"add", "chat"}), HasSubstr("expected key=value"));
    refusal({"add"});
    refusal({"add", "=x"});
}

TEST(running_arguments, restart) {
    const auto wanted = parsed<restart_command>({"restart", "chat", "gate-server-1"});
    EXPECT_THAT(wanted.targets, ElementsAre("chat", "gate-server-1"));
    EXPECT_FALSE(wanted.as_json);
    refusal({"restart"});
}

TEST(running_arguments, kill_never_means_everything_by_accident) {
    EXPECT_THAT(parsed<kill_command>({"kill", "a", "b"}).targets, ElementsAre("a", "b"));
    EXPECT_THAT(parsed<kill_command>({"kill", "--all"}).targets, IsEmpty());
    EXPECT_THAT(refusal({"kill"}), HasSubstr("--all"));
    refusal({"kill", "--all", "a"});
}

TEST(running_arguments, that_are_missing_are_shown_by_examples) {
    EXPECT_THAT(refusal({"reload"}), HasSubstr("host reload: expected TYPE|ID|all ...: Types, "));
    EXPECT_THAT(refusal({"reload"}), HasSubstr("Examples:\n  host reload chat  "));
    EXPECT_THAT(refusal({"restart", "--json"}), HasSubstr("\n  host restart chat-server-1 "));
    EXPECT_THAT(refusal({"add"}), HasSubstr("host add: expected KEY=VALUE ...: What servers.json "
                                            "would say of it\nExamples:\n  host add serverType="));
    EXPECT_THAT(refusal({"kill"}), HasSubstr("host kill: targets, or --all is required\nExam"));
    EXPECT_THAT(refusal({"log"}), Not(HasSubstr("Exit status")));
}

TEST(running_arguments, logs) {
    const auto plain = parsed<logs_command>({"logs"});
    EXPECT_THAT(plain.targets, IsEmpty());
    EXPECT_EQ(plain.lines, 20U);
    EXPECT_FALSE(plain.follows);
    const auto wanted = parsed<logs_command>({"logs", "a", "-f", "-n", "5"});
    EXPECT_THAT(wanted.targets, ElementsAre("a"));
    EXPECT_TRUE(wanted.follows);
    EXPECT_EQ(wanted.lines, 5U);
    refusal({"logs", "-n", "-1"});
}

TEST(running_arguments, log) {
    const auto shown = parsed<log_command>({"log", "chat"});
    EXPECT_EQ(shown.target, "chat");
    EXPECT_EQ(shown.level, std::nullopt);
    const auto wanted = parsed<log_command>({"log", "all", "debug", "--area", "net"});
    EXPECT_EQ(wanted.level, base::log::level::debug);
    EXPECT_EQ(wanted.area, "net");
    refusal({"log", "all", "loud"});
    refusal({"log", "all", "debug", "--area", "nte"});
    refusal({"log"});
}

} // namespace
} // namespace shaddock::cli
