#include "raw_client.hpp"
#include "test_system.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace shaddock::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class commands : public testing::Test {
protected:
    void SetUp() override {
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
    }
    void TearDown() override { system.run({"kill", "--all"}); }

    std::vector<std::string> chat(const std::string& id) const {
        return {"add", "serverType=chat", "id=" + id, "host=127.0.0.1",
                fmt::format("port={}", free_port())};
    }
    test_system system{"2 s"};
};

TEST_F(commands, add_a_server_that_everybody_uses_from_then_on) {
    const auto port = free_port();
    const auto added =
        system.run({"add", "serverType=connector", "id=connector-server-2", "host=127.0.0.1",
                    "port=4051", fmt::format("clientPort={}", port), "frontend=true"});
    EXPECT_EQ(added.status, 0) << added.text;
    EXPECT_THAT(added.text, AllOf(HasSubstr("connector-server-2"), HasSubstr("ready")));
    const auto more = system.run(chat("chat-server-3"));
    EXPECT_EQ(more.status, 0) << more.text;
    EXPECT_EQ(system.line("chat-server-3").state, "ready");

    // The gate gives it to clients.
    raw_client gate(system.gate_port);
    bool is_given = false;
    for (int i = 0; i < 64 && !is_given; ++i) {
        const auto entry =
            gate.ask("gate.gateHandler.queryEntry", fmt::format(R"({{"uid":"user{}"}})", i));
        is_given = entry.find(std::to_string(port)) != std::string::npos;
    }
    EXPECT_TRUE(is_given) << "no user was sent to the connector that was added";
    // And it serves them, with a room on whichever chat its name falls to.
    for (const auto* room : {"a", "b", "c", "d", "e", "f"}) {
        raw_client user(port);
        EXPECT_THAT(user.ask("connector.entryHandler.enter",
                             fmt::format(R"({{"username":"ann","rid":"{}"}})", room)),
                    HasSubstr("ann"))
            << room;
        EXPECT_THAT(user.ask("chat.chatHandler.send", R"({"content":"x","target":"*"})"),
                    Not(HasSubstr("500")));
    }
}

TEST_F(commands, add_stays_over_deaths_and_goes_with_the_system) {
    ASSERT_EQ(system.run(chat("chat-server-3")).status, 0);
    // Its own, that of another, and the master's.
    const auto own = system.line("chat-server-3").pid;
    kill(*own, SIGKILL);
    const auto other = system.line("connector-server-1").pid;
    kill(*other, SIGKILL);
    ASSERT_TRUE(system.comes_true([&] {
        const auto now = system.line("chat-server-3");
        const auto entrance = system.line("connector-server-1");
        return now.state == "ready" && now.pid != own && entrance.state == "ready" &&
               entrance.pid != other;
    }));
    kill(*system.line("master-server-1").pid, SIGKILL);
    ASSERT_TRUE(system.comes_true([&] { return system.run({"list"}).status == 3; }));
    const auto adopted = system.run({"start", "-D"});
    EXPECT_EQ(adopted.status, 0) << adopted.text;
    EXPECT_THAT(adopted.text, HasSubstr("ready: 5 servers"));
    ASSERT_EQ(system.run({"stop"}).status, 0);
    const auto fresh = system.run({"start", "-D"});
    EXPECT_THAT(fresh.text, HasSubstr("ready: 4 servers"));
}

TEST_F(commands, add_takes_out_again_what_does_not_get_ready) {
    // Somebody else has its port.
    const auto failed =
        system.run({"add", "serverType=connector", "id=connector-server-2", "host=127.0.0.1",
                    fmt::format("clientPort={}", system.master_port), "frontend=true"});
    EXPECT_EQ(failed.status, 1);
    EXPECT_THAT(failed.text, HasSubstr("master-server-1 already has"));
    system.write("config/host.yaml",
                 fmt::format("connector: {{distinctHost: true}}\n"
                             "web: {{port: {}}}\n"
                             "types: {{gate: {{}}, connector: {{}}, chat: {{}}, "
                             "shop: {{modules: [nowhere.so]}}}}\n",
                             system.web_port));
    const auto shop = system.run({"add", "serverType=shop", "id=shop-1", "host=127.0.0.1"});
    EXPECT_EQ(shop.status, 1);
    EXPECT_THAT(shop.text,
                AllOf(HasSubstr("shop-1"), HasSubstr("failed"),
                      HasSubstr("it ended before it was ready"), HasSubstr("nowhere.so")));
    EXPECT_THAT(system.run({"list"}).text, Not(HasSubstr("shop-1")));
    const auto twice = system.run(chat("chat-server-1"));
    EXPECT_EQ(twice.status, 1);
    EXPECT_THAT(twice.text, HasSubstr("found 'chat-server-1'"));
}

TEST_F(commands, add_takes_a_type_that_host_yaml_has_only_now) {
    system.write("config/host.yaml",
                 fmt::format("connector: {{distinctHost: true}}\n"
                             "web: {{port: {}}}\n"
                             "types: {{gate: {{}}, connector: {{}}, chat: {{}}, "
                             "hall: {{modules: [time.so]}}, time: {{}}}}\n",
                             system.web_port));
    const auto added = system.run({"add", "serverType=time", "id=time-1", "host=127.0.0.1"});
    EXPECT_EQ(added.status, 0) << added.text;
    EXPECT_EQ(system.line("time-1").module, "time.so");
}

