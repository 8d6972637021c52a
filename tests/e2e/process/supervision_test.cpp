#include "test_system.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* quick_silence = "bus: {heartbeat: 500 ms, silence: 2 s}\n";

class supervision : public testing::Test {
protected:
    void start(const std::string& options) {
        system.add("config/host.yaml", options);
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
        before = pids();
    }
    /// Puts further keys into its record.
    void change_record(const std::string& id, const std::string& keys) const {
        auto servers = text_of("config/servers.json");
        const auto key = R"("id": ")" + id + "\",";
        servers.insert(servers.find(key) + key.size(), keys);
        system.write("config/servers.json", servers);
    }
    std::map<std::string, pid_t> pids() const {
        std::map<std::string, pid_t> all;
        for (const auto& line : system.list()) {
            all[line.id] = line.process().value_or(0);
        }
        return all;
    }
    bool is_replaced(const std::string& id) const {
        const auto now = system.line(id);
        return now.state == "ready" && now.process() && *now.process() != before.at(id);
    }
    std::string text_of(const std::string& name) const {
        std::ostringstream all;
        all << std::ifstream(system.path(name)).rdbuf();
        return all.str();
    }
    bool is_healthy() const { return system.run({"health"}).status == 0; }

    test_system system{"2 s"};
    std::map<std::string, pid_t> before;
};

using logs_of_processes = supervision;
using run_folder = supervision;

TEST_F(supervision, replaces_what_stands_still) {
    start(std::string(quick_silence) + "supervision: {stalled: kill}\n");
    for (const auto* id : {"chat-server-1", "web"}) {
        kill(before.at(id), SIGSTOP);
        EXPECT_TRUE(system.comes_true([&] { return is_replaced(id); })) << id;
    }
    EXPECT_TRUE(system.comes_true([&] { return is_healthy(); }));
    EXPECT_EQ(system.run({"list"}).status, 0);
}

TEST_F(supervision, only_shows_it_in_development_but_for_those_that_are_to_be_replaced) {
    change_record("chat-server-2", R"("auto-restart": "false", "restart-force": "true",)");
    start(quick_silence);
    EXPECT_EQ(system.run({"health"}).text, "healthy: 6 of 6 serve\n");
    for (const auto* id : {"chat-server-2", "chat-server-1", "web"}) {
        kill(before.at(id), SIGSTOP);
    }
    EXPECT_TRUE(system.comes_true([&] { return is_replaced("chat-server-2"); }));
    before["chat-server-2"] = *system.line("chat-server-2").process();
    EXPECT_TRUE(system.comes_true([&] {
        return text_of("logs/master.log").find("has not reported for 2 s") != std::string::npos;
    }));
    const auto health = system.run({"health"});
    EXPECT_EQ(health.status, 1);
    for (const std::string id : {"chat-server-1", "web"}) {
        EXPECT_EQ(system.line(id).state, "stalled");
        EXPECT_THAT(health.text, HasSubstr(id + " is stalled"));
        EXPECT_EQ(system.run({"health", id}).status, 1);
    }
    EXPECT_EQ(system.run({"health", "gate-server-1"}).status, 0);
    EXPECT_EQ(system.run({"list", "--all"}).status, 1);
    for (const auto* id : {"chat-server-1", "web"}) {
        kill(before.at(id), SIGCONT);
    }
    EXPECT_TRUE(system.comes_true([&] { return is_healthy(); }));
    EXPECT_EQ(pids(), before);
}

