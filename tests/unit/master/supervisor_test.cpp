#include "master/supervisor.hpp"

#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A process that ends when the test says so, and at SIGKILL.
struct fake_process final : process {
    fake_process(pid_t pid, std::vector<std::string>& log, std::string id, exit_call call)
        : pid_(pid), log_(log), id_(std::move(id)), on_exit(std::move(call)) {}
    pid_t pid() const override { return pid_; }
    bool signal(int number) override {
        log_.push_back(id_ + (number == SIGTERM ? " term" : number == SIGKILL ? " kill" : " ?"));
        return true;
    }
    pid_t pid_;
    std::vector<std::string>& log_;
    std::string id_;
    exit_call on_exit;
};

/// Starts nothing; remembers who was started and hands out the exits.
struct fake_starter final : process_starter {
    result<std::unique_ptr<process>> start(const launch& what, exit_call on_exit) override {
        const auto& id = what.command.front();
        if (unstartable == id) {
            return error(errc::config, "no such program");
        }
        log.push_back(id + " start");
        auto one = std::make_unique<fake_process>(++last_pid, log, id, std::move(on_exit));
        living[id] = one.get();
        return std::unique_ptr<process>(std::move(one));
    }
    void start_aside(const launch&, start_call, exit_call) override {
        FAIL() << "the supervisor waits for its children to be there";
    }
    result<std::unique_ptr<process>> adopt(pid_t pid, exit_call on_exit) override {
        const auto id = strangers.at(pid);
        log.push_back(id + " adopt");
        auto one = std::make_unique<fake_process>(pid, log, id, std::move(on_exit));
        living[id] = one.get();
        return std::unique_ptr<process>(std::move(one));
    }
    void end(const std::string& id, exit_report how) {
        auto* one = living.at(id);
        living.erase(id);
        auto call = std::move(one->on_exit);
        call(how);
    }
    pid_t pid_of(const std::string& id) const { return living.at(id)->pid_; }

    std::vector<std::string> log;
    std::map<std::string, fake_process*> living;
    std::map<pid_t, std::string> strangers;
    std::string unstartable;
    pid_t last_pid = 100;
};

exit_report status(int code) {
    return {code, std::nullopt};
}
exit_report killed(int number) {
    return {std::nullopt, number};
}

class supervising : public testing::Test, public supervisor_listener {
protected:
    supervising()
        : one(
              {plan("gate-1", 0), plan("connector-1", 1), plan("chat-1", 2), plan("web", 3)}, {},
              clock, starter,
              [this](std::string_view id) -> std::optional<pid_t> {
                  const auto held = locks.find(std::string(id));
                  return held == locks.end() ? std::nullopt : std::optional(held->second);
              },
              *this) {}

    child_plan plan(const std::string& id, int stage) {
        child_plan made;
        made.id = id;
        made.type = id.substr(0, id.find('-'));
        made.run.command = {id};
        made.run.output = folder.path() / (id + ".out");
        made.stop_stage = stage;
        made.is_server = id != "web";
        return made;
    }
    void serve(const std::string& id, std::uint64_t life = 7) {
        one.on_link_up(id, starter.pid_of(id), incarnation{life});
        child_status now;
        now.is_ready = true;
        one.on_status(id, now);
    }
    void start_all() {
        one.start();
        for (const auto* id : {"gate-1", "connector-1", "chat-1", "web"}) {
            serve(id);
        }
        ASSERT_EQ(ready, 3);
        starter.log.clear();
    }
    child_state state_of(std::string_view id) {
        for (const auto& line : one.list()) {
            if (line.id == id) {
                return line.state;
            }
        }
        ADD_FAILURE() << id << " is not listed";
        return child_state::failed;
    }

    void on_news(std::string_view text, bool) override { news.emplace_back(text); }
    void on_ready(std::size_t servers) override { ready = static_cast<int>(servers); }
    void on_start_failed(std::string_view why) override { failure = why; }
    void on_dead(std::string_view id, incarnation life) override {
        dead.push_back(std::string(id) + "@" + std::to_string(number(life)));
    }

    test::temp_folder folder;
    base::manual_clock clock;
    fake_starter starter;
    std::map<std::string, pid_t> locks;
    std::vector<std::string> news;
    std::vector<std::string> dead;
    int ready = -1;
    std::string failure;
    supervisor one;
};

