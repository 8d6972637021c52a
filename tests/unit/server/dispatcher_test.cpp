#include "dispatcher.hpp"

#include "base/log.hpp"
#include "made_generation.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;
using outcomes = std::vector<std::string>;

/// A call that notes its answer.
class noted_call final : public pending_call {
public:
    noted_call(outcomes& notes, std::string name, std::uint64_t session, base::time_point deadline)
        : pending_call(std::make_shared<door::session_data>(
                           door::session_data{{"f", incarnation{1}, session_id{session}, ""}, {}}),
                       name, deadline, 0, false),
          notes_(notes), name_(std::move(name)) {}
    ~noted_call() override { abandon(); }

private:
    void answer(result<door::body> outcome) noexcept override {
        notes_.push_back(name_ + "=" +
                         (outcome ? *outcome : std::string(to_string(outcome.error().code()))));
    }
    outcomes& notes_;
    std::string name_;
};

/// A plugin without an SDK: methods that do what the test says.
struct fake_plugin final : door::plugin {
    struct method final : door::callable {
        std::function<void(std::unique_ptr<door::invocation>)> does;
        void invoke(std::unique_ptr<door::invocation> call) noexcept override {
            does(std::move(call));
        }
    };
    method quick;
    method slow;
    std::vector<std::unique_ptr<door::invocation>> held;

    void enter(door::registration& into) {
        quick.does = [](auto call) { call->finish(door::body("ok")); };
        slow.does = [this](auto call) { held.push_back(std::move(call)); };
        into.handler({.object = "h", .method = "quick"}, &quick);
        into.handler({.object = "h", .method = "slow"}, &slow);
        into.handler({.object = "h", .method = "serial", .is_serial = true}, &slow);
    }
};

fake_plugin* made = nullptr;

const door::plugin_door& fake_door() {
    static const door::plugin_door door{
        sizeof(door::plugin_door),
        door::sdk_abi,
        "",
        "t",
        "1",
        "b",
        nullptr,
        [](door::host&, door::registration& into, std::string*) -> door::plugin* {
            made = new fake_plugin;
            made->enter(into);
            return made;
        },
        [](door::plugin* gone) {
            delete static_cast<fake_plugin*>(gone);
            made = nullptr;
        }};
    return door;
}

struct dispatcher_test : ::testing::Test {
    dispatcher_test() {
        living = make_generation({&fake_door(), "fake.so"}, "t", 1);
        calls.use(living);
    }
    ~dispatcher_test() override {
        calls.cancel_all();
        calls.use(nullptr);
        // What the plugin still holds holds the generation: only this ends both.
        living->destroy();
    }
    void run(std::string route, std::string name, std::uint64_t session = 1) {
        calls.run_handler(route, std::make_unique<noted_call>(notes, std::move(name), session,
                                                              clock.now() + 10s));
    }
    void turn() {
        loop.restart();
        loop.poll();
    }
    boost::asio::io_context loop;
    base::manual_clock clock;
    outcomes notes;
    std::shared_ptr<generation> living;
    dispatcher calls{loop.get_executor(), clock, 3};
};

TEST_F(dispatcher_test, answers_at_once_or_says_that_the_route_is_unknown) {
    run("t.h.quick", "a");
    run("t.h.nothing", "b");
    run("", "c");
    EXPECT_EQ(notes, (outcomes{"a=ok", "b=unknown_route", "c=unknown_route"}));
    EXPECT_EQ(calls.in_flight(), 0u);
}

TEST_F(dispatcher_test, counts_each_call_by_route_and_outcome_with_its_time) {
    run("t.h.quick", "a");
    run("t.h.slow", "b");
    run("t.h.invented", "c");
    run("t.h.slow", "late", 2);
    clock.advance(3ms);
    made->held[0]->finish(door::body("1"));
    made->held[0]->finish(error(errc::internal, "a second answer"));
    clock.advance(11s);
    base::metric_families all;
    add_requests(all, calls);
    ASSERT_GE(all.size(), 2U);
    EXPECT_EQ(all[0].name, "shaddock_requests_total");
    auto counts = all[0].samples;
    std::ranges::sort(counts, {}, &base::metric_sample::labels);
    EXPECT_EQ(counts, (std::vector<base::metric_sample>{{{"t.h.quick", "ok"}, 1},
                                                        {{"t.h.slow", "ok"}, 1},
                                                        {{"t.h.slow", "timeout"}, 1},
                                                        {{"unknown", "unknown_route"}, 1}}));
    auto& slow = *std::ranges::find(all[1].samples, std::vector<std::string>{"t.h.slow"},
                                    &base::metric_sample::labels);
    EXPECT_EQ(slow.buckets[6], 1U) << "3 ms";
    EXPECT_EQ(slow.buckets[13], 1U) << "its deadline of 10 s";
}

