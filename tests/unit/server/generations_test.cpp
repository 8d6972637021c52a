#include "generations.hpp"

#include "fakes.hpp"
#include "versions.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <fmt/format.h>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;
using versions::seen;
using versions::start_step;
using texts = std::vector<std::string>;

/// A client's request that notes its answer.
class noted_request final : public pending_call {
public:
    noted_request(texts& answers, int n, base::time_point deadline)
        : pending_call(std::make_shared<door::session_data>(
                           door::session_data{{"f", incarnation{1}, session_id{1}, ""}, {}}),
                       {door::codec::json, fmt::format(R"({{"n":{}}})", n)}, deadline, 0, false),
          answers_(answers) {}
    ~noted_request() override { abandon(); }

private:
    void answer(result<door::body> made) noexcept override {
        answers_.push_back(made ? made->bytes : std::string(to_string(made.error().code())));
    }
    texts& answers_;
};

/// The generations of one server under a clock moved by hand.
struct generations_test : testing::Test {
    generations_test() {
        seen() = {};
        options.self.id = "probe-server-1";
        options.self.type = "probe";
        all.emplace(host_parts{loop.get_executor(), clock, options, servers, list, calls, channels,
                               nullptr, settings});
        EXPECT_TRUE(all->create({{&versions::door<1>(), "probe.so"}}));
        all->start_components([](const result<void>& started) { EXPECT_TRUE(started); });
        turn();
        seen().log.clear();
    }
    ~generations_test() override {
        all->stop_reloading();
        bool is_stopped = false;
        all->stop_components(1s, [&] { is_stopped = true; });
        pass(3s);
        EXPECT_TRUE(is_stopped);
        all->cancel();
        calls.cancel_all();
        turn();
        seen().parked.clear();
        turn();
        calls.use(nullptr);
        all->destroy();
        all.reset();
        turn();
        EXPECT_EQ(alive(1), 0);
        EXPECT_EQ(alive(2), 0);
        EXPECT_FALSE(seen().is_destroyed_in_frame);
    }

