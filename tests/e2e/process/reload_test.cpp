#include "raw_client.hpp"
#include "test_system.hpp"
#include "texts.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace shaddock::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

/// A running system with three chats whose module files are its own.
class reload : public testing::Test {
protected:
    void SetUp() override {
        system.take_plugins();
        configure("watch: false");
        start();
    }
    void TearDown() override { system.run({"stop"}); }

    void start() const {
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
    }
    void configure(const std::string& options) const {
        system.write("config/host.yaml", fmt::format("connector: {{distinctHost: true}}\n"
                                                     "limits: {{stop_timeout: 2 s}}\n"
                                                     "web: {{port: {}}}\n"
                                                     "reload: {{{}}}\n",
                                                     system.web_port, options));
    }
    /// `<id> <generation>` of the servers of a type.
    std::vector<std::string> generations(const std::string& type) const {
        std::vector<std::string> all;
        for (const auto& line : system.list()) {
            if (line.type == type) {
                EXPECT_EQ(line.state, "ready") << line.id;
                all.push_back(fmt::format("{} {}", line.id, line.generation));
            }
        }
        return all;
    }
    std::string master_log() const { return text_of(system.path("logs/master.log")); }

    test_system system{"2 s", 3};
};

TEST_F(reload, swaps_the_servers_of_a_type_one_after_the_other) {
    const auto before = system.line("chat-server-1");
    EXPECT_NE(before.build_id, "");
    const auto said = system.run({"reload", "chat"});
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_EQ(count_of(said.text, "generation 1"), 3U) << said.text;
    EXPECT_EQ(count_of(said.text, "generation 2"), 3U) << said.text;
    EXPECT_EQ(count_of(said.text, before.build_id.substr(0, 12)), 6U) << said.text;
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 2", "chat-server-2 2", "chat-server-3 2"));
    EXPECT_THAT(generations("connector"), ElementsAre("connector-server-1 1"));
    const auto after = system.line("chat-server-1");
    EXPECT_EQ(after.process(), before.process());
    EXPECT_EQ(after.build_id, before.build_id) << "the file is the same";
    EXPECT_THAT(system.run({"list"}).text, HasSubstr(before.build_id.substr(0, 12)));
    const auto log = master_log();
    std::size_t at = 0;
    for (const auto* id : {"chat-server-1", "chat-server-2", "chat-server-3"}) {
        at = log.find(fmt::format("{} is reloaded", id), at);
        ASSERT_NE(at, std::string::npos) << id << " in\n" << log;
    }
    EXPECT_THAT(log.substr(at), AllOf(HasSubstr(before.version), HasSubstr("generation 2"),
                                      HasSubstr(before.build_id.substr(0, 12))));
}

TEST_F(reload, swaps_one_server_that_is_named) {
    const auto said = system.run({"reload", "chat-server-2", "--json"});
    EXPECT_EQ(said.status, 0) << said.text;
    const auto lines = control::from_json<control::reload_results>(said.text);
    ASSERT_TRUE(lines) << said.text;
    ASSERT_EQ(lines->results.size(), 1U);
    EXPECT_EQ(lines->results.front().id, "chat-server-2");
    EXPECT_EQ(lines->results.front().type, "chat");
    EXPECT_EQ(lines->results.front().from.generation, 1U);
    EXPECT_EQ(lines->results.front().to->generation, 2U);
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 1", "chat-server-2 2", "chat-server-3 1"));
}

TEST_F(reload, goes_back_within_a_second) {
    const auto early = system.run({"reload", "chat-server-1", "--rollback"});
    EXPECT_EQ(early.status, 1) << "nothing to go back to: " << early.text;
    ASSERT_EQ(system.run({"reload", "chat"}).status, 0);
    const auto said = system.run({"reload", "chat", "--rollback", "--json"});
    EXPECT_EQ(said.status, 0) << said.text;
    const auto lines = control::from_json<control::reload_results>(said.text);
    ASSERT_TRUE(lines) << said.text;
    double ms = 0;
    for (const auto& line : lines->results) {
        EXPECT_EQ(line.to->generation, 3U) << line.id;
        ms += line.ms;
    }
    EXPECT_EQ(lines->results.size(), 3U);
    EXPECT_LT(ms, 1000.0);
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 3", "chat-server-2 3", "chat-server-3 3"));
}

TEST_F(reload, says_before_the_swap_whom_it_cuts_off) {
    // A server tells what it has called.
    raw_client player(system.connector_port);
    ASSERT_THAT(player.ask("connector.entryHandler.enter", R"({"username":"ann","rid":"hall"})"),
                HasSubstr("users"));
    fs::copy_file(fs::path(SHADDOCK_TEST_MODULES) / "module_probe.so",
                  system.path("plugins/new.so"));
    fs::rename(system.path("plugins/new.so"), system.path("plugins/chat.so"));
    const auto looked = system.run({"reload", "chat", "--dry-run"});
    EXPECT_EQ(looked.status, 0) << looked.text;
    EXPECT_EQ(count_of(looked.text, "would be"), 3U) << looked.text;
    const std::string cut = "cuts off calls of connector-server-1: chat.chatRemote.add: the new "
                            "build does not serve it";
    EXPECT_EQ(count_of(looked.text, cut), 3U) << looked.text;
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 1", "chat-server-2 1", "chat-server-3 1"));
    EXPECT_THAT(master_log(), Not(HasSubstr("is reloaded")));
    const auto said = system.run({"reload", "chat"});
    EXPECT_EQ(said.status, 0) << said.text;
    const auto warned = said.text.find("before the swap of chat-server-1, chat-server-2, "
                                       "chat-server-3:");
    EXPECT_LT(warned, said.text.find("generation 1")) << said.text;
    EXPECT_LT(said.text.find(cut), said.text.find("generation 1")) << said.text;
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 2", "chat-server-2 2", "chat-server-3 2"));
}