TEST_F(dispatcher_test, goes_on_counting_with_the_next_generation_what_was_kept_back_included) {
    run("t.h.quick", "a");
    calls.hold();
    run("t.h.quick", "b");
    clock.advance(7ms);
    auto next = make_generation({&fake_door(), "fake.so"}, "t", 2);
    calls.use(next);
    calls.release();
    base::metric_families all;
    add_requests(all, calls);
    EXPECT_EQ(all[0].samples, (std::vector<base::metric_sample>{{{"t.h.quick", "ok"}, 2}}));
    EXPECT_EQ(all[1].samples.at(0).buckets[7], 1U) << "it has waited 7 ms";
    calls.use(living);
    next->destroy();
}

TEST_F(dispatcher_test, lets_go_so_many_in_a_turn_and_the_order_stays) {
    calls.hold();
    for (int n = 0; n < 600; ++n) {
        run("t.h.quick", fmt::format("{}", n));
    }
    calls.release();
    EXPECT_EQ(notes.size(), 256U) << "the loop has other work";
    run("t.h.quick", "last");
    calls.in_order([this] { notes.push_back("event"); });
    EXPECT_EQ(notes.size(), 256U);
    turn();
    ASSERT_EQ(notes.size(), 602U);
    for (std::size_t n = 0; n < 600; ++n) {
        EXPECT_TRUE(notes[n].starts_with(fmt::format("{}=", n))) << notes[n];
    }
    EXPECT_TRUE(notes[600].starts_with("last="));
    EXPECT_EQ(notes[601], "event");
    EXPECT_FALSE(calls.is_holding());
}

TEST_F(dispatcher_test, holds_again_what_it_has_not_let_go_yet) {
    calls.hold();
    for (int n = 0; n < 300; ++n) {
        run("t.h.quick", fmt::format("{}", n));
    }
    calls.release();
    calls.hold();
    turn();
    EXPECT_EQ(notes.size(), 256U);
    calls.release();
    EXPECT_EQ(notes.size(), 300U);
}

TEST_F(dispatcher_test, a_call_that_is_dropped_is_answered_internal) {
    run("t.h.slow", "a");
    made->held.clear();
    EXPECT_EQ(notes, (outcomes{"a=internal"}));
}

TEST_F(dispatcher_test, a_second_answer_is_ignored) {
    run("t.h.slow", "a");
    made->held[0]->finish(door::body("1"));
    made->held[0]->finish(door::body("2"));
    made->held.clear();
    EXPECT_EQ(notes, (outcomes{"a=1"}));
}

TEST_F(dispatcher_test, names_in_the_log_what_a_plugin_throws_but_not_each_time) {
    const auto file = std::filesystem::path(::testing::TempDir()) / "dispatcher_test_failures.log";
    std::filesystem::remove(file);
    base::log::options wanted;
    wanted.console = false;
    wanted.file = file;
    base::log::start("t-1", wanted);
    const auto fail = [&](errc code, const char* text) {
        run("t.h.slow", "a", 1);
        made->held.back()->finish(error(code, text));
        made->held.pop_back();
    };
    fail(errc::internal, "the first");
    fail(errc::internal, "the second");
    fail(errc::application, "no seat is free");
    clock.advance(1s);
    fail(errc::internal, "the third");
    base::log::start("test", {});
    std::ostringstream said;
    said << std::ifstream(file).rdbuf();
    EXPECT_THAT(said.str(), ::testing::MatchesRegex(
                                "[^\n]*error [^\n]*'t.h.slow' has failed: the first, in [^\n]*\n"
                                "[^\n]*'t.h.slow' has failed: the third, in [^\n]*; 1 more "
                                "failures before\n"));
}

TEST_F(dispatcher_test, what_does_not_answer_in_time_is_answered_timeout) {
    run("t.h.slow", "a");
    clock.advance(9s);
    EXPECT_TRUE(notes.empty());
    clock.advance(2s);
    EXPECT_EQ(notes, (outcomes{"a=timeout"}));
    made->held[0]->finish(door::body("late"));
    EXPECT_EQ(notes.size(), 1u);
}

TEST_F(dispatcher_test, serial_methods_run_one_at_a_time_per_session) {
    run("t.h.serial", "a", 1);
    run("t.h.serial", "b", 1);
    run("t.h.serial", "other", 2);
    turn();
    ASSERT_EQ(made->held.size(), 2u);
    EXPECT_EQ(made->held[0]->request(), "a");
    EXPECT_EQ(made->held[1]->request(), "other");
    made->held[0]->finish(door::body("1"));
    EXPECT_EQ(made->held.size(), 2u); // not within the finish
    turn();
    ASSERT_EQ(made->held.size(), 3u);
    EXPECT_EQ(made->held[2]->request(), "b");
}