TEST_F(supervision, mends_a_crash_loop_as_soon_as_its_cause_is_gone) {
    system.take_plugins();
    start({});
    const fs::path module = system.path("plugins/chat.so");
    fs::rename(module, module.string() + ".good");
    std::ofstream(module) << "not a module";
    const auto refused = system.run({"restart", "chat"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.text, HasSubstr("not touched"));
    EXPECT_EQ(pids(), before) << "a restart that cannot succeed changes nothing";
    kill(before.at("chat-server-1"), SIGKILL);
    EXPECT_TRUE(system.comes_true([&] {
        return text_of("logs/master.log").find("chat-server-1 is in a crash loop") !=
               std::string::npos;
    }));
    const auto health = system.run({"health", "chat-server-1"});
    EXPECT_EQ(health.status, 1) << health.text;
    fs::rename(module.string() + ".good", module);
    EXPECT_TRUE(system.comes_true([&] { return is_replaced("chat-server-1"); }));
}

TEST_F(supervision, of_a_server_that_is_not_to_be_restarted_leaves_it_down) {
    change_record("chat-server-2", R"("auto-restart": "false",)");
    start({});
    kill(before.at("chat-server-2"), SIGKILL);
    EXPECT_TRUE(system.comes_true([&] { return system.line("chat-server-2").state == "failed"; }));
    EXPECT_EQ(system.run({"list"}).status, 1);
    EXPECT_EQ(system.run({"restart", "chat-server-2"}).status, 0);
    EXPECT_TRUE(is_healthy());
}

TEST_F(supervision, replaces_the_master_in_its_process_and_nobody_else) {
    start({});
    const auto old = system.line("master-server-1");
    const auto said = system.run({"restart", "master"});
    EXPECT_EQ(said.status, 0) << said.text;
    const auto now = system.line("master-server-1");
    EXPECT_EQ(now.process(), old.process());
    EXPECT_GT(now.incarnation, old.incarnation);
    EXPECT_TRUE(system.comes_true([&] { return is_healthy(); }));
    EXPECT_EQ(pids(), before);
    kill(before.at("chat-server-1"), SIGKILL);
    EXPECT_TRUE(system.comes_true([&] { return is_replaced("chat-server-1"); }));
    EXPECT_EQ(system.run({"stop"}).status, 0);
    EXPECT_THAT(system.running(), testing::IsEmpty());
    EXPECT_EQ(system.run({"restart", "master"}).status, 3) << "there is none";
}

TEST_F(supervision, keeps_its_master_when_the_next_one_could_not_serve) {
    system.take_plugins();
    start({});
    const auto life = system.line("master-server-1").incarnation;
    const auto refused = [&](const std::vector<std::string>& targets) {
        auto words = targets;
        words.insert(words.begin(), "restart");
        const auto said = system.run(words);
        EXPECT_EQ(said.status, 1) << said.text;
        return said.text;
    };
    EXPECT_THAT(refused({"master", "chat"}), HasSubstr("name it alone"));
    const fs::path module = system.path("plugins/chat.so");
    fs::rename(module, module.string() + ".good");
    std::ofstream(module) << "not a module";
    EXPECT_THAT(refused({"master"}), HasSubstr("chat.so"));
    fs::rename(module.string() + ".good", module);
    const auto options = text_of("config/host.yaml");
    system.add("config/host.yaml", "nonsense: 1\n");
    EXPECT_THAT(refused({"master"}), HasSubstr("nonsense"));
    EXPECT_EQ(system.line("master-server-1").incarnation, life);
    EXPECT_EQ(pids(), before);
    system.write("config/host.yaml", options);
    EXPECT_EQ(system.run({"restart", "master"}).status, 0) << "nothing of it stays";
}

TEST_F(supervision, tells_systemd_that_it_is_ready_alive_and_stopping) {
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    const auto path = system.path("notify");
    std::memcpy(at.sun_path, path.data(), path.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    setenv("WATCHDOG_USEC", "600000", 1);
    start({});
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    EXPECT_EQ(system.run({"stop"}).status, 0);
    std::vector<std::string> heard;
    char bytes[256];
    for (ssize_t size = 0; (size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0;) {
        heard.emplace_back(bytes, static_cast<std::size_t>(size));
    }
    close(fd);
    const auto ready = std::ranges::find(heard, "READY=1\nMAINPID=" +
                                                    std::to_string(before.at("master-server-1")));
    const auto stopping = std::ranges::find(heard, "STOPPING=1");
    ASSERT_NE(ready, heard.end()) << testing::PrintToString(heard);
    EXPECT_LT(ready, stopping);
    EXPECT_THAT(heard, testing::Contains("WATCHDOG=1"));
}

TEST_F(supervision, of_a_crash_right_after_a_reload_goes_back_and_leaves_a_report) {
    const fs::path modules = SHADDOCK_TEST_MODULES;
    system.take_plugins();
    const fs::path module = system.path("plugins/chat.so");
    fs::copy_file(modules / "module_probe.so", module, fs::copy_options::overwrite_existing);
    start("reload: {watch: false}\n");
    fs::copy_file(modules / "module_probe_next.so", module.string() + ".new");
    fs::rename(module.string() + ".new", module);
    const auto reloaded = system.run({"reload", "chat-server-1"});
    ASSERT_EQ(reloaded.status, 0) << reloaded.text;
    EXPECT_EQ(system.line("chat-server-1").version, "2.0.0");
    EXPECT_TRUE(system.comes_true([&] { return system.line("chat-server-1").generation == 2; }));
    // SIGABRT is the one fatal signal that no sanitizer takes for itself: it would end by a status.
    kill(before.at("chat-server-1"), SIGABRT);
    EXPECT_TRUE(system.comes_true([&] { return is_replaced("chat-server-1"); }));
    EXPECT_EQ(system.line("chat-server-1").version, "1.2.3");
    EXPECT_THAT(text_of("logs/master.log"), HasSubstr("it is started with those before"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they report by themselves
    const auto report = text_of("logs/chat-server-1.crash");
    EXPECT_THAT(report, HasSubstr("signal SIGABRT"));
    EXPECT_THAT(report, HasSubstr("2.0.0"));
    EXPECT_THAT(report, HasSubstr("generation 2"));
    EXPECT_THAT(text_of("logs/master.log"), HasSubstr("chat-server-1.crash says more"));
#endif
    const auto restarted = system.run({"restart", "chat-server-1"});
    EXPECT_EQ(restarted.status, 0) << restarted.text;
    EXPECT_EQ(system.line("chat-server-1").version, "2.0.0") << "a person has said so";
}

TEST_F(logs_of_processes, are_opened_anew_by_a_signal_that_stops_nothing) {
    start({});
    for (const auto* name : {"master", "web", "chat-server-1", "gate-server-1"}) {
        const auto file = system.path("logs/") + name + ".log";
        fs::rename(file, file + ".moved");
    }
    fs::rename(system.path("logs/chat-server-1.out"), system.path("logs/chat-server-1.out.moved"));
    kill(before.at("master-server-1"), SIGHUP);
    for (const auto* name : {"master", "web", "chat-server-1", "gate-server-1"}) {
        EXPECT_TRUE(system.comes_true([&] {
            return text_of("logs/" + std::string(name) + ".log").find("SIGHUP") !=
                   std::string::npos;
        })) << name;
    }
    EXPECT_TRUE(fs::exists(system.path("logs/chat-server-1.out")));
    EXPECT_EQ(pids(), before);
    EXPECT_TRUE(is_healthy());
}

TEST_F(logs_of_processes, count_the_lines_that_a_full_disk_loses_and_go_on_after_it) {
    start({});
    const auto pid = before.at("chat-server-1");
    rlimit limit{};
    ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, nullptr, &limit), 0);
    const auto full = rlimit{1, limit.rlim_max};
    ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, &full, nullptr), 0);
    for (int line = 0; line < 3; ++line) {
        kill(pid, SIGHUP); // which it logs
        EXPECT_EQ(system.line("chat-server-1").state, "ready");
    }
    ASSERT_EQ(prlimit(pid, RLIMIT_FSIZE, &limit, nullptr), 0);
    EXPECT_TRUE(system.comes_true([&] {
        kill(pid, SIGHUP);
        return text_of("logs/chat-server-1.log")
                   .find("lines of this log were lost: File too large") != std::string::npos;
    }));
    EXPECT_EQ(pids(), before);
}

TEST_F(run_folder, that_is_removed_comes_back_and_the_system_is_whole) {
    start(quick_silence);
    fs::remove_all(system.path("run"));
    EXPECT_TRUE(system.comes_true([&] { return is_healthy(); }));
    EXPECT_THAT(text_of("logs/master.log"), HasSubstr("somebody has removed the run folder"));
    EXPECT_TRUE(system.comes_true([&] { return system.running().size() == 6; }));
    EXPECT_THAT(text_of("logs/connector-server-1.log"), HasSubstr("where others link is gone"));
    kill(before.at("chat-server-1"), SIGKILL);
    EXPECT_TRUE(system.comes_true([&] { return is_replaced("chat-server-1"); }));
    // It is linked with all: a restart waits for that.
    const auto restarted = system.run({"restart", "chat-server-1"});
    EXPECT_EQ(restarted.status, 0) << restarted.text;
    EXPECT_EQ(system.run({"stop"}).status, 0);
}

} // namespace
} // namespace shaddock::test
