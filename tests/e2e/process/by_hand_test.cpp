#include "test_system.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

namespace shaddock::test {
namespace {

using testing::HasSubstr;

std::unique_ptr<host_process> by_hand(const test_system& system, const std::string& id) {
    const std::vector<std::string> arguments = {"--type", id.substr(0, id.find('-')), "--id", id};
    return std::make_unique<host_process>(system.path(), arguments);
}

/// Started in this order, one after the other serves, and in the end each is linked with each.
void form_a_system(const std::vector<std::string>& order) {
    const test_system system;
    std::vector<std::unique_ptr<host_process>> servers;
    for (const auto& id : order) {
        servers.push_back(by_hand(system, id));
        ASSERT_TRUE(servers.back()->says(id + " serves")) << servers.back()->text();
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        for (const auto& other : order) {
            if (other != order[i]) {
                EXPECT_TRUE(servers[i]->says("linked with " + other)) << servers[i]->text();
            }
        }
    }
    for (auto& server : servers) {
        server->signal(SIGTERM);
        EXPECT_EQ(server->end().status, 0) << server->text();
    }
}

TEST(servers_by_hand, form_a_system_without_a_master) {
    form_a_system(server_ids);
}

TEST(servers_by_hand, form_it_in_the_other_order_too) {
    form_a_system({server_ids.rbegin(), server_ids.rend()});
}

TEST(servers_by_hand, are_adopted_by_a_master_that_comes_later) {
    const test_system system;
    auto chat = by_hand(system, "chat-server-1");
    ASSERT_TRUE(chat->says("serves")) << chat->text();
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 4 servers\n")) << master.text();
    EXPECT_EQ(system.line("chat-server-1").process(), chat->pid());
    master.signal(SIGTERM);
    EXPECT_EQ(master.end().status, 0) << master.text();
    EXPECT_EQ(chat->end().status, 0) << chat->text();
}

/// Its first thread waits for something; also when there is no such process.
bool is_idle(int pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return text.empty() || text.find(") S ") != std::string::npos;
}

TEST(servers_by_hand, say_in_the_report_of_a_crash_what_served) {
    const test_system system;
    auto chat = by_hand(system, "chat-server-1");
    ASSERT_TRUE(chat->says("serves")) << chat->text();
    // What follows the line is done then.
    ASSERT_TRUE(system.comes_true([&] { return is_idle(chat->pid()); }));
    chat->signal(SIGSEGV);
    chat->end();
    std::ifstream file(system.path("logs/chat-server-1.crash"));
    if (file) { // builds with sanitizers report by themselves
        const std::string report{std::istreambuf_iterator<char>(file), {}};
        EXPECT_THAT(report, HasSubstr("chat.so"));
    }
}

TEST(servers_by_hand, run_once_each) {
    const test_system system;
    auto first = by_hand(system, "chat-server-1");
    ASSERT_TRUE(first->says("serves")) << first->text();
    const auto again = by_hand(system, "chat-server-1")->end();
    EXPECT_EQ(again.status, 1);
    EXPECT_THAT(again.text, HasSubstr(fmt::format("already running (process {})", first->pid())));
    EXPECT_THAT(again.text, HasSubstr("nearest ids that are not: chat-server-2"));
    auto second = by_hand(system, "chat-server-2");
    ASSERT_TRUE(second->says("serves")) << second->text();
    const auto third = by_hand(system, "chat-server-1")->end();
    EXPECT_EQ(third.status, 1);
    EXPECT_THAT(third.text, HasSubstr("so is every server of type chat"));
}

TEST(servers_by_hand, say_when_their_loop_was_busy) {
    const test_system system;
    auto chat = by_hand(system, "chat-server-1");
    ASSERT_TRUE(chat->says("serves")) << chat->text();
    // A stopped process is a loop that does not turn; the limit is 50 ms.
    chat->signal(SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    chat->signal(SIGCONT);
    EXPECT_TRUE(chat->says("limits.tick_warning: 50 ms", std::chrono::seconds(10))) << chat->text();
}

TEST(servers_by_hand, must_be_of_the_system) {
    const test_system system;
    const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
        {{"--type", "chat", "--id", "chat-server-3"}, "nearest: chat-server-1, chat-server-2"},
        {{"--type", "chat", "--id", "gate-server-1"},
         "is of type gate, not chat; nearest of that type: chat-server-1, chat-server-2"},
        {{"--type", "caht", "--id", "chat-server-1"}, "nearest ids: chat-server-1"},
    };
    for (const auto& [arguments, named] : wrong) {
        const auto said = system.run(arguments);
        EXPECT_EQ(said.status, 1) << named;
        EXPECT_THAT(said.text, HasSubstr(named));
    }
}

} // namespace
} // namespace shaddock::test
