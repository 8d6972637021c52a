#include "generations_fixture.hpp"

/// From the call of reload to the swap: refusals, drain, serial methods, stop.
namespace shaddock::server {
namespace {

using testing::texts;
using versions::seen;
using versions::start_step;
using namespace std::chrono_literals;

struct reloading_test : testing::server_generations {};

// ---- refusals

TEST_F(reloading_test, a_create_that_throws_changes_nothing_and_what_it_began_ends) {
    seen().create_throws = true;
    EXPECT_EQ(reload(), "plugin probe.so: could not be created: no wood");
    EXPECT_GT(alive(2), 0) << "a coroutine of it still sleeps";
    expect_old_serves();
    pass(12s); // the sleeper has no reason to end before the timeout
    EXPECT_TRUE(logged("sleep: cancelled"));
    expect_candidate_gone();
}

TEST_F(reloading_test, a_route_registered_twice_is_refused) {
    seen().is_route_twice = true;
    const auto why = reload();
    EXPECT_TRUE(why.find("route 'probe.probeHandler.who' is registered twice") != why.npos) << why;
    expect_old_serves();
    expect_candidate_gone();
}

TEST_F(reloading_test, a_component_that_does_not_start_is_a_refusal) {
    seen().start = start_step::fails;
    EXPECT_EQ(reload(), "component 'part' did not start: no water");
    expect_old_serves();
    expect_candidate_gone();
    EXPECT_FALSE(logged("stops 2"));
    seen().start = start_step::throws;
    EXPECT_EQ(reload(), "component 'part' did not start: no power");
    expect_old_serves();
    expect_candidate_gone();
}

TEST_F(reloading_test, a_component_that_hangs_is_given_two_seconds) {
    seen().start = start_step::hangs;
    begin_reload();
    pass(1900ms);
    EXPECT_EQ(word(), "nothing");
    pass(200ms);
    EXPECT_EQ(word(), "component 'part' did not start within 2000 ms");
    expect_old_serves();
    seen().parked.clear(); // it can never go on
    expect_candidate_gone();
}

TEST_F(reloading_test, a_component_that_comes_up_too_late_is_stopped) {
    seen().start = start_step::hangs;
    begin_reload();
    pass(2100ms);
    release();
    pass(100ms);
    EXPECT_TRUE(logged("starts 2"));
    EXPECT_TRUE(logged("stops 2"));
    expect_old_serves();
    expect_candidate_gone();
}

TEST_F(reloading_test, one_reload_at_a_time) {
    seen().start = start_step::is_slow;
    begin_reload();
    std::optional<result<void>> second;
    all->reload({{&versions::door<2>(), "probe.so"}}, at_once(),
                [&](result<void> got) { second = std::move(got); });
    EXPECT_FALSE(second) << "completed inline";
    turn();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->error().code(), errc::duplicate);
    pass(200ms);
    EXPECT_EQ(word(), "done");
    EXPECT_EQ(all->current()->number(), 2u);
}

TEST_F(reloading_test, the_next_reload_may_begin_where_the_one_before_ends) {
    std::vector<std::uint32_t> numbers;
    all->reload({{&versions::door<2>(), "probe.so"}}, at_once(), [&](const result<void>& first) {
        EXPECT_TRUE(first);
        numbers.push_back(all->current()->number());
        all->reload({{&versions::door<1>(), "probe.so"}}, {}, [&](const result<void>& second) {
            EXPECT_TRUE(second);
            numbers.push_back(all->current()->number());
        });
    });
    turn();
    EXPECT_EQ(numbers, (std::vector<std::uint32_t>{2, 3}));
}

// ---- drain

TEST_F(reloading_test, a_drained_reload_lets_those_in_flight_end_first) {
    ask("wait", 1);
    begin_reload({.drain = 10s});
    turn();
    ask("who");
    ask("wait", 2);
    pass(5s);
    EXPECT_TRUE(answers.empty());
    EXPECT_EQ(word(), "nothing");
    release();
    EXPECT_EQ(word(), "done");
    EXPECT_EQ(answers, (texts{R"({"version":1,"count":1,"note":""})",
                              R"({"version":2,"count":2,"note":""})"}));
    release();
    EXPECT_EQ(answers.back(), R"({"version":2,"count":3,"note":""})");
}

TEST_F(reloading_test, what_still_runs_after_the_drain_refuses_it_by_route_and_age) {
    ask("wait", 1);
    pass(500ms);
    ask("wait", 2, 300ms); // and is answered `timeout` while it runs on
    begin_reload({.drain = 1s});
    turn();
    ask("who");
    pass(900ms);
    EXPECT_EQ(answers, texts{"timeout"});
    EXPECT_EQ(word(), "nothing");
    pass(200ms);
    EXPECT_EQ(word(), "after 1000 ms requests were still running: 'probe.probeHandler.wait' for "
                      "1500 ms (2 of it); give them longer by `reload: drain`, or 0 to swap at "
                      "once without the promise that no data is lost");
    EXPECT_EQ(answers.back(), R"({"version":1,"count":1,"note":""})") << "what was held runs";
    EXPECT_FALSE(logged("leaves 1"));
    release(2);
    expect_candidate_gone();
    EXPECT_EQ(seen().stopped[2], "refused");
}

TEST_F(reloading_test, what_was_answered_timeout_and_ends_in_time_is_waited_for) {
    ask("wait", 1, 100ms);
    pass(400ms);
    EXPECT_EQ(answers, texts{"timeout"});
    begin_reload({.drain = 1s});
    turn();
    EXPECT_EQ(word(), "nothing");
    release();
    EXPECT_EQ(word(), "done");
}

TEST_F(reloading_test, a_request_that_waits_for_a_drain_past_its_deadline_is_answered) {
    ask("wait", 1);
    begin_reload({.drain = 10s});
    turn();
    ask("who", 0, 1s);
    ask("who", 0, 1h);
    pass(1300ms);
    EXPECT_EQ(answers, texts{"timeout"});
    EXPECT_EQ(word(), "nothing");
    release();
    EXPECT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers.back(), R"({"version":2,"count":2,"note":""})");
}

