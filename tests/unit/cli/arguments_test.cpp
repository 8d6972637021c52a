#include "cli/arguments.hpp"

#include "parsed.hpp"

#include "cli/run.hpp"

#include <gmock/gmock.h>

namespace shaddock::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(arguments, run_one_server) {
    const auto wanted = parsed<serve_command>({"--type", "chat", "--id", "chat-server-1"});
    EXPECT_EQ(wanted.type, "chat");
    EXPECT_EQ(wanted.id, "chat-server-1");
    EXPECT_EQ(wanted.where.env, "development");
    EXPECT_EQ(wanted.where.run, "run");
    EXPECT_FALSE(wanted.where.config);
    EXPECT_FALSE(wanted.where.servers);
    EXPECT_FALSE(wanted.is_child);
}

TEST(arguments, say_where_things_are) {
    const auto wanted =
        parsed<serve_command>({"--type=chat", "--id=c", "-e", "production", "--config", "/c",
                               "--servers", "s.json", "--run", "/r", "--child"});
    EXPECT_EQ(wanted.where.env, "production");
    EXPECT_EQ(wanted.where.config, "/c");
    EXPECT_EQ(wanted.where.servers, "s.json");
    EXPECT_EQ(wanted.where.run, "/r");
    EXPECT_TRUE(wanted.is_child);
}

TEST(arguments, start_in_the_foreground_or_the_background) {
    EXPECT_FALSE(parsed<start_command>({"start"}).is_daemon);
    const auto wanted = parsed<start_command>({"start", "-e", "production", "-D"});
    EXPECT_TRUE(wanted.is_daemon);
    EXPECT_EQ(wanted.where.env, "production");
}

TEST(arguments, admin_page) {
    EXPECT_EQ(parsed<admin_command>({"admin"}).where.run, "run");
    EXPECT_EQ(parsed<admin_command>({"admin", "--run", "/r"}).where.run, "/r");
}

TEST(arguments, list) {
    EXPECT_FALSE(parsed<list_command>({"list"}).as_json);
    const auto list = parsed<list_command>({"list", "--json", "--all", "--run", "/r"});
    EXPECT_TRUE(list.as_json);
    EXPECT_TRUE(list.with_all);
    EXPECT_EQ(list.where.run, "/r");
}

TEST(arguments, check_a_system) {
    const auto plain = parsed<check_command>({"check", "-e", "production", "--config", "etc"});
    EXPECT_TRUE(plain.modules.empty());
    EXPECT_EQ(plain.where.env, "production");
    EXPECT_FALSE(plain.as_json);
    EXPECT_FALSE(plain.shows_options);
    EXPECT_TRUE(parsed<check_command>({"check", "--json"}).as_json);
    EXPECT_TRUE(parsed<check_command>({"check", "--options"}).shows_options);
}

TEST(arguments, check_module_files) {
    const auto plain = parsed<check_command>({"check", "--module", "a.so", "--type", "chat"});
    EXPECT_THAT(plain.modules, ElementsAre("a.so"));
    EXPECT_EQ(plain.type, "chat");
    EXPECT_FALSE(plain.id);
    EXPECT_FALSE(plain.scratch);
    EXPECT_EQ(plain.patience_ms, 1000U);
    const auto by_server = parsed<check_command>(
        {"check", "--type", "chat", "--id", "chat-1", "--scratch", "/r/chat-1@check", "--patience",
         "500", "--module", "/p/a.so", "--module", "/p/b.so", "--env", "production"});
    EXPECT_THAT(by_server.modules, ElementsAre("/p/a.so", "/p/b.so"));
    EXPECT_EQ(by_server.id, "chat-1");
    EXPECT_EQ(by_server.scratch, "/r/chat-1@check");
    EXPECT_EQ(by_server.patience_ms, 500U);
    EXPECT_EQ(by_server.where.env, "production");
    EXPECT_FALSE(plain.as_json);
    EXPECT_EQ(parsed<answer>({"check", "--id", "chat-1"}).status, exit_usage);
    EXPECT_EQ(parsed<answer>({"check", "--type", "chat"}).status, exit_usage);
    EXPECT_EQ(parsed<answer>({"check", "--module", "a.so"}).status, exit_usage);
}

