#include "terminal_process.hpp"
#include "test_system.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <sys/stat.h>

namespace shaddock::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

/// `host client` against the chat system as shipped in config/, on free ports.
class host_client : public testing::Test {
protected:
    void SetUp() override {
        const fs::path shipped = fs::path(SHADDOCK_TEST_SOURCE_DIR) / "config";
        for (const auto* name : {"dictionary.json", "serverProtos.json", "clientProtos.json"}) {
            fs::copy_file(shipped / name, system.path("config/" + std::string(name)),
                          fs::copy_options::overwrite_existing);
        }
        system.write("config/host.yaml", "types:\n"
                                         "  gate: {connector: {proto: true}}\n"
                                         "  connector: {connector: {dict: true, proto: true, "
                                         "heartbeat: 3 s}}\n"
                                         "  chat: {}\n"
                                         "web: {port: 0}\n");
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
    }
    outcome run_script(const std::string& script, std::vector<std::string> arguments = {}) const {
        system.write("script.txt", script);
        arguments.insert(arguments.begin(), {"client", "--script", "script.txt"});
        return system.run(arguments);
    }
    test_system system{"2 s"};
};

constexpr const char* log_in_and_talk = R"(# by the gate, to a connector
connector.entryHandler.enter {"username":"ada","rid":"hall"}
expect {"users":["ada"]}
request chat.chatHandler.send {"content":"hello 😀","target":"*"}
wait onChat 10
expect {"msg":"hello 😀","from":"ada","target":"*"}
)";

TEST_F(host_client, logs_in_talks_and_hears_from_a_script) {
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"--ws"},
          {"--tcp", "--json"},
          {"--connect", "127.0.0.1:" + std::to_string(system.connector_port)}}) {
        const auto ran = run_script(log_in_and_talk, how);
        EXPECT_EQ(ran.status, 0) << ran.text;
        EXPECT_THAT(ran.text, ContainsRegex("onChat.*hello 😀"));
    }
}

TEST_F(host_client, says_what_was_agreed_for_programs) {
    const auto ran = run_script("info\nroutes\n", {"--json"});
    EXPECT_EQ(ran.status, 0) << ran.text;
    EXPECT_THAT(ran.text, AllOf(HasSubstr(R"("heartbeat":3,"routes":3)"),
                                HasSubstr(R"("serverProtos":["onChat"])"),
                                HasSubstr(R"("chat.chatHandler.send":1)")));
}

TEST_F(host_client, fails_at_the_line_that_is_not_as_expected) {
    const auto ran = run_script(std::string(log_in_and_talk) + "expect {\"from\":\"eve\"}\nquit\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.text, HasSubstr("host: script.txt:7: expect: the push onChat is not as "
                                    "expected: from: found \"ada\", expected \"eve\"\n"));
}

TEST_F(host_client, says_in_one_line_why_it_cannot_connect) {
    const auto gate = "127.0.0.1:" + std::to_string(system.gate_port);
    ASSERT_EQ(system.run({"stop"}).status, 0);
    const auto ran = run_script("info\n");
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.text, "host: gate " + gate +
                            ": no connection: Connection refused; is the system started? host list "
                            "shows who runs\n");
}

TEST_F(host_client, hears_why_a_server_goes) {
    auto client = system.host({"client", "--script", "script.txt"});
    ASSERT_EQ(client.end().status, 1) << "there is no script yet";
    system.write("script.txt", "info\nwait onNever 60\n");
    auto waiting = system.host({"client", "--script", "script.txt"});
    ASSERT_TRUE(waiting.says("heartbeat   3 s")) << waiting.text();
    ASSERT_EQ(system.run({"stop"}).status, 0);
    const auto ended = waiting.end();
    EXPECT_EQ(ended.status, 1);
    EXPECT_THAT(ended.text, AllOf(HasSubstr("script.txt:2: "), HasSubstr("kicked: shutdown")));
}

TEST_F(host_client, is_a_conversation_on_a_terminal) {
    terminal_process terminal(system.path(), {"client"});
    const auto prompt = "127.0.0.1:" + std::to_string(system.connector_port) + "> ";
    ASSERT_TRUE(terminal.shows("connected to ")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt)) << terminal.text();
    terminal.type("connector.entryHandler.enter {\"username\":\"ada\",\"rid\":\"hall\"}\r");
    ASSERT_TRUE(terminal.shows("{\"users\": [\"ada\"]}")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt)) << terminal.text();
    // The tab completes the route of the dictionary.
    terminal.type("chat.\t{\"content\":\"caf\xc3\xa9\",\"target\":\"*\"}\r");
    ASSERT_TRUE(terminal.shows("  onChat  {\"msg\": \"caf\xc3\xa9\"")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt)) << terminal.text();
    // Arrow up: the same again.
    terminal.type("\x1b[A\r");
    ASSERT_TRUE(terminal.shows("  onChat  {\"msg\": \"caf\xc3\xa9\"")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt)) << terminal.text();
    // While a line is typed, a push comes: it is printed above, and the line goes on.
    terminal.type("inf");
    ASSERT_TRUE(terminal.shows("inf")) << terminal.text();
    const auto other =
        run_script("connector.entryHandler.enter {\"username\":\"bob\",\"rid\":\"hall\"}\n");
    ASSERT_EQ(other.status, 0) << other.text;
    ASSERT_TRUE(terminal.shows("  onAdd  {")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt + "inf")) << terminal.text();
    terminal.type("o\r");
    ASSERT_TRUE(terminal.shows("heartbeat   3 s")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt)) << terminal.text();
    // Ctrl-C drops the line, ctrl-d ends.
    terminal.type("nonsense\x03");
    ASSERT_TRUE(terminal.shows("^C")) << terminal.text();
    ASSERT_TRUE(terminal.shows(prompt)) << terminal.text();
    EXPECT_EQ(terminal.end_by("\x04"), 0) << terminal.text();
}

TEST_F(host_client, remembers_lines_of_the_conversation_before) {
    const auto prompt = "127.0.0.1:" + std::to_string(system.connector_port) + "> ";
    {
        terminal_process first(system.path(), {"client"});
        ASSERT_TRUE(first.shows(prompt)) << first.text();
        first.type("routes\r");
        ASSERT_TRUE(first.shows("chat.chatHandler.send")) << first.text();
        ASSERT_TRUE(first.shows(prompt)) << first.text();
        first.type("quit\r");
        EXPECT_EQ(first.end(), 0) << first.text();
    }
    struct stat status {};
    ASSERT_EQ(stat(system.path(".local/state/shaddock/history").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    terminal_process second(system.path(), {"client"});
    ASSERT_TRUE(second.shows(prompt)) << second.text();
    second.type("\x1b[A\x1b[A\r");
    EXPECT_TRUE(second.shows("chat.chatHandler.send")) << second.text();
    ASSERT_TRUE(second.shows(prompt)) << second.text();
    // The connection's end is the conversation's.
    ASSERT_EQ(system.run({"stop"}).status, 0);
    EXPECT_TRUE(second.shows("kicked: shutdown")) << second.text();
    EXPECT_EQ(second.end(), 1);
}

} // namespace
} // namespace shaddock::test