using supervisor_start = supervising;
using supervisor_restart = supervising;
using supervisor_stop = supervising;
using supervisor_adoption = supervising;
using supervisor_begin = supervising;

TEST_F(supervisor_start, is_ready_when_all_serve_all_links_are_up_and_the_page_listens) {
    one.start();
    EXPECT_THAT(starter.log,
                ElementsAre("gate-1 start", "connector-1 start", "chat-1 start", "web start"));
    serve("gate-1");
    serve("connector-1");
    serve("web");
    child_status almost;
    almost.is_ready = true;
    almost.links = 1;
    almost.links_expected = 2;
    one.on_link_up("chat-1", starter.pid_of("chat-1"), incarnation{7});
    one.on_status("chat-1", almost);
    EXPECT_EQ(ready, -1);
    almost.links = 2;
    one.on_status("chat-1", almost);
    EXPECT_EQ(ready, 3);
}

TEST_F(supervisor_start, says_what_a_child_said_last_and_stops_the_others_when_it_dies_first) {
    one.start();
    folder.write("connector-1.out", "port 3050: address in use\n");
    starter.end("connector-1", status(1));
    EXPECT_THAT(starter.log, testing::IsSupersetOf({"gate-1 term"}));
    EXPECT_EQ(failure, "");
    starter.end("gate-1", status(0));
    starter.end("chat-1", status(0));
    starter.end("web", status(0));
    clock.advance(0ms);
    EXPECT_THAT(failure, HasSubstr("connector-1 ended before it was ready: exit status 1"));
    EXPECT_THAT(failure, HasSubstr("port 3050: address in use"));
    EXPECT_EQ(ready, -1);
}

TEST_F(supervisor_start, does_not_show_words_of_an_earlier_run) {
    folder.write("connector-1.out", "old words\n");
    one.start();
    starter.end("connector-1", status(1));
    for (const auto* id : {"gate-1", "chat-1", "web"}) {
        starter.end(id, status(0));
    }
    clock.advance(0ms);
    EXPECT_THAT(failure, testing::Not(HasSubstr("old words")));
}

TEST_F(supervisor_start, fails_when_a_program_cannot_be_run) {
    starter.unstartable = "connector-1";
    one.start();
    starter.end("gate-1", status(0));
    clock.advance(0ms);
    EXPECT_THAT(failure, HasSubstr("connector-1 cannot be started: no such program"));
    EXPECT_THAT(starter.log, ElementsAre("gate-1 start", "gate-1 term"));
}

TEST_F(supervisor_start, fails_with_the_names_of_the_late_after_its_deadline) {
    one.start();
    serve("gate-1");
    serve("connector-1");
    serve("web");
    clock.advance(61s);
    for (const auto* id : {"gate-1", "connector-1", "chat-1", "web"}) {
        starter.end(id, status(0));
    }
    clock.advance(0ms);
    EXPECT_THAT(failure, HasSubstr("not ready after 60 s: chat-1 (starting, links 0 of 0)"));
}

TEST_F(supervising, knows_when_a_child_replaced_its_modules) {
    start_all();
    const auto line = [&] {
        const auto all = one.list();
        return *std::ranges::find(all, "chat-1", &child_report::id);
    };
    EXPECT_FALSE(line().swapped_at);
    clock.advance(3s);
    const auto then = clock.now();
    one.on_swapped("chat-1", {"2", "bb", 5});
    one.on_swapped("nobody", {"2", "bb", 5});
    clock.advance(3s);
    EXPECT_EQ(line().swapped_at, then);
    EXPECT_EQ(line().status.version, "2");
    EXPECT_EQ(line().status.build_id, "bb");
    EXPECT_EQ(line().status.generation, 5U);
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(0ms);
    EXPECT_FALSE(line().swapped_at) << "a new process has swapped nothing";
}

TEST_F(supervisor_restart, restarts_at_once_and_tells_of_the_death) {
    start_all();
    starter.end("chat-1", killed(SIGKILL));
    EXPECT_THAT(dead, ElementsAre("chat-1@7"));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start"));
    EXPECT_THAT(news.back(), HasSubstr("signal 9"));
    EXPECT_EQ(state_of("chat-1"), child_state::starting);
    serve("chat-1", 8);
    EXPECT_EQ(state_of("chat-1"), child_state::ready);
}