TEST_F(dispatcher_test, a_serial_method_stays_taken_after_a_timeout_until_it_has_ended) {
    run("t.h.serial", "a");
    clock.advance(5s);
    run("t.h.serial", "b");
    clock.advance(6s);
    turn();
    EXPECT_EQ(notes, (outcomes{"a=timeout"}));
    EXPECT_EQ(made->held.size(), 1u) << "the next started beside one that still runs";
    made->held[0]->finish(door::body("late"));
    turn();
    ASSERT_EQ(made->held.size(), 2u);
    made->held[1]->finish(door::body("2"));
    EXPECT_EQ(notes, (outcomes{"a=timeout", "b=2"}));
}

TEST_F(dispatcher_test, what_waits_too_long_for_a_serial_method_is_answered_and_never_started) {
    run("t.h.serial", "a");
    run("t.h.serial", "b");
    clock.advance(11s);
    EXPECT_EQ(notes, (outcomes{"a=timeout", "b=timeout"}));
    made->held.clear();
    turn();
    EXPECT_TRUE(made->held.empty());
    run("t.h.serial", "c");
    EXPECT_EQ(made->held.size(), 1u);
}

TEST_F(dispatcher_test, the_queue_of_a_serial_method_is_bounded) {
    for (const char* name : {"a", "b", "c", "d", "e"}) {
        run("t.h.serial", name);
    }
    EXPECT_EQ(notes, (outcomes{"e=overloaded"}));
    calls.cancel_all();
    EXPECT_EQ(notes.size(), 5u);
}

TEST_F(dispatcher_test, tells_when_the_last_call_has_ended) {
    int idle = 0;
    calls.on_idle([&] { ++idle; });
    run("t.h.slow", "a");
    run("t.h.slow", "b");
    made->held[0]->finish(door::body{});
    EXPECT_EQ(idle, 0);
    made->held[1]->finish(door::body{});
    EXPECT_EQ(idle, 1);
}

TEST_F(dispatcher_test, bodies_that_wait_are_counted_until_they_are_started_or_answered) {
    run("t.h.serial", "a");
    EXPECT_EQ(calls.waiting_bytes(), 0u);
    run("t.h.serial", std::string(1000, 'b'));
    run("t.h.serial", std::string(100, 'c'));
    EXPECT_EQ(calls.waiting_bytes(), 1100u);
    made->held[0]->finish(door::body("1"));
    turn();
    EXPECT_EQ(calls.waiting_bytes(), 100u);
    clock.advance(11s);
    EXPECT_EQ(calls.waiting_bytes(), 0u);
    calls.hold();
    run("t.h.quick", std::string(10, 'd'));
    EXPECT_EQ(calls.waiting_bytes(), 10u);
    calls.release();
    EXPECT_EQ(calls.waiting_bytes(), 0u);
}

TEST_F(dispatcher_test, bodies_that_wait_are_bounded) {
    run("t.h.serial", "a", 1);
    const std::string large(std::size_t{20} * 1024 * 1024, 'x');
    for (int i = 0; i < 3; ++i) {
        run("t.h.serial", large, 1);
    }
    run("t.h.serial", "b", 2);
    EXPECT_TRUE(notes.empty());
    run("t.h.serial", std::string(std::size_t{5} * 1024 * 1024, 'y'), 2);
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_TRUE(notes[0].ends_with("=overloaded"));
    calls.hold();
    run("t.h.quick", std::string(std::size_t{5} * 1024 * 1024, 'z'), 3);
    EXPECT_EQ(notes.size(), 2u);
    run("t.h.quick", "small", 3);
    EXPECT_EQ(notes.size(), 2u);
    calls.release();
    EXPECT_EQ(notes.back(), "small=ok");
}

TEST_F(dispatcher_test, what_waits_for_a_session_that_closed_ends_at_once) {
    run("t.h.serial", "a", 1);
    run("t.h.serial", "b", 1);
    run("t.h.serial", "other", 2);
    run("t.h.serial", "c", 2);
    calls.forget_waiting({"f", incarnation{1}, session_id{1}, ""});
    EXPECT_EQ(notes, (outcomes{"b=closed"}));
    EXPECT_EQ(calls.waiting_bytes(), 1u);
    EXPECT_EQ(calls.in_flight(), 3u);
    made->held[0]->finish(door::body("1"));
    turn();
    EXPECT_EQ(made->held.size(), 2u);
}

