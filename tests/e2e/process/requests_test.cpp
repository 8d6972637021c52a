#include "raw_client.hpp"
#include "test_system.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace shaddock::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class logged_requests : public testing::Test {
protected:
    void TearDown() override { system.run({"stop"}); }
    /// What a client does on a system that logs at this level; all logs once it has stopped.
    void talk(const std::string& level) {
        system.add("config/host.yaml", "log: {level: " + level + "}\n");
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
        {
            raw_client alice(system.connector_port);
            EXPECT_THAT(
                alice.ask("connector.entryHandler.enter", R"({"username":"alice","rid":"room"})"),
                HasSubstr("alice"));
            EXPECT_EQ(alice.ask("chat.chatHandler.send", R"({"content":"hi"})"), R"({"code":500})");
        }
        ASSERT_EQ(system.run({"stop"}).status, 0);
    }
    std::string log_of(const std::string& id) const {
        std::ostringstream text;
        text << std::ifstream(system.path("logs/" + id + ".log")).rdbuf();
        return text.str();
    }
    std::string chats() const { return log_of("chat-server-1") + log_of("chat-server-2"); }
    test_system system{"2 s"};
};

TEST_F(logged_requests, have_one_id_on_all_servers_and_name_the_build_that_served_them) {
    talk("debug");
    const std::string id = "request connector-server-1/1/2 ";
    const std::string refused = "ends: 'chat.chatHandler.send', bad_request: target: missing, ";
    const std::string served = "[0-9]+ us, by ";
    const std::string build = R"(\.so [0-9.]+ build [0-9a-f]+ generation 1)";
    EXPECT_THAT(log_of("connector-server-1"),
                ContainsRegex(id + refused + served + "connector" + build));
    EXPECT_THAT(chats(), ContainsRegex(id + refused + served + "chat" + build));
    EXPECT_THAT(chats(), HasSubstr("request connector-server-1/1/1 begins: 'chat.chatRemote.add'"));
}

TEST_F(logged_requests, are_not_logged_above_debug) {
    talk("info");
    EXPECT_THAT(log_of("connector-server-1"), HasSubstr("connector-server-1 serves"));
    EXPECT_THAT(log_of("connector-server-1") + chats(), Not(HasSubstr("request ")));
}

} // namespace
} // namespace shaddock::test