TEST_F(supervisor_restart, waits_longer_each_time) {
    start_all();
    starter.end("chat-1", killed(SIGSEGV));
    clock.advance(0ms);
    starter.end("chat-1", killed(SIGSEGV));
    clock.advance(99ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start"));
    clock.advance(1ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start", "chat-1 start"));
    starter.end("chat-1", killed(SIGSEGV));
    clock.advance(199ms);
    EXPECT_EQ(starter.log.size(), 2U);
    clock.advance(1ms);
    EXPECT_EQ(starter.log.size(), 3U);
}

TEST_F(supervisor_restart, forgets_deaths_after_five_seconds_of_health) {
    start_all();
    for (int round = 0; round < 8; ++round) {
        starter.end("chat-1", killed(SIGSEGV));
        clock.advance(0ms);
        ASSERT_TRUE(starter.living.contains("chat-1")) << "round " << round;
        serve("chat-1");
        clock.advance(5s);
    }
}

TEST_F(supervisor_restart, gives_up_on_a_crash_loop_and_names_it) {
    start_all();
    for (int death = 0; death < 5; ++death) {
        ASSERT_TRUE(starter.living.contains("chat-1"));
        starter.end("chat-1", killed(SIGSEGV));
        clock.advance(1s);
    }
    EXPECT_EQ(state_of("chat-1"), child_state::failed);
    EXPECT_THAT(news,
                testing::Contains(HasSubstr("chat-1 is in a crash loop (5 deaths within 10 s)")));
    clock.advance(60s);
    EXPECT_FALSE(starter.living.contains("chat-1"));
    EXPECT_EQ(state_of("gate-1"), child_state::ready);
}

TEST_F(supervisor_restart, names_a_server_that_has_not_reported_for_long) {
    start_all();
    news.clear();
    child_status well;
    well.is_ready = true;
    clock.advance(4900ms);
    one.on_status("chat-1", well);
    one.on_status("gate-1", well);
    one.on_status("connector-1", well);
    one.on_status("web", well);
    clock.advance(200ms);
    EXPECT_THAT(news, IsEmpty());
    clock.advance(4700ms);
    one.on_status("gate-1", well);
    one.on_status("connector-1", well);
    one.on_status("web", well);
    clock.advance(200ms);
    EXPECT_THAT(news, ElementsAre(HasSubstr("chat-1 (process 103) has not reported for 5 s")));
    EXPECT_EQ(state_of("chat-1"), child_state::ready);
    one.on_status("chat-1", well);
    EXPECT_THAT(news.back(), HasSubstr("chat-1 reports again"));
    news.clear();
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(0ms);
    EXPECT_EQ(news.size(), 1U) << "the dead are not silent";
}

TEST_F(supervisor_stop, goes_stage_by_stage) {
    start_all();
    bool is_done = false;
    one.stop_all([&] { is_done = true; });
    EXPECT_THAT(starter.log, ElementsAre("gate-1 term"));
    EXPECT_EQ(state_of("gate-1"), child_state::draining);
    starter.end("gate-1", status(0));
    EXPECT_EQ(state_of("gate-1"), child_state::stopped);
    starter.end("connector-1", status(0));
    starter.end("chat-1", status(0));
    EXPECT_THAT(starter.log,
                ElementsAre("gate-1 term", "connector-1 term", "chat-1 term", "web term"));
    clock.advance(0ms);
    EXPECT_FALSE(is_done);
    starter.end("web", status(0));
    EXPECT_FALSE(is_done) << "must not complete inline";
    clock.advance(0ms);
    EXPECT_TRUE(is_done);
}

TEST_F(supervisor_stop, kills_who_does_not_stop_and_says_so) {
    start_all();
    one.stop_all([] {});
    clock.advance(9999ms);
    EXPECT_THAT(starter.log, ElementsAre("gate-1 term"));
    clock.advance(1ms);
    EXPECT_THAT(starter.log, ElementsAre("gate-1 term", "gate-1 kill"));
    EXPECT_THAT(news.back(), HasSubstr("did not stop within 10 s: killed"));
}

TEST_F(supervisor_stop, keeps_a_stopped_server_stopped) {
    start_all();
    bool is_done = false;
    ASSERT_TRUE(one.stop({"chat-1"}, [&] { is_done = true; }));
    starter.end("chat-1", status(0));
    clock.advance(60s);
    EXPECT_TRUE(is_done);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 term"));
    EXPECT_EQ(state_of("chat-1"), child_state::stopped);
}

TEST_F(supervisor_stop, takes_back_a_restart_that_is_due) {
    start_all();
    starter.end("chat-1", killed(SIGSEGV));
    clock.advance(0ms);
    starter.end("chat-1", killed(SIGSEGV));
    bool is_done = false;
    ASSERT_TRUE(one.stop({"chat-1"}, [&] { is_done = true; }));
    clock.advance(60s);
    EXPECT_TRUE(is_done);
    EXPECT_FALSE(starter.living.contains("chat-1"));
    EXPECT_EQ(state_of("chat-1"), child_state::stopped);
}

TEST_F(supervisor_stop, stops_nothing_when_an_id_is_unknown_and_names_the_nearest) {
    start_all();
    const auto answer = one.stop({"gate-1", "caht-1"}, [] { FAIL() << "completed"; });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), errc::not_found);
    EXPECT_THAT(answer.error().text(), HasSubstr("no server 'caht-1'; nearest: chat-1"));
    clock.advance(1s);
    EXPECT_THAT(starter.log, IsEmpty());
}

