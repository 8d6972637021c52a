#include "generations_fixture.hpp"

/// What changes at the swap, and what becomes of the generation before it.
namespace shaddock::server {
namespace {

using testing::texts;
using versions::seen;
using versions::start_step;
using namespace std::chrono_literals;

struct generations_test : testing::server_generations {};

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
              (texts{"filter 1", "begins 1 in 1", "starts 2", "leaves 1", "restored state of 1",
                     "restored handler of 1", "restored remote of 1", "restored component of 1",
                     "takes 2", "serves 2", "filter 2", "begins 2 in 2", "ends 1 in 1", "stops 1",
                     "ends 2 in 2"}));
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
    release_within_the_turn();
    EXPECT_EQ(alive(1), objects) << "destroyed on the request's own stack";
    turn(); // and the clock stands still
    EXPECT_EQ(alive(1), 0);
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(count("stops 1"), 1);
    EXPECT_EQ(answers.size(), 2u);
}

TEST_F(generations_test, with_nothing_under_way_objects_go_in_the_turn_of_the_swap) {
    EXPECT_EQ(reload(), "done");
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(alive(1), 0);
    EXPECT_EQ(count("stops 1"), 1);
}

TEST_F(generations_test, objects_go_in_the_turn_in_which_the_last_spawned_work_ends) {
    ask("spawnParked");
    EXPECT_EQ(reload(), "done");
    pass(1s);
    EXPECT_EQ(all->ending(), 1u);
    EXPECT_EQ(count("stops 1"), 1) << "no request holds it";
    EXPECT_GT(alive(1), 0);
    release();
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(alive(1), 0);
}

TEST_F(generations_test, objects_go_in_the_turn_in_which_what_was_cancelled_ends) {
    ask("spawnCaller");
    ask("spawnParked");
    EXPECT_EQ(reload(), "done");
    pass(10s + 100ms);
    EXPECT_TRUE(logged("call: cancelled"));
    EXPECT_EQ(all->ending(), 1u);
    EXPECT_GT(alive(1), 0);
    release();
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(all->kept(), 0u);
    EXPECT_EQ(alive(1), 0);
}

TEST_F(generations_test, objects_go_in_the_turn_in_which_a_late_request_ends) {
    ask("wait", 1);
    EXPECT_EQ(reload(), "done");
    pass(10s + 100ms);
    EXPECT_EQ(count("stops 1"), 1) << "the request has had its time";
    EXPECT_GT(alive(1), 0);
    release();
    EXPECT_EQ(answers, (texts{R"({"version":1,"count":1,"note":""})"}));
    EXPECT_EQ(all->ending(), 0u);
    EXPECT_EQ(alive(1), 0);
}

TEST_F(generations_test, a_generation_that_was_replaced_gives_no_lease) {
    ask("wait", 1);
    const auto old = all->current();
    EXPECT_EQ(old->leases(), 1u);
    EXPECT_EQ(reload(), "done");
    EXPECT_THROW(lease{old}, std::bad_optional_access);
    EXPECT_EQ(old->leases(), 1u);
    release();
    EXPECT_EQ(old->leases(), 0u);
    EXPECT_EQ(alive(1), 0) << "who still has its memory does not keep its objects";
}

TEST_F(generations_test, nothing_wakes_the_loop_while_a_generation_waits_for_its_end) {
    ask("wait", 1, 24h);
    EXPECT_EQ(reload(), "done");
    pass(300ms); // the dispatcher looks for calls past their deadline every 250 ms
    loop.restart();
    clock.advance(100ms);
    EXPECT_EQ(loop.poll(), 0u);
    release();
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
    begin_reload({.drain = 0s, .setup = 1min});
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
    EXPECT_FALSE(logged("stops 2")) << "it knows a state that is not its own";
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
    EXPECT_EQ(count("takes 1"), 1) << "it had made way";
    EXPECT_EQ(seen().stopped[2], "refused");
    seen().save_throws = false;
}

TEST_F(generations_test, two_objects_of_one_name_are_refused) {
    seen().is_state_twice = true;
    EXPECT_EQ(reload(), "plugin probe.so: could not be created: two objects save their state as "
                        "'state rooms'");
    expect_old_serves();
    expect_candidate_gone();
}

} // namespace
} // namespace shaddock::server
