#include "raw_client.hpp"
#include "test_system.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <sys/resource.h>
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
    const auto own = system.line("chat-server-3").process();
    kill(*own, SIGKILL);
    const auto other = system.line("connector-server-1").process();
    kill(*other, SIGKILL);
    ASSERT_TRUE(system.comes_true([&] {
        const auto now = system.line("chat-server-3");
        const auto entrance = system.line("connector-server-1");
        return now.state == "ready" && now.process() != own && entrance.state == "ready" &&
               entrance.process() != other;
    }));
    kill(*system.line("master-server-1").process(), SIGKILL);
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
    // Nobody took the rooms of that one over.
    EXPECT_TRUE(system.line("chat-server-2").missing);
    EXPECT_FALSE(system.line("chat-server-1").missing);
    const auto health = system.run({"health"});
    EXPECT_EQ(health.status, 1);
    EXPECT_THAT(health.text, AllOf(HasSubstr("chat-server-2"), Not(HasSubstr("chat-server-1"))));
    EXPECT_EQ(system.run({"list"}).status, 1);
    const auto entrance = system.line("connector-server-1").process();
    const auto said = system.run({"restart", "chat", "connector-server-1"});
    EXPECT_EQ(said.status, 0) << said.text;
    for (const auto& line : system.list()) {
        EXPECT_EQ(line.state, "ready") << line.id;
    }
    EXPECT_NE(system.line("connector-server-1").process(), entrance);
    EXPECT_EQ(system.run({"restart", "caht"}).status, 1);
}

TEST_F(commands, stop_takes_a_server_out_of_the_list_and_remove_forgets_it) {
    const auto enter_rooms = [&](const std::string& name) {
        for (const auto* room : {"a", "b", "c", "d", "e", "f"}) {
            raw_client user(system.connector_port);
            EXPECT_THAT(user.ask("connector.entryHandler.enter",
                                 fmt::format(R"({{"username":"{}","rid":"{}"}})", name, room)),
                        HasSubstr(name))
                << room;
        }
    };
    ASSERT_EQ(system.run({"stop", "chat-server-2"}).status, 0);
    enter_rooms("ann");
    // The next master knows it too, and leaves it down.
    kill(*system.line("master-server-1").process(), SIGKILL);
    ASSERT_TRUE(system.comes_true([&] { return system.run({"list"}).status == 3; }));
    const auto adopted = system.run({"start", "-D"});
    EXPECT_THAT(adopted.text, AllOf(HasSubstr("ready: 3 servers"), HasSubstr("their list counts")));
    EXPECT_EQ(system.line("chat-server-2").state, "stopped");
    ASSERT_EQ(system.run({"restart", "chat-server-2"}).status, 0);
    enter_rooms("bob");
    ASSERT_EQ(system.run({"remove", "chat-server-2"}).status, 0);
    EXPECT_THAT(system.run({"list"}).text, Not(HasSubstr("chat-server-2")));
    enter_rooms("eve");
    EXPECT_EQ(system.run({"remove", "chat-server-2"}).status, 1);
    EXPECT_EQ(system.run({"remove", "web"}).status, 1);
}

TEST_F(commands, take_types_ids_and_all_alike) {
    const auto states = [&] {
        return fmt::format("{} {} {}", system.line("chat-server-1").state,
                           system.line("chat-server-2").state,
                           system.line("connector-server-1").state);
    };
    ASSERT_EQ(system.run({"stop", "chat"}).status, 0);
    EXPECT_EQ(states(), "stopped stopped ready");
    ASSERT_EQ(system.run({"restart", "chat"}).status, 0);
    ASSERT_EQ(system.run({"kill", "chat", "chat-server-2"}).status, 0);
    EXPECT_EQ(states(), "stopped stopped ready");
    EXPECT_EQ(system.run({"health", "connector"}).status, 0);
    EXPECT_THAT(system.run({"health", "chat"}).text,
                HasSubstr("0 of 2 serve, chat-server-1 is stopped, chat-server-2 is stopped"));
    ASSERT_EQ(system.run({"restart", "all"}).status, 0);
    EXPECT_EQ(system.run({"reload", "all", "--dry-run"}).status, 0);
    EXPECT_THAT(system.run({"logs", "chat", "gate-server-1"}).text,
                AllOf(HasSubstr("[chat-server-1]"), HasSubstr("[chat-server-2]"),
                      Not(HasSubstr("[connector-server-1]"))));
    EXPECT_THAT(system.run({"stop", "caht"}).text, HasSubstr("no server and no type 'caht'"));
    ASSERT_EQ(system.run({"stop", "all"}).status, 0);
    EXPECT_EQ(states(), "stopped stopped stopped");
    EXPECT_EQ(system.line("web").state, "ready") << "is no server";
    ASSERT_EQ(system.run({"remove", "all"}).status, 0);
    EXPECT_EQ(states(), "  ");
}