TEST_F(commands, restart_starts_also_what_was_stopped_or_killed) {
    ASSERT_EQ(system.run({"stop", "chat-server-1"}).status, 0);
    const auto killed = system.run({"kill", "chat-server-2"});
    EXPECT_EQ(killed.status, 0) << killed.text;
    EXPECT_EQ(system.line("chat-server-2").state, "stopped");
    const auto entrance = system.line("connector-server-1").pid;
    const auto said = system.run({"restart", "chat", "connector-server-1"});
    EXPECT_EQ(said.status, 0) << said.text;
    for (const auto& line : system.list()) {
        EXPECT_EQ(line.state, "ready") << line.id;
    }
    EXPECT_NE(system.line("connector-server-1").pid, entrance);
    EXPECT_EQ(system.run({"restart", "caht"}).status, 1);
}

TEST_F(commands, kill_all_leaves_nothing) {
    kill(*system.line("chat-server-1").pid, SIGSTOP); // would not stop by itself
    const auto said = system.run({"kill", "--all"});
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_THAT(system.running(), IsEmpty());
    EXPECT_EQ(system.run({"list"}).status, 3);
}

TEST_F(commands, log_changes_levels_at_run_time) {
    EXPECT_EQ(system.run({"log", "chat-server-1"}).text, "chat-server-1        info\n");
    const auto changed = system.run({"log", "chat", "debug", "--area", "server"});
    EXPECT_EQ(changed.status, 0);
    EXPECT_THAT(changed.text, AllOf(HasSubstr("chat-server-1        info  server: debug\n"),
                                    HasSubstr("chat-server-2        info  server: debug\n")));
    EXPECT_THAT(system.run({"log", "all"}).text,
                AllOf(HasSubstr("connector-server-1   info\n"), HasSubstr("master-server-1")));
    raw_client user(system.connector_port);
    user.ask("connector.entryHandler.enter", R"({"username":"ann","rid":"r"})");
    const auto lines = system.run({"logs", "-n", "1000"}).text;
    EXPECT_THAT(lines, HasSubstr("debug [chat-server-"));
    EXPECT_THAT(lines, Not(HasSubstr("debug [connector-server-")));
    EXPECT_EQ(system.run({"log", "nobody", "debug"}).status, 1);
}

TEST_F(commands, logs_show_the_end_and_what_comes) {
    const auto last = system.run({"logs", "chat-server-1", "-n", "2"});
    EXPECT_EQ(last.status, 0);
    EXPECT_EQ(std::count(last.text.begin(), last.text.end(), '\n'), 2);
    EXPECT_THAT(last.text, HasSubstr("[chat-server-1]"));
    auto follower = system.host({"logs", "chat-server-1", "-f", "-n", "0"});
    // It is there once it shows what has come since.
    ASSERT_TRUE(system.comes_true([&] {
        system.run({"log", "chat-server-1", "info"});
        return follower.says("log levels are now", std::chrono::seconds(1));
    }));
    EXPECT_THAT(follower.text(), Not(HasSubstr("linked with")));
    follower.signal(SIGINT);
    EXPECT_EQ(follower.end().status, 0);
    EXPECT_EQ(system.run({"logs", "chat-sever-1"}).status, 1);
    system.run({"stop"});
    const auto all = system.run({"logs"});
    EXPECT_EQ(all.status, 0) << all.text;
    EXPECT_THAT(all.text, HasSubstr("[master]")) << "without a master, too";
}

/// Asks without a pause until told to stop; what the client throws is a failure.
std::size_t chatter(raw_client& user, const std::atomic<bool>& is_over, std::size_t& refused) {
    std::size_t answered = 0;
    while (!is_over) {
        const auto answer =
            user.ask("chat.chatHandler.send", R"({"content":"on and on","target":"*"})");
        if (answer == R"({"code":500})") {
            ++refused;
        }
        ++answered;
    }
    return answered;
}

TEST_F(commands, stop_and_restart_lose_no_request_of_clients_that_go_on) {
    std::vector<std::unique_ptr<raw_client>> users;
    for (int i = 0; i < 6; ++i) {
        users.push_back(std::make_unique<raw_client>(system.connector_port));
        users.back()->ask("connector.entryHandler.enter",
                          fmt::format(R"({{"username":"u{}","rid":"room{}"}})", i, i));
    }
    std::atomic<bool> is_over = false;
    std::vector<std::size_t> answered(users.size());
    std::vector<std::size_t> refused(users.size());
    std::vector<std::string> failures(users.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < users.size(); ++i) {
        threads.emplace_back([&, i] {
            try {
                answered[i] = chatter(*users[i], is_over, refused[i]);
            } catch (const std::exception& failed) {
                failures[i] = failed.what();
            }
        });
    }
    const auto stopped = system.run({"stop", "chat-server-1"});
    const auto restarted = system.run({"restart", "chat"});
    is_over = true;
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(stopped.status, 0) << stopped.text;
    EXPECT_EQ(restarted.status, 0) << restarted.text;
    for (std::size_t i = 0; i < users.size(); ++i) {
        EXPECT_EQ(failures[i], "") << "an answer was doubled, or the connection was closed";
        EXPECT_GT(answered[i], 10U);
    }
    // Those who were refused were told so; the log of the servers knows of nobody who was cut.
    const auto log = system.run({"logs", "chat-server-1", "chat-server-2", "-n", "1000"}).text;
    EXPECT_THAT(log, Not(HasSubstr("requests had not ended")));
    EXPECT_THAT(log, HasSubstr("stops: shutdown"));
}

} // namespace
} // namespace shaddock::test