TEST_F(reload, names_the_nearest_of_an_unknown_target_and_touches_nothing) {
    const auto said = system.run({"reload", "chat", "chat-sever-2", "gaet"});
    EXPECT_EQ(said.status, 1);
    EXPECT_THAT(said.text, AllOf(HasSubstr("'chat-sever-2'; nearest: chat-server-2"),
                                 HasSubstr("'gaet'; nearest: gate")));
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 1", "chat-server-2 1", "chat-server-3 1"));
}

TEST_F(reload, of_a_bad_module_changes_nothing_and_leaves_the_rest_of_the_type_alone) {
    system.write("plugins/chat.so", "not a module\n");
    const auto said = system.run({"reload", "chat", "connector"});
    EXPECT_EQ(said.status, 1) << said.text;
    EXPECT_THAT(said.text, HasSubstr("chat.so"));
    EXPECT_EQ(count_of(said.text, "-> refused"), 1U) << said.text;
    EXPECT_EQ(count_of(said.text, "-> not touched"), 2U) << said.text;
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 1", "chat-server-2 1", "chat-server-3 1"));
    EXPECT_THAT(generations("connector"), ElementsAre("connector-server-1 2"));
    EXPECT_THAT(master_log(), HasSubstr("chat-server-1 is not reloaded and keeps"));
    fs::remove(system.path("plugins/chat.so"));
    EXPECT_EQ(system.run({"reload", "chat"}).status, 1);
    system.install("chat.so");
    const auto healed = system.run({"reload", "chat"});
    EXPECT_EQ(healed.status, 0) << healed.text;
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 2", "chat-server-2 2", "chat-server-3 2"));
}

TEST_F(reload, is_one_at_a_time_and_ends_when_its_server_dies) {
    const auto held = system.line("chat-server-1").process().value();
    kill(held, SIGSTOP); // so that the first reload waits
    auto first = system.host({"reload", "chat"});
    const auto second = [&] { return system.run({"reload", "nobody"}); };
    ASSERT_TRUE(
        system.comes_true([&] { return second().text.find("nobody") == std::string::npos; }));
    const auto refused = second();
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.text, HasSubstr("another reload is under way"));
    kill(held, SIGKILL);
    const auto said = first.end();
    EXPECT_EQ(said.status, 1) << said.text;
    EXPECT_THAT(said.text, HasSubstr("ended while it was reloading"));
    EXPECT_EQ(count_of(said.text, "not touched"), 2U) << said.text;
    EXPECT_THAT(second().text, HasSubstr("no server and no type 'nobody'"));
}

TEST_F(reload, passes_over_a_server_that_was_stopped) {
    ASSERT_EQ(system.run({"stop", "chat-server-1"}).status, 0);
    const auto said = system.run({"reload", "chat"});
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_THAT(said.text, HasSubstr("it is stopped"));
    EXPECT_EQ(system.line("chat-server-3").generation, 2U);
    EXPECT_EQ(system.run({"reload", "chat-server-1"}).status, 1);
}

TEST_F(reload, keeps_a_client_connected_and_answered) {
    raw_client user(system.connector_port);
    EXPECT_THAT(user.ask("connector.entryHandler.enter", R"({"username":"ann","rid":"r"})"),
                HasSubstr("ann"));
    unsigned said = 0;
    const auto say = [&] {
        const auto answer = user.ask("chat.chatHandler.send",
                                     fmt::format(R"({{"content":"line {}.","target":"*"}})", said));
        EXPECT_THAT(answer, Not(HasSubstr("\"code\":500"))) << "line " << said;
        ++said;
    };
    say();
    auto command = system.host({"reload", "chat", "connector"});
    while (!command.is_over()) {
        say();
        ASSERT_LT(said, 1'000'000U);
    }
    EXPECT_GT(said, 2U) << "nothing was asked meanwhile";
    say();
    EXPECT_EQ(command.end().status, 0) << command.text();
    EXPECT_THAT(generations("connector"), ElementsAre("connector-server-1 2"));
    EXPECT_THAT(generations("chat"),
                ElementsAre("chat-server-1 2", "chat-server-2 2", "chat-server-3 2"));
    say();
    ASSERT_EQ(user.pushes().size(), said);
    for (unsigned i = 0; i < said; ++i) {
        EXPECT_THAT(user.pushes()[i], HasSubstr(fmt::format("\"line {}.\"", i)));
    }
}

TEST_F(reload, happens_by_itself_where_files_are_watched) {
    ASSERT_EQ(system.run({"stop"}).status, 0);
    configure("watch: true");
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 5 servers\n")) << master.text();
    system.install("chat.so");
    for (const auto* id : {"chat-server-1", "chat-server-2", "chat-server-3"}) {
        EXPECT_TRUE(master.says(fmt::format("{} is reloaded: ", id))) << master.text();
        EXPECT_EQ(system.line(id).generation, 2U);
    }
    EXPECT_EQ(system.line("connector-server-1").generation, 1U);
    system.write("plugins/connector.so", "not a module\n");
    EXPECT_TRUE(master.says("connector-server-1 is not reloaded and keeps ")) << master.text();
    EXPECT_THAT(generations("connector"), ElementsAre("connector-server-1 1"));
    master.signal(SIGINT);
    EXPECT_EQ(master.end().status, 0) << master.text();
}

} // namespace
} // namespace shaddock::test