TEST_F(supervisor_adoption, watches_a_server_that_runs_already_instead_of_starting_it) {
    locks["chat-1"] = 55;
    starter.strangers[55] = "chat-1";
    one.start();
    EXPECT_THAT(starter.log,
                ElementsAre("gate-1 start", "connector-1 start", "chat-1 adopt", "web start"));
    for (const auto* id : {"gate-1", "connector-1", "chat-1", "web"}) {
        serve(id);
    }
    EXPECT_EQ(ready, 3);
    locks.clear();
    starter.log.clear();
    starter.end("chat-1", {});
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start"));
}

TEST_F(supervisor_adoption, replaces_an_adopted_server_that_dies_before_it_links) {
    locks["chat-1"] = 55;
    starter.strangers[55] = "chat-1";
    one.start();
    locks.clear();
    starter.end("chat-1", {});
    clock.advance(0ms);
    EXPECT_EQ(failure, "");
    EXPECT_THAT(starter.log.back(), "chat-1 start");
}

TEST_F(supervisor_adoption, takes_the_process_from_the_link_when_the_lock_names_none) {
    locks["chat-1"] = 0;
    starter.strangers[56] = "chat-1";
    one.start();
    EXPECT_FALSE(starter.living.contains("chat-1"));
    one.on_link_up("chat-1", 56, incarnation{9});
    EXPECT_EQ(starter.pid_of("chat-1"), 56);
}

TEST_F(supervisor_adoption, never_stops_servers_that_ran_before_because_another_hangs) {
    locks["gate-1"] = 54;
    locks["chat-1"] = 55;
    starter.strangers = {{54, "gate-1"}, {55, "chat-1"}};
    one.start();
    serve("gate-1");
    serve("connector-1");
    serve("web");
    starter.log.clear();
    clock.advance(supervisor_options().start_timeout);
    clock.advance(0ms);
    EXPECT_THAT(starter.log, IsEmpty());
    EXPECT_EQ(failure, "");
    EXPECT_EQ(ready, 2);
    EXPECT_THAT(news.back(), HasSubstr("not ready after 60 s: chat-1 (starting"));
    EXPECT_THAT(news.back(), testing::Not(HasSubstr("gate-1")));
}

TEST_F(supervisor_adoption, never_stops_servers_that_ran_before_because_another_cannot_start) {
    locks["chat-1"] = 55;
    starter.strangers[55] = "chat-1";
    starter.unstartable = "web"; // begun last
    one.start();
    serve("chat-1");
    starter.log.clear();
    starter.end("gate-1", status(1));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("gate-1 start"));
    for (int death = 0; death < 4; ++death) {
        starter.end("gate-1", status(1));
        clock.advance(400ms);
    }
    EXPECT_EQ(state_of("gate-1"), child_state::failed);
    EXPECT_EQ(failure, "");
    EXPECT_EQ(ready, 1) << "what it has";
    EXPECT_THAT(starter.log, testing::Not(testing::Contains("chat-1 term")));
    EXPECT_EQ(state_of("chat-1"), child_state::ready);
}

// ---- children that come and go while all is up

