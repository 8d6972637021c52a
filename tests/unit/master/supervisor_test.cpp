#include "master/supervisor.hpp"

#include "fake_processes.hpp"
#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using test::fake_starter;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

base::exit_report status(int code) {
    return {code, std::nullopt};
}
base::exit_report killed(int number) {
    return {std::nullopt, number};
}

class supervising : public testing::Test, public supervisor_listener {
protected:
    explicit supervising(bool kills_stalled = false)
        : kills_stalled_(kills_stalled),
          one(
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
        made.modules_before = folder.path() / (id + ".before");
        made.stop_stage = stage;
        made.is_server = id != "web";
        made.is_killed_stalled = kills_stalled_;
        return made;
    }
    void serve(const std::string& id, std::uint64_t life = 7) {
        one.on_link_up(id, starter.pid_of(id), incarnation{life});
        control::server_status now;
        now.state = "ready";
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
    child_report row_of(std::string_view id) {
        const auto all = one.list();
        const auto row = std::ranges::find(all, id, &child_report::id);
        if (row == all.end()) {
            ADD_FAILURE() << id << " is not listed";
            return {};
        }
        return *row;
    }
    control::server_state state_of(std::string_view id) {
        using enum control::server_state;
        const auto row = row_of(id);
        for (const auto state : {starting, ready, draining, stopped, failed, stalled}) {
            if (row.is(state)) {
                return state;
            }
        }
        ADD_FAILURE() << id << " is " << row.state;
        return stopped;
    }
    void report(const std::vector<std::string>& ids) {
        control::server_status now;
        now.state = "ready";
        for (const auto& id : ids) {
            one.on_status(id, now);
        }
    }

    void on_news(std::string_view text, bool) override { news.emplace_back(text); }
    void on_ready(std::size_t servers) override { ready = static_cast<int>(servers); }
    void on_start_failed(std::string_view why) override { failure = why; }
    void on_dead(std::string_view id, incarnation life) override {
        dead.push_back(std::string(id) + "@" + std::to_string(number(life)));
    }

    bool kills_stalled_;
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
struct supervisor_silence : supervising {
    supervisor_silence() : supervising(true) {}
};
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
    control::server_status almost;
    almost.state = "ready";
    almost.links = 1;
    almost.expected = 2;
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
    const auto row = [&] {
        const auto all = one.list();
        return *std::ranges::find(all, "chat-1", &child_report::id);
    };
    EXPECT_FALSE(row().swapped_at);
    clock.advance(3s);
    const auto then = clock.now();
    one.on_swapped("chat-1", {"2", "bb", 5});
    one.on_swapped("nobody", {"2", "bb", 5});
    clock.advance(3s);
    EXPECT_EQ(row().swapped_at, then);
    EXPECT_EQ(row().version, "2");
    EXPECT_EQ(row().build_id, "bb");
    EXPECT_EQ(row().generation, 5U);
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(0ms);
    EXPECT_FALSE(row().swapped_at) << "a new process has swapped nothing";
}

TEST_F(supervisor_restart, restarts_at_once_and_tells_of_the_death) {
    start_all();
    starter.end("chat-1", killed(SIGKILL));
    EXPECT_THAT(dead, ElementsAre("chat-1@7"));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start"));
    EXPECT_THAT(news.back(), HasSubstr("signal 9"));
    EXPECT_EQ(state_of("chat-1"), control::server_state::starting);
    serve("chat-1", 8);
    EXPECT_EQ(state_of("chat-1"), control::server_state::ready);
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

TEST_F(supervisor_restart, is_not_put_off_by_the_link_of_a_process_that_has_ended) {
    start_all();
    const auto last = starter.pid_of("chat-1");
    starter.end("chat-1", status(1));
    one.on_link_up("chat-1", last, incarnation{7});
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start"));
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

TEST_F(supervisor_restart, names_a_crash_loop_slows_it_and_never_gives_up) {
    start_all();
    for (int death = 0; death < 5; ++death) {
        ASSERT_TRUE(starter.living.contains("chat-1"));
        starter.end("chat-1", killed(SIGSEGV));
        clock.advance(death < 4 ? 1s : 0s);
    }
    EXPECT_EQ(state_of("chat-1"), control::server_state::failed);
    EXPECT_THAT(news.back(), HasSubstr("chat-1 is in a crash loop (5 deaths"));
    EXPECT_TRUE(row_of("chat-1").missing);
    for (int death = 5; death < 15; ++death) {
        clock.advance(30s);
        ASSERT_TRUE(starter.living.contains("chat-1")) << "tried at least every 30 s";
        starter.end("chat-1", killed(SIGSEGV));
    }
    EXPECT_THAT(news.back(), HasSubstr("tried again in 30000 ms"));
    clock.advance(30s);
    serve("chat-1", 20);
    EXPECT_EQ(state_of("chat-1"), control::server_state::ready) << "mended without a hand";
    EXPECT_FALSE(row_of("chat-1").missing);
    clock.advance(5s);
    starter.end("chat-1", killed(SIGSEGV));
    EXPECT_THAT(news.back(), HasSubstr("restart 1 in 0 ms"));
}

TEST_F(supervisor_restart, leaves_down_what_the_list_says_is_not_restarted) {
    start_all();
    auto never = plan("once-1", 2);
    never.is_restarted = false;
    one.add(std::move(never));
    one.begin("once-1", after_failure::stay_down, [](const auto&) {});
    serve("once-1");
    clock.advance(6s); // its links are not waited for any longer
    starter.end("once-1", killed(SIGSEGV));
    EXPECT_THAT(news.back(), HasSubstr("auto-restart"));
    clock.advance(60s);
    EXPECT_FALSE(starter.living.contains("once-1"));
    EXPECT_EQ(state_of("once-1"), control::server_state::failed);
    EXPECT_TRUE(row_of("once-1").missing);
}

TEST_F(supervisor_silence,
       shows_a_stalled_process_after_a_second_and_replaces_it_after_the_silence) {
    start_all();
    for (int i = 0; i < 40; ++i) {
        report({"gate-1", "connector-1", "chat-1", "web"});
        EXPECT_EQ(state_of("chat-1"), control::server_state::ready);
        clock.advance(250ms);
    }
    news.clear();
    std::chrono::milliseconds quiet = 250ms;
    for (; quiet <= 5s; quiet += 250ms) {
        EXPECT_EQ(state_of("chat-1"),
                  quiet > 1s ? control::server_state::stalled : control::server_state::ready);
        EXPECT_EQ(row_of("chat-1").missing, quiet > 1s);
        report({"gate-1", "connector-1", "web"});
        clock.advance(250ms);
    }
    EXPECT_THAT(starter.log, ElementsAre("chat-1 kill"));
    EXPECT_THAT(news, ElementsAre(HasSubstr("chat-1 (process 103) has not reported for 5 s")));
    clock.advance(250ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 kill")) << "once";
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 kill", "chat-1 start"));
    EXPECT_EQ(state_of("chat-1"), control::server_state::starting);
}

TEST_F(supervisor_silence, does_not_wait_for_the_end_of_what_stood_still_before_its_stop) {
    start_all();
    for (int i = 0; i < 12; ++i) {
        report({"gate-1", "connector-1", "web"});
        clock.advance(250ms);
    }
    EXPECT_EQ(state_of("chat-1"), control::server_state::stalled);
    EXPECT_TRUE(one.stop({"chat-1"}, [] {}));
    EXPECT_TRUE(one.stop({"connector-1"}, [] {}));
    for (int i = 0; i < 16; ++i) { // the connector drains, and has nothing to report
        report({"gate-1", "web"});
        clock.advance(250ms);
    }
    EXPECT_THAT(starter.log, ElementsAre("chat-1 term", "connector-1 term", "chat-1 kill"));
}

TEST_F(supervisor_silence, only_names_it_where_debuggers_are_no_death) {
    start_all();
    auto kept = plan("kept-1", 2);
    kept.is_killed_stalled = false;
    one.add(std::move(kept));
    one.begin("kept-1", after_failure::stay_down, [](const auto&) {});
    serve("kept-1");
    starter.log.clear();
    news.clear();
    for (int i = 0; i < 40; ++i) {
        report({"gate-1", "connector-1", "chat-1", "web"});
        clock.advance(250ms);
    }
    EXPECT_THAT(starter.log, IsEmpty());
    EXPECT_THAT(news, ElementsAre(HasSubstr("`host restart kept-1` replaces it")));
    EXPECT_EQ(state_of("kept-1"), control::server_state::stalled);
    report({"kept-1"});
    EXPECT_EQ(state_of("kept-1"), control::server_state::ready);
    EXPECT_THAT(news.back(), HasSubstr("kept-1 reports again"));
}

TEST_F(supervisor_silence, is_not_judged_by_a_master_that_stood_still_itself) {
    start_all();
    report({"gate-1", "connector-1", "chat-1", "web"});
    clock.stand_still(20s);
    EXPECT_EQ(state_of("chat-1"), control::server_state::ready);
    EXPECT_THAT(starter.log, IsEmpty());
    clock.advance(900ms);
    EXPECT_EQ(state_of("chat-1"), control::server_state::ready);
    clock.advance(5s);
    EXPECT_THAT(starter.log, testing::UnorderedElementsAre("gate-1 kill", "connector-1 kill",
                                                           "chat-1 kill", "web kill"))
        << "the silence begins anew";
}

TEST_F(supervisor_silence, ends_a_restarted_process_that_never_speaks) {
    start_all();
    starter.end("chat-1", killed(SIGSEGV));
    starter.log.clear();
    for (int i = 0; i < 4 * 62; ++i) {
        report({"gate-1", "connector-1", "web"});
        clock.advance(250ms);
    }
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start", "chat-1 kill"));
}

TEST_F(supervisor_stop, goes_stage_by_stage) {
    start_all();
    bool is_done = false;
    one.stop_all([&] { is_done = true; });
    EXPECT_THAT(starter.log, ElementsAre("gate-1 term"));
    EXPECT_EQ(state_of("gate-1"), control::server_state::draining);
    starter.end("gate-1", status(0));
    EXPECT_EQ(state_of("gate-1"), control::server_state::stopped);
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
    EXPECT_THAT(news, testing::Contains(HasSubstr("did not stop within 10 s: killed")));
}

TEST_F(supervisor_stop, keeps_a_stopped_server_stopped) {
    start_all();
    bool is_done = false;
    ASSERT_TRUE(one.stop({"chat-1"}, [&] { is_done = true; }));
    starter.end("chat-1", status(0));
    clock.advance(60s);
    EXPECT_TRUE(is_done);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 term"));
    EXPECT_EQ(state_of("chat-1"), control::server_state::stopped);
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
    EXPECT_EQ(state_of("chat-1"), control::server_state::stopped);
}

TEST_F(supervisor_stop, stops_nothing_when_an_id_is_unknown) {
    start_all();
    const auto answer = one.stop({"gate-1", "caht-1"}, [] { FAIL() << "completed"; });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), errc::not_found);
    EXPECT_THAT(answer.error().text(), HasSubstr("no process 'caht-1'"));
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
    EXPECT_EQ(state_of("gate-1"), control::server_state::failed);
    EXPECT_EQ(ready, -1) << "it is tried on";
    report({"chat-1"});
    clock.advance(60s);
    EXPECT_EQ(failure, "");
    EXPECT_EQ(ready, 1) << "what it has";
    EXPECT_THAT(starter.log, testing::Not(testing::Contains("chat-1 term")));
    report({"chat-1"});
    EXPECT_EQ(state_of("chat-1"), control::server_state::ready);
}

// ---- children that come and go while all is up

TEST_F(supervisor_begin, starts_a_child_that_is_added_and_waits_for_its_links) {
    start_all();
    one.add(plan("chat-2", 2));
    EXPECT_EQ(state_of("chat-2"), control::server_state::stopped);
    std::string outcome = "waiting";
    one.begin("chat-2", after_failure::stay_down,
              [&](const result<void>& got) { outcome = got ? "ready" : "failed"; });
    EXPECT_EQ(starter.log, std::vector<std::string>{"chat-2 start"});
    control::server_status now;
    now.state = "ready";
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
    one.begin("chat-2", after_failure::stay_down,
              [&](const result<void>& got) { outcome = got ? "ready" : "failed"; });
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
    one.begin("chat-2", after_failure::stay_down, note);
    folder.write("chat-2.out", "no such module\n");
    starter.end("chat-2", status(1));
    clock.advance(10s);
    EXPECT_EQ(outcome, "it ended before it was ready: exit status 1; its last words:\n"
                       "no such module");
    EXPECT_EQ(state_of("chat-2"), control::server_state::failed);
    EXPECT_EQ(starter.log, std::vector<std::string>{"chat-2 start"}) << "not restarted";
    one.remove("chat-2");
    EXPECT_EQ(one.list().size(), 4U);
}

TEST_F(supervisor_begin, kills_a_child_that_is_not_ready_in_time) {
    start_all();
    one.add(plan("chat-2", 2));
    std::string outcome;
    one.begin("chat-2", after_failure::stay_down,
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
    one.begin("chat-2", after_failure::stay_down, [](const result<void>&) {});
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
    one.begin("chat-1", after_failure::stay_down, note);
    one.begin("chat-7", after_failure::stay_down, note);
    one.stop_all([] {});
    one.begin("chat-1", after_failure::stay_down, note);
    clock.advance(0ms);
    EXPECT_THAT(outcomes, ElementsAre("duplicate", "not_found", "refused"));
}

TEST_F(supervisor_restart, goes_back_to_the_modules_before_also_under_the_next_master) {
    std::filesystem::create_directory(folder.path() / "chat-1.before");
    start_all();
    starter.end("chat-1", killed(SIGSEGV));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start before"));
    // The next master finds it running.
    locks["chat-1"] = 55;
    starter.strangers = {{55, "chat-1"}};
    supervisor next(
        {plan("chat-1", 2)}, {}, clock, starter,
        [this](std::string_view id) -> std::optional<pid_t> {
            const auto held = locks.find(std::string(id));
            return held == locks.end() ? std::nullopt : std::optional(held->second);
        },
        *this);
    next.start();
    locks.clear();
    starter.log.clear();
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(0ms);
    EXPECT_THAT(starter.log, ElementsAre("chat-1 start before"));
}

TEST_F(supervisor_stop, names_the_process_that_holds_a_lock_and_never_linked) {
    locks["chat-1"] = 0;
    one.start();
    locks["chat-1"] = 77; // it could not be watched
    ASSERT_TRUE(one.stop({"chat-1"}, [] {}));
    EXPECT_EQ(state_of("chat-1"), control::server_state::failed);
    EXPECT_THAT(news.back(), HasSubstr("`kill 77`, then `host stop chat-1` again"));
}

TEST_F(supervisor_stop, by_kill_leaves_them_down) {
    start_all();
    bool is_done = false;
    ASSERT_TRUE(one.kill({"chat-1"}, [&] { is_done = true; }));
    EXPECT_EQ(starter.log.front(), "chat-1 kill");
    starter.end("chat-1", killed(SIGKILL));
    clock.advance(10s);
    EXPECT_TRUE(is_done);
    EXPECT_EQ(state_of("chat-1"), control::server_state::stopped);
    EXPECT_FALSE(one.kill({"chat-7"}, [] {}));
}

} // namespace
} // namespace shaddock::master