TEST_F(dispatcher_test, who_waits_for_a_serial_method_is_in_flight) {
    int idle = 0;
    calls.on_idle([&] { ++idle; });
    run("t.h.serial", "a");
    run("t.h.serial", "b");
    EXPECT_EQ(calls.in_flight(), 2u);
    made->held[0]->finish(door::body{});
    EXPECT_EQ(calls.in_flight(), 1u);
    EXPECT_EQ(idle, 0);
    turn();
    made->held[1]->finish(door::body{});
    EXPECT_EQ(calls.in_flight(), 0u);
    EXPECT_GE(idle, 1);
}

TEST_F(dispatcher_test, calls_kept_back_are_bounded_and_run_in_order) {
    constexpr std::size_t limit = 100'000;
    calls.hold();
    for (std::size_t i = 0; i < limit; ++i) {
        run("t.h.quick", i == 0 ? "first" : i == limit - 1 ? "last" : "");
    }
    EXPECT_TRUE(notes.empty());
    EXPECT_EQ(calls.in_flight(), 0u);
    run("t.h.quick", "one too many");
    EXPECT_EQ(notes, (outcomes{"one too many=overloaded"}));
    calls.release();
    turn();
    ASSERT_EQ(notes.size(), limit + 1);
    EXPECT_EQ(notes[1], "first=ok");
    EXPECT_EQ(notes.back(), "last=ok");
}

TEST_F(dispatcher_test, calls_kept_back_are_answered_when_all_is_cancelled) {
    calls.hold();
    run("t.h.quick", "a");
    calls.cancel_all();
    EXPECT_EQ(notes, (outcomes{"a=cancelled"}));
}

TEST_F(dispatcher_test, calls_are_bounded_while_somebody_waits_for_what_they_are_made_for) {
    std::vector<service> served;
    made->slow.does = [&](auto call) {
        served.push_back(calls.serving().all());
        made->held.push_back(std::move(call));
    };
    run("t.h.slow", "a", 1);
    run("t.h.slow", "b", 2);
    const auto deadline = clock.now() + 10s;
    const auto end_of = [&](std::size_t which, base::duration own) {
        const served_request::scope here(calls.serving(), served[which]);
        return calls.serving().bounded(clock.now() + own, clock.now());
    };
    EXPECT_EQ(end_of(0, 10min), deadline);
    EXPECT_EQ(end_of(0, 1s), clock.now() + 1s);
    made->held[0]->finish(door::body{});
    EXPECT_EQ(end_of(0, 10min), clock.now() + 10min);
    clock.advance(9s);
    EXPECT_EQ(end_of(1, 2s), deadline);
    clock.advance(1s);
    EXPECT_EQ(end_of(1, 2s), clock.now() + 2s) << "a clean-up has its own time";
    EXPECT_EQ(calls.serving().bounded(clock.now() + 2s, clock.now()), clock.now() + 2s);
}

TEST_F(dispatcher_test, says_which_request_the_code_that_runs_serves) {
    std::vector<std::uint64_t> served;
    const auto note = [&](auto call) {
        served.push_back(calls.serving().now().number);
        made->held.push_back(std::move(call));
    };
    made->slow.does = note;
    for (std::uint64_t number : {5, 6}) {
        auto call = std::make_unique<noted_call>(notes, "a", 1, clock.now() + 10s);
        call->belongs_to({incarnation{1}, session_id{1}, number});
        calls.run_handler("t.h.serial", std::move(call));
    }
    EXPECT_EQ(served, (std::vector<std::uint64_t>{5}));
    EXPECT_EQ(calls.serving().now().number, 0U);
    const served_request::scope elsewhere(calls.serving(),
                                          request_id{incarnation{1}, session_id{1}, 9});
    made->held[0]->finish(door::body{});
    turn(); // the second one waited for the first
    EXPECT_EQ(served, (std::vector<std::uint64_t>{5, 6}));
    EXPECT_EQ(calls.serving().now().number, 9U);
}

TEST_F(dispatcher_test, a_call_outlives_the_dispatcher_without_harm) {
    std::unique_ptr<door::invocation> kept;
    {
        dispatcher brief(loop.get_executor(), clock, 3);
        brief.use(calls.current());
        brief.run_handler("t.h.slow",
                          std::make_unique<noted_call>(notes, "a", 1, clock.now() + 1s));
        kept = std::move(made->held[0]);
    }
    EXPECT_EQ(notes, (outcomes{"a=cancelled"}));
    kept->finish(door::body{});
    EXPECT_EQ(notes.size(), 1u);
    kept.reset();
    made->held.clear();
}

} // namespace
} // namespace shaddock::server