TEST(arguments, make_a_project) {
    const auto wanted = parsed<new_command>({"new", "games/tally", "--type", "tally"});
    EXPECT_EQ(wanted.folder, "games/tally");
    EXPECT_EQ(wanted.type, "tally");
    EXPECT_THAT(parsed<new_command>({"new", "--types", "area,bag", "island"}).types,
                testing::ElementsAre("area", "bag"));
    EXPECT_EQ(parsed<answer>({"new", "games/tally"}).status, exit_usage);
    EXPECT_EQ(parsed<answer>({"new", "a", "--type", "b", "--types", "c,d"}).status, exit_usage);
    EXPECT_EQ(parsed<answer>({"new", "--type", "tally"}).status, exit_usage);
    EXPECT_THAT(parsed<answer>({"new", "--help"}).text,
                AllOf(HasSubstr("host new tally --type tally"), HasSubstr("Exit status:")));
}

TEST(arguments, serve_the_page) {
    const auto wanted = parsed<web_command>({"web", "--port", "8080", "--folder", "/w"});
    EXPECT_EQ(wanted.port, 8080);
    EXPECT_EQ(wanted.folder, "/w");
}

TEST(arguments, teach_when_asked_or_when_absent) {
    const auto help = parsed<answer>({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.text, AllOf(HasSubstr("host start"), HasSubstr("host --type chat --id"),
                                 HasSubstr("Exit status")));
    EXPECT_THAT(help.text, testing::Not(HasSubstr("--child")));
    const auto nothing = parsed<answer>({});
    EXPECT_EQ(nothing.status, exit_usage);
    EXPECT_EQ(nothing.text, help.text);
    EXPECT_THAT(parsed<answer>({"start", "--help"}).text, HasSubstr("-D"));
    EXPECT_THAT(parsed<answer>({"--version"}).text, HasSubstr("host "));
}

TEST(arguments, that_are_wrong_are_named) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
        {{"--type", "chat"}, "--id is missing"},
        {{"--id", "chat-server-1"}, "--type is missing"},
        {{"strat", "chat"}, "host: there is no command 'strat'. Nearest:\n  host start "},
        {{"status"}, "host: there is no command 'status'. Nearest:\n  host list "},
        {{"--run", "r", "drain", "chat-1"}, "no command 'drain'. Nearest:\n  host stop "},
        {{"stop", "a", "--force"}, "host stop: The following argument was not expected: --force"},
        {{"list", "--jsno"}, "--jsno"},
        {{"web", "--port", "70000"}, "70000"},
        {{"start", "list"}, "list"},
    };
    for (const auto& [words, named] : wrong) {
        const auto said = parsed<answer>(words);
        EXPECT_EQ(said.status, exit_usage) << named;
        EXPECT_THAT(said.text, HasSubstr(named));
    }
}

config::system two_types() {
    config::system system;
    system.env = "development";
    for (const auto& [id, type] :
         {std::pair{"chat-server-1", "chat"}, std::pair{"chat-server-2", "chat"},
          std::pair{"gate-server-1", "gate"}}) {
        config::server_record record;
        record.id = id;
        record.type = type;
        system.servers.push_back(record);
    }
    return system;
}

TEST(find_record, finds_the_server_of_type_and_id) {
    EXPECT_EQ(find_record(two_types(), "chat", "chat-server-2")->id, "chat-server-2");
}

TEST(find_record, names_the_nearest_ids_or_the_known_types) {
    const auto unknown = find_record(two_types(), "chat", "caht-server-2");
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().text(), HasSubstr("nearest: chat-server-2"));
    const auto other = find_record(two_types(), "chat", "gate-server-1");
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().text(),
                AllOf(HasSubstr("is of type gate, not chat"), HasSubstr("chat-server-1")));
    const auto type = find_record(two_types(), "cat", "chat-server-1");
    ASSERT_FALSE(type);
    EXPECT_THAT(type.error().text(), AllOf(HasSubstr("known types: chat, gate"),
                                           HasSubstr("nearest ids: chat-server-1")));
}

} // namespace
} // namespace shaddock::cli