    void turn() {
        loop.restart();
        loop.poll();
    }
    /// Time passes in steps in which the loop turns.
    void pass(base::duration how_long) {
        for (base::duration gone{}; gone < how_long; gone += 5ms) {
            clock.advance(5ms);
            turn();
        }
    }
    void ask(std::string_view method, int n = 0, base::duration patience = 1h) {
        calls.run_handler(fmt::format("probe.probeHandler.{}", method),
                          std::make_unique<noted_request>(answers, n, clock.now() + patience));
    }
    /// Coroutines of the plugin that wait for the test go on.
    void release(std::size_t count = 1) {
        for (; count > 0 && !seen().parked.empty(); --count) {
            auto first = std::move(seen().parked.front());
            seen().parked.erase(seen().parked.begin());
            first->done(door::body{});
            turn();
        }
    }
    void begin_reload(reload_options how = {}) {
        outcome.reset();
        all->reload({{&versions::door<2>(), "probe.so"}}, how,
                    [this](result<void> got) { outcome = std::move(got); });
        EXPECT_FALSE(outcome) << "completed inline";
    }
    std::string reload(reload_options how = {}) {
        begin_reload(how);
        turn();
        return word();
    }
    std::string word() const {
        return !outcome ? "nothing" : *outcome ? "done" : outcome->error().text();
    }
    int alive(int version) const { return seen().alive[version]; }
    bool logged(std::string_view line) const { return count(line) != 0; }
    long count(std::string_view line) const {
        return std::count(seen().log.begin(), seen().log.end(), line);
    }
    void expect_old_serves() {
        EXPECT_EQ(all->current()->number(), 1u);
        EXPECT_EQ(all->current()->versions(), "1");
        answers.clear();
        ask("who");
        ASSERT_EQ(answers.size(), 1u);
        EXPECT_TRUE(answers[0].starts_with(R"({"version":1,)")) << answers[0];
    }
    void expect_candidate_gone() {
        pass(6s);
        EXPECT_EQ(alive(2), 0);
        EXPECT_EQ(all->ending(), 0u);
        EXPECT_EQ(all->kept(), 0u);
        EXPECT_FALSE(logged("tick 2"));
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    server_options options;
    fake_bus links;
    line servers{loop.get_executor(), links, {"probe-server-1", incarnation{1}}};
    directory list;
    dispatcher calls{loop.get_executor(), clock, 64};
    channel_store channels{servers, [](const std::string&, const door::member&) {}};
    std::map<std::string, std::string, std::less<>> settings;
    std::optional<generations> all;
    texts answers;
    std::optional<result<void>> outcome;
};

// ---- one point

TEST_F(generations_test, what_was_accepted_before_ends_on_the_old_and_what_comes_later_on_the_new) {
    ask("wait", 1);
    EXPECT_EQ(reload(), "done");
    ask("wait", 2);
    turn();
    release(2);
    EXPECT_EQ(answers, (texts{R"({"version":1,"count":1,"note":""})",
                              R"({"version":2,"count":1,"note":""})"}));
    EXPECT_EQ(all->current()->number(), 2u);
    EXPECT_EQ(seen().log,
              (texts{"filter 1", "begins 1 in 1", "starts 2", "restored state of 1",
                     "restored handler of 1", "restored remote of 1", "restored component of 1",
                     "serves 2", "filter 2", "begins 2 in 2", "ends 1 in 1", "ends 2 in 2"}));
}

TEST_F(generations_test, until_the_swap_everything_is_the_old_generations) {
    seen().start = start_step::is_slow;
    begin_reload();
    pass(50ms);
    ask("who");
    EXPECT_EQ(answers, (texts{R"({"version":1,"count":1,"note":""})"}));
    EXPECT_FALSE(outcome);
    EXPECT_FALSE(logged("serves 2"));
    pass(100ms);
    EXPECT_EQ(word(), "done");
    ask("who");
    EXPECT_EQ(answers.back(), R"({"version":2,"count":2,"note":""})");
}

TEST_F(generations_test, objects_live_until_the_last_request_and_no_longer) {
    ask("wait", 1);
    ask("wait", 2);
    EXPECT_EQ(reload(), "done");
    pass(5s);
    const auto objects = alive(1);
    EXPECT_GT(objects, 0);
    EXPECT_EQ(all->ending(), 1u);
    EXPECT_FALSE(logged("stops 1"));
    release();
    pass(1s);
    EXPECT_EQ(alive(1), objects);
    release();
    EXPECT_EQ(alive(1), objects) << "destroyed on the request's own stack";
    pass(1s);
    EXPECT_EQ(alive(1), 0);
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(count("stops 1"), 1);
    EXPECT_EQ(answers.size(), 2u);
}

TEST_F(generations_test, a_request_that_was_answered_timeout_still_holds_its_generation) {
    ask("wait", 1, 1s);
    EXPECT_EQ(reload(), "done");
    pass(2s);
    EXPECT_EQ(answers, texts{"timeout"});
    EXPECT_GT(alive(1), 0);
    release();
    pass(1s);
    EXPECT_EQ(alive(1), 0);
}

// ---- the end of a generation

TEST_F(generations_test, spawned_work_goes_on_until_the_timeout_and_is_cancelled_then) {
    ask("spawn");
    EXPECT_EQ(reload(), "done");
    pass(9s);
    EXPECT_EQ(all->ending(), 1u);
    EXPECT_FALSE(logged("sleep: cancelled"));
    EXPECT_GT(alive(1), 0);
    pass(2s);
    EXPECT_TRUE(logged("sleep: cancelled"));
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(all->kept(), 0u);
    EXPECT_EQ(alive(1), 0);
}

TEST_F(generations_test, a_call_to_another_server_is_cancelled_too) {
    ask("spawnCaller"); // the fake bus answers nobody
    EXPECT_EQ(reload(), "done");
    pass(9s);
    EXPECT_FALSE(logged("call: cancelled"));
    pass(2s);
    EXPECT_TRUE(logged("call: cancelled"));
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(all->kept(), 0u);
    EXPECT_EQ(alive(1), 0);
}

TEST_F(generations_test, what_will_not_end_is_counted_and_kept) {
    ask("wait", 1);
    ask("spawnParked");
    const auto objects = alive(1);
    EXPECT_EQ(reload(), "done");
    pass(15s);
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(all->kept(), 1u);
    EXPECT_EQ(alive(1), objects);
    release(2); // and it may still end well
    EXPECT_EQ(answers.back(), R"({"version":1,"count":1,"note":""})");
}

TEST_F(generations_test, who_sleeps_again_and_again_does_not_spin) {
    ask("spawnStubborn");
    EXPECT_EQ(reload(), "done");
    pass(15s);
    EXPECT_EQ(all->kept(), 1u);
    const auto retries = seen().retries;
    EXPECT_GT(retries, 0);
    EXPECT_LT(retries, 2000);
    pass(5s);
    EXPECT_EQ(seen().retries, retries);
    ask("who");
    EXPECT_EQ(answers.back(), R"({"version":2,"count":1,"note":""})");
}

// ---- timers

TEST_F(generations_test, a_named_timer_keeps_its_due_time_when_it_is_set_again) {
    pass(8s);
    EXPECT_EQ(reload(), "done");
    pass(1s);
    EXPECT_FALSE(logged("tick 2"));
    pass(1s);
    EXPECT_EQ(count("tick 2"), 1);
    pass(10s);
    EXPECT_EQ(count("tick 2"), 2);
    EXPECT_FALSE(logged("tick 1"));
}

TEST_F(generations_test, a_timer_that_is_not_set_again_ends_at_the_swap) {
    seen().is_timer_set_again = false;
    ask("wait", 1);
    EXPECT_EQ(reload(), "done");
    pass(12s);
    EXPECT_FALSE(logged("tick 1"));
    EXPECT_FALSE(logged("tick 2"));
    release();
}

TEST_F(generations_test, timers_of_the_new_generation_wait_for_the_swap) {
    ask("wait", 1);
    seen().start = start_step::hangs;
    begin_reload({.setup = 1min});
    pass(15s);
    EXPECT_EQ(count("tick 1"), 1);
    EXPECT_FALSE(logged("tick 2"));
    release(2);
    EXPECT_EQ(word(), "done");
    pass(4s);
    EXPECT_FALSE(logged("tick 2"));
    pass(1s);
    EXPECT_EQ(count("tick 2"), 1); // at 20 s, when version 1 would have ticked
    EXPECT_EQ(count("tick 1"), 1);
}

// ---- state

TEST_F(generations_test, state_crosses_from_object_to_object_with_the_old_version) {
    ask("who");
    ask("who");
    EXPECT_EQ(reload(), "done");
    ask("who");
    EXPECT_EQ(answers.back(), R"({"version":2,"count":3,"note":""})");
    for (const auto* each : {"state", "handler", "remote", "component"}) {
        EXPECT_EQ(count(fmt::format("restored {} of 1", each)), 1) << each;
    }
}

TEST_F(generations_test, an_object_that_is_new_gets_no_state) {
    ask("who");
    seen().is_state_renamed = true; // version 2 has one more
    EXPECT_EQ(reload(), "done");
    EXPECT_EQ(count("restored state of 1"), 1);
    seen().log.clear();
    begin_reload();
    turn();
    EXPECT_EQ(count("restored state of 2"), 2); // the same objects on both sides
    seen().is_state_renamed = false;
    seen().log.clear();
    EXPECT_EQ(reload(), "done"); // a state that nobody has any more
    EXPECT_EQ(count("restored state of 2"), 1);
}

TEST_F(generations_test, a_failed_restore_leaves_the_old_generation_with_its_state) {
    ask("who");
    seen().restore_fails = true;
    EXPECT_EQ(reload(), "the state of 'state rooms' could not be restored: not these bytes");
    expect_old_serves();
    EXPECT_EQ(answers[0], R"({"version":1,"count":2,"note":""})");
    expect_candidate_gone();
    EXPECT_TRUE(logged("stops 2"));
    EXPECT_FALSE(logged("stops 1"));
    seen().restore_fails = false;
    EXPECT_EQ(reload(), "done");
    EXPECT_EQ(all->current()->number(), 2u);
}

TEST_F(generations_test, a_state_that_cannot_be_saved_leaves_the_old_generation) {
    seen().save_throws = true;
    EXPECT_EQ(reload(), "the state of 'state rooms' could not be saved: no ink");
    expect_old_serves();
    expect_candidate_gone();
    seen().save_throws = false;
}

TEST_F(generations_test, two_objects_of_one_name_are_refused) {
    seen().is_state_twice = true;
    EXPECT_EQ(reload(), "plugin probe.so: could not be created: two objects save their state as "
                        "'state rooms'");
    expect_old_serves();
    expect_candidate_gone();
}

// ---- refusals

TEST_F(generations_test, a_create_that_throws_changes_nothing_and_what_it_began_ends) {
    seen().create_throws = true;
    EXPECT_EQ(reload(), "plugin probe.so: could not be created: no wood");
    EXPECT_GT(alive(2), 0) << "a coroutine of it still sleeps";
    expect_old_serves();
    pass(12s); // the sleeper has no reason to end before the timeout
    EXPECT_TRUE(logged("sleep: cancelled"));
    expect_candidate_gone();
}

TEST_F(generations_test, a_route_registered_twice_is_refused) {
    seen().is_route_twice = true;
    const auto why = reload();
    EXPECT_TRUE(why.find("route 'probe.probeHandler.who' is registered twice") != why.npos) << why;
    expect_old_serves();
    expect_candidate_gone();
}

TEST_F(generations_test, a_component_that_does_not_start_is_a_refusal) {
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

TEST_F(generations_test, a_component_that_hangs_is_given_two_seconds) {
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

TEST_F(generations_test, a_component_that_comes_up_too_late_is_stopped) {
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

TEST_F(generations_test, one_reload_at_a_time) {
    seen().start = start_step::is_slow;
    begin_reload();
    std::optional<result<void>> second;
    all->reload({{&versions::door<2>(), "probe.so"}}, {},
                [&](result<void> got) { second = std::move(got); });
    EXPECT_FALSE(second) << "completed inline";
    turn();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->error().code(), errc::duplicate);
    pass(200ms);
    EXPECT_EQ(word(), "done");
    EXPECT_EQ(all->current()->number(), 2u);
}

TEST_F(generations_test, the_next_reload_may_begin_where_the_one_before_ends) {
    std::vector<std::uint32_t> numbers;
    all->reload({{&versions::door<2>(), "probe.so"}}, {}, [&](const result<void>& first) {
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

TEST_F(generations_test, a_drained_reload_lets_those_in_flight_end_first) {
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

TEST_F(generations_test, a_drained_reload_waits_no_longer_than_it_was_told) {
    ask("wait", 1);
    begin_reload({.drain = 1s});
    turn();
    ask("who");
    pass(900ms);
    EXPECT_TRUE(answers.empty());
    pass(200ms);
    EXPECT_EQ(word(), "done");
    EXPECT_EQ(answers, (texts{R"({"version":2,"count":1,"note":""})"}));
    release();
    EXPECT_EQ(answers.back(), R"({"version":1,"count":1,"note":""})");
}

TEST_F(generations_test, a_request_that_waits_for_a_drain_past_its_deadline_is_answered) {
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

TEST_F(generations_test, a_drain_waits_for_serial_requests_in_their_queue_too) {
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

TEST_F(generations_test, a_reload_without_requests_does_not_wait) {
    EXPECT_EQ(reload({.drain = 10s}), "done");
}

TEST_F(generations_test, a_failed_restore_after_the_drain_lets_the_waiting_ones_run) {
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

TEST_F(generations_test, the_end_of_one_drain_does_not_end_the_next) {
    // The last request ends in the very turn in which the drain is over, and another reload begins.
    ask("wait", 1);
    begin_reload({.drain = 1s});
    turn();
    pass(995ms);
    auto parked = std::move(seen().parked.front());
    seen().parked.clear();
    seen().start = start_step::hangs;
    parked->done(door::body{}); // posts the swap ...
    clock.advance(10ms);        // ... and the timer swaps
    EXPECT_EQ(all->current()->number(), 2u);
    begin_reload({.setup = 1min});
    turn();
    EXPECT_EQ(all->current()->number(), 2u) << "swapped before it was set up";
    release();
    EXPECT_EQ(all->current()->number(), 3u);
}

// ---- serial

TEST_F(generations_test, serial_requests_stay_one_at_a_time_across_the_swap) {
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

TEST_F(generations_test, a_stop_while_a_component_starts_gives_the_reload_up) {
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

TEST_F(generations_test, a_stop_while_requests_are_drained_lets_the_waiting_ones_run) {
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

TEST_F(generations_test, a_stop_waits_for_components_of_the_old_generation) {
    ask("wait", 1);
    EXPECT_EQ(reload(), "done");
    bool is_stopped = false;
    all->stop_components(1s, [&] { is_stopped = true; });
    EXPECT_FALSE(is_stopped);
    turn();
    EXPECT_TRUE(is_stopped);
    EXPECT_TRUE(logged("stops 1"));
    EXPECT_TRUE(logged("stops 2"));
    all->stop_components(1s, [] {}); // nothing is left to stop
}

} // namespace
} // namespace shaddock::server