TEST_F(supervisor_begin, starts_a_child_that_is_added_and_waits_for_its_links) {
    start_all();
    one.add(plan("chat-2", 2));
    EXPECT_EQ(state_of("chat-2"), child_state::stopped);
    std::string outcome = "waiting";
    one.begin("chat-2", [&](const result<void>& got) { outcome = got ? "ready" : "failed"; });
    EXPECT_EQ(starter.log, std::vector<std::string>{"chat-2 start"});
    child_status now;
    now.is_ready = true;
    now.links = 2;
    one.on_link_up("chat-2", starter.pid_of("chat-2"), incarnation{7});
    one.on_status("chat-2", now);
    clock.advance(0ms);
    EXPECT_EQ(outcome, "waiting") << "three others serve";
    now.links = 3;
    one.on_status("chat-2", now);
    EXPECT_EQ(outcome, "waiting") << "never inline";
    clock.advance(0ms);
    EXPECT_EQ(outcome, "ready");
}

TEST_F(supervisor_begin, does_not_wait_for_the_links_of_others_that_hang) {
    start_all();
    one.add(plan("chat-2", 2));
    std::string outcome = "waiting";
    one.begin("chat-2", [&](const result<void>& got) { outcome = got ? "ready" : "failed"; });
    serve("chat-2");
    clock.advance(4999ms);
    EXPECT_EQ(outcome, "waiting");
    clock.advance(1ms);
    clock.advance(0ms);
    EXPECT_EQ(outcome, "ready");
}

TEST_F(supervisor_begin, says_why_a_child_has_ended_and_leaves_it_down) {
    start_all();
    one.add(plan("chat-2", 2));
    std::string outcome;
    const auto note = [&](const result<void>& got) {
        outcome = got ? "ready" : got.error().text();
    };
    one.begin("chat-2", note);
    folder.write("chat-2.out", "no such module\n");
    starter.end("chat-2", status(1));
    clock.advance(10s);
    EXPECT_EQ(outcome, "it ended before it was ready: exit status 1; its last words:\n"
                       "no such module");
    EXPECT_EQ(state_of("chat-2"), child_state::failed);
    EXPECT_EQ(starter.log, std::vector<std::string>{"chat-2 start"}) << "not restarted";
    one.remove("chat-2");
    EXPECT_EQ(one.list().size(), 4U);
}

TEST_F(supervisor_begin, kills_a_child_that_is_not_ready_in_time) {
    start_all();
    one.add(plan("chat-2", 2));
    std::string outcome;
    one.begin("chat-2",
              [&](const result<void>& got) { outcome = got ? "ready" : got.error().text(); });
    clock.advance(60s);
    EXPECT_THAT(starter.log, ElementsAre("chat-2 start", "chat-2 kill"));
    starter.end("chat-2", killed(SIGKILL));
    clock.advance(0ms);
    EXPECT_THAT(outcome, HasSubstr("not ready after 60 s"));
}

TEST_F(supervisor_begin, restarts_what_dies_after_it_was_ready) {
    start_all();
    one.add(plan("chat-2", 2));
    one.begin("chat-2", [](const result<void>&) {});
    serve("chat-2");
    clock.advance(5s);
    starter.log.clear();
    starter.end("chat-2", killed(SIGSEGV));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-2 start"));
}

TEST_F(supervisor_begin, refuses_what_runs_and_what_comes_too_late) {
    start_all();
    std::vector<std::string> outcomes;
    const auto note = [&](const result<void>& got) {
        outcomes.emplace_back(got ? "ready" : to_string(got.error().code()));
    };
    one.begin("chat-1", note);
    one.begin("chat-7", note);
    one.stop_all([] {});
    one.begin("chat-1", note);
    clock.advance(0ms);
    EXPECT_THAT(outcomes, ElementsAre("duplicate", "not_found", "refused"));
}

TEST_F(supervisor_stop, by_kill_leaves_them_down) {
    start_all();
    bool is_done = false;
    ASSERT_TRUE(one.kill({"chat-1"}, [&] { is_done = true; }));
    EXPECT_EQ(starter.log.front(), "chat-1 kill");
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(10s);
    EXPECT_TRUE(is_done);
    EXPECT_EQ(state_of("chat-1"), child_state::stopped);
    EXPECT_FALSE(one.kill({"chat-7"}, [] {}));
}

} // namespace
} // namespace shaddock::master