TEST_F(reloading_test, a_drain_waits_for_serial_requests_in_their_queue_too) {
    ask("serial", 1);
    ask("serial", 2);
    begin_reload({.drain = 10s});
    turn();
    ask("serial", 3);
    release();
    EXPECT_EQ(word(), "nothing");
    release();
    EXPECT_EQ(word(), "done");
    release();
    EXPECT_EQ(answers,
              (texts{R"({"version":1,"count":1,"note":""})", R"({"version":1,"count":2,"note":""})",
                     R"({"version":2,"count":3,"note":""})"}));
}

TEST_F(reloading_test, a_reload_without_requests_does_not_wait) {
    EXPECT_EQ(reload({.drain = 10s}), "done");
}

TEST_F(reloading_test, a_failed_restore_after_the_drain_lets_the_waiting_ones_run) {
    ask("wait", 1);
    seen().restore_fails = true;
    begin_reload({.drain = 10s});
    turn();
    ask("who");
    release();
    EXPECT_EQ(word(), "the state of 'state rooms' could not be restored: not these bytes");
    EXPECT_EQ(answers, (texts{R"({"version":1,"count":1,"note":""})",
                              R"({"version":1,"count":2,"note":""})"}));
    expect_candidate_gone();
}

TEST_F(reloading_test, the_end_of_one_drain_does_not_end_the_next) {
    // The last request ends in the very turn in which the drain is over, and another reload begins.
    ask("wait", 1);
    begin_reload({.drain = 1s});
    turn();
    pass(995ms);
    auto parked = std::move(seen().parked.front());
    seen().parked.clear();
    seen().start = start_step::hangs;
    parked->done(door::body{}); // posts the next step ...
    clock.advance(10ms);        // ... and the timer refuses
    begin_reload({.setup = 1min});
    turn();
    EXPECT_EQ(all->current()->number(), 1u) << "swapped before it was set up";
    release();
    EXPECT_EQ(all->current()->number(), 2u);
}

// ---- serial

TEST_F(reloading_test, serial_requests_stay_one_at_a_time_across_the_swap) {
    ask("serial", 1);
    ask("serial", 2);
    EXPECT_EQ(reload(), "done");
    ask("serial", 3);
    turn();
    EXPECT_EQ(seen().parked.size(), 1u);
    release();
    EXPECT_EQ(seen().parked.size(), 1u);
    release();
    EXPECT_EQ(seen().parked.size(), 1u);
    release();
    EXPECT_EQ(count("begins 1 in 1") + count("begins 2 in 1") + count("begins 3 in 2"), 3);
    EXPECT_EQ(answers,
              (texts{R"({"version":1,"count":1,"note":""})", R"({"version":1,"count":2,"note":""})",
                     R"({"version":2,"count":1,"note":""})"}));
}

// ---- stop

TEST_F(reloading_test, a_stop_while_a_component_starts_gives_the_reload_up) {
    seen().start = start_step::is_slow;
    begin_reload();
    turn();
    clock.advance(95ms);
    turn();
    all->stop_reloading();
    turn();
    EXPECT_EQ(word(), "the server is stopping");
    pass(8ms); // comes up before anybody has looked after it
    bool is_stopped = false;
    all->stop_components(1s, [&] { is_stopped = true; });
    turn();
    pass(50ms);
    EXPECT_TRUE(is_stopped);
    EXPECT_TRUE(logged("stops 1"));
    EXPECT_TRUE(logged("stops 2"));
    EXPECT_FALSE(logged("serves 2"));
}

TEST_F(reloading_test, a_stop_while_requests_are_drained_lets_the_waiting_ones_run) {
    ask("wait", 1);
    begin_reload({.drain = 10s});
    turn();
    ask("who");
    all->stop_reloading();
    turn();
    EXPECT_EQ(word(), "the server is stopping");
    EXPECT_EQ(answers, (texts{R"({"version":1,"count":1,"note":""})"}));
    release();
}

TEST_F(reloading_test, a_stop_waits_for_components_of_the_old_generation) {
    ask("wait", 1);
    EXPECT_EQ(reload(), "done");
    seen().is_old_slow_to_stop = true;
    bool is_stopped = false;
    all->stop_components(1s, [&] { is_stopped = true; });
    pass(50ms);
    EXPECT_FALSE(is_stopped);
    pass(100ms);
    EXPECT_TRUE(is_stopped);
    EXPECT_TRUE(logged("stops 1"));
    EXPECT_TRUE(logged("stops 2"));
    all->stop_components(1s, [] {}); // nothing is left to stop
}

} // namespace
} // namespace shaddock::server