TEST_F(commands, restart_brings_a_stopped_server_back_also_when_its_first_try_fails) {
    ASSERT_EQ(system.run({"stop", "connector-server-1"}).status, 0);
    EXPECT_TRUE(system.line("connector-server-1").stopped);
    {
        boost::asio::io_context loop;
        const boost::asio::ip::tcp::acceptor stranger(
            loop, {boost::asio::ip::address_v4::loopback(), system.connector_port});
        EXPECT_EQ(system.run({"restart", "connector-server-1"}).status, 1);
        EXPECT_TRUE(system.line("connector-server-1").stopped);
    }
    EXPECT_TRUE(system.comes_true([&] {
        const auto now = system.line("connector-server-1");
        return now.state == "ready" && !now.stopped;
    }));
    raw_client gate(system.gate_port);
    EXPECT_THAT(gate.ask("gate.gateHandler.queryEntry", R"({"uid":"ann"})"),
                HasSubstr(std::to_string(system.connector_port)));
}

TEST_F(commands, restart_of_the_master_waits_for_a_stop_that_is_under_way) {
    kill(*system.line("chat-server-2").process(), SIGSTOP);
    auto stop = system.host({"stop", "chat-server-2"});
    ASSERT_TRUE(system.comes_true([&] { return system.line("chat-server-2").stopped; }));
    const auto refused = system.run({"restart", "master"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.text, HasSubstr("another stop is under way"));
    EXPECT_EQ(stop.end().status, 0);
    EXPECT_EQ(system.run({"restart", "master"}).status, 0);
    // Nobody has asked for this one.
    auto stranger = system.host({"--type", "chat", "--id", "chat-server-2"});
    ASSERT_TRUE(stranger.says("serves"));
    EXPECT_TRUE(system.comes_true([&] {
        return system.run({"logs", "master"}).text.find("it was stopped and is out of the list") !=
               std::string::npos;
    }));
}

TEST_F(commands, restart_warns_of_a_record_that_was_edited_meanwhile) {
    EXPECT_THAT(system.run({"restart", "chat-server-1"}).text, Not(HasSubstr("warning")));
    system.write("config/servers.json",
                 R"({"chat": [{"id": "chat-server-1", "host": "127.0.0.1", "tier": 2}]})");
    const auto said = system.run({"restart", "chat"});
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_THAT(said.text, HasSubstr("warning: its record in"));
}

TEST_F(commands, add_and_remove_fail_when_the_list_cannot_be_written_and_can_be_repeated) {
    ASSERT_EQ(system.run({"stop", "chat-server-2"}).status, 0);
    const auto before = system.list().size();
    std::filesystem::remove(system.path("run/servers.json"));
    system.write("run/servers.json/in_the_way", "");
    const auto not_added = system.run(chat("chat-server-3"));
    EXPECT_EQ(not_added.status, 1);
    EXPECT_THAT(not_added.text, HasSubstr("servers.json"));
    // The same on a full disk.
    const auto master = *system.line("master-server-1").process();
    rlimit limit{};
    ASSERT_EQ(prlimit(master, RLIMIT_FSIZE, nullptr, &limit), 0);
    const rlimit full{1, limit.rlim_max};
    ASSERT_EQ(prlimit(master, RLIMIT_FSIZE, &full, nullptr), 0);
    const auto not_written = system.run(chat("chat-server-3"));
    ASSERT_EQ(prlimit(master, RLIMIT_FSIZE, &limit, nullptr), 0);
    EXPECT_EQ(not_written.status, 1);
    EXPECT_THAT(not_written.text, HasSubstr("No space left on device"));
    EXPECT_EQ(system.list().size(), before);
    EXPECT_THAT(system.run({"logs", "master"}).text, Not(HasSubstr("chat-server-3")));
    const auto refused = system.run({"remove", "chat-server-2"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.text, HasSubstr("then `host remove` again"));
    std::filesystem::remove_all(system.path("run/servers.json"));
    const auto added = system.run(chat("chat-server-3"));
    EXPECT_EQ(added.status, 0) << added.text;
    const auto removed = system.run({"remove", "chat-server-2"});
    EXPECT_EQ(removed.status, 0) << removed.text;
    EXPECT_EQ(system.line("chat-server-2").id, "");
}

TEST_F(commands, kill_all_leaves_nothing) {
    kill(*system.line("chat-server-1").process(), SIGSTOP); // would not stop by itself
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

TEST(commands_without_a_page, a_master_that_is_replaced_knows_its_list_though_nothing_runs) {
    test_system system;
    system.write("config/host.yaml", "web: {port: 0}\n");
    ASSERT_EQ(system.run({"start", "-D"}).status, 0);
    ASSERT_EQ(system.run({"stop", "gate-server-1", "connector-server-1", "chat-server-1"}).status,
              0);
    ASSERT_EQ(system.run({"stop", "chat-server-2"}).status, 0);
    ASSERT_EQ(system.run({"remove", "chat-server-2"}).status, 0);
    ASSERT_EQ(system.run({"restart", "master"}).status, 0);
    EXPECT_EQ(system.line("chat-server-1").state, "stopped");
    EXPECT_EQ(system.line("chat-server-2").state, "");
    EXPECT_EQ(system.run({"restart", "chat-server-1"}).status, 0);
    EXPECT_EQ(system.line("chat-server-1").state, "ready");
    EXPECT_EQ(system.run({"kill", "--all"}).status, 0);
}

} // namespace
} // namespace shaddock::test
