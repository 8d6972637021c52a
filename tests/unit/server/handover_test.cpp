#include "generations_fixture.hpp"

/// What goes from the old generation to the new one, in which order, and what becomes of it when a
/// step fails.
namespace shaddock::server {
namespace {

using testing::texts;
using versions::seen;
using versions::start_step;
using namespace std::chrono_literals;

struct handover_test : testing::server_generations {
    std::size_t at(std::string_view line) const {
        const auto found = std::ranges::find(seen().log, line);
        EXPECT_NE(found, seen().log.end()) << line;
        return static_cast<std::size_t>(found - seen().log.begin());
    }
};

// ---- the order

TEST_F(handover_test, every_step_begins_when_the_one_before_it_has_ended) {
    seen().replacing = start_step::is_slow;
    seen().serving = start_step::is_slow;
    begin_reload({});
    turn();
    ask("wait", 1);
    pass(50ms);
    EXPECT_EQ(seen().log, texts{"starts 2"});
    pass(100ms);
    EXPECT_EQ(seen().log.back(), "restored component of 1");
    EXPECT_EQ(word(), "nothing");
    pass(100ms);
    EXPECT_EQ(word(), "done");
    release();
    EXPECT_EQ(seen().log,
              (texts{"starts 2", "leaves 1", "restored state of 1", "restored handler of 1",
                     "restored remote of 1", "restored component of 1", "takes 2", "serves 2",
                     "filter 2", "begins 1 in 2", "stops 1", "ends 1 in 2"}));
    EXPECT_EQ(seen().stopped[1], "replaced");
}

TEST_F(handover_test, timers_and_hooks_are_held_and_lose_nothing) {
    pass(9s + 950ms);
    seen().replacing = start_step::is_slow;
    begin_reload({});
    turn();
    calls.in_order([] { seen().log.push_back("an event"); });
    pass(80ms);
    EXPECT_FALSE(logged("tick 1"));
    EXPECT_FALSE(logged("an event"));
    pass(50ms);
    EXPECT_EQ(word(), "done");
    EXPECT_FALSE(logged("tick 1"));
    EXPECT_EQ(count("tick 2"), 1) << "it was due at 10 s";
    EXPECT_LT(at("takes 2"), at("an event"));
}

TEST_F(handover_test, what_is_held_beyond_the_limits_is_answered) {
    seen().replacing = start_step::hangs;
    begin_reload({});
    turn();
    ask("who");
    pass(4900ms);
    EXPECT_TRUE(answers.empty());
    pass(5100ms); // and as long for the old one to serve again, which waits for the same step
    EXPECT_EQ(word(), "component 'part' did not make way (on_replacing) within 5000 ms");
    EXPECT_EQ(answers, texts{R"({"version":1,"count":1,"note":""})"});
    seen().replacing = start_step::works;
    release();
    pass(100ms);
    EXPECT_EQ(count("takes 1"), 1) << "late, and not never";
    expect_candidate_gone();
    EXPECT_EQ(reload({}), "done");
}

/// A call between two servers, as the bus brings it.
TEST_F(handover_test, calls_of_a_request_in_flight_are_not_held) {
    const request_id first{incarnation{1}, session_id{7}, 1};
    const request_id second{incarnation{1}, session_id{7}, 2};
    const auto ask_as = [&](const request_id& as, std::string_view method) {
        auto call = std::make_unique<testing::noted_request>(answers, 0, clock.now() + 1h);
        call->belongs_to(as);
        calls.run_handler(fmt::format("probe.probeHandler.{}", method), std::move(call));
    };
    ask_as(first, "wait");
    begin_reload({});
    turn();
    ask_as(second, "who");
    EXPECT_TRUE(answers.empty());
    ask_as(first, "who");
    EXPECT_EQ(answers, texts{R"({"version":1,"count":1,"note":""})"});
    release();
    EXPECT_EQ(word(), "done");
    EXPECT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers.back(), R"({"version":2,"count":3,"note":""})");
}

// ---- failures

TEST_F(handover_test, one_that_cannot_make_way_serves_on) {
    seen().replacing = start_step::fails;
    EXPECT_EQ(reload({}), "component 'part' did not make way (on_replacing): no lock");
    EXPECT_EQ(count("takes 1"), 1);
    expect_old_serves();
    expect_candidate_gone();
    EXPECT_EQ(seen().stopped[2], "refused");
    EXPECT_EQ(count("tick 1"), 0);
    pass(5s);
    EXPECT_EQ(count("tick 1"), 1) << "its timers go on";
}

TEST_F(handover_test, one_that_cannot_serve_is_only_destroyed_before_the_old_one_serves_again) {
    seen().serving = start_step::fails;
    begin_reload({});
    while (!logged("takes 2")) {
        loop.restart();
        loop.poll_one();
    }
    seen().log.clear();
    turn();
    EXPECT_EQ(word(), "component 'part' did not begin to serve (on_serving): no lock");
    EXPECT_EQ(alive(2), 0);
    EXPECT_EQ(seen().log, texts{"takes 1"});
    expect_old_serves();
    expect_candidate_gone();
}

TEST_F(handover_test, what_a_refused_generation_waits_for_ends_while_its_objects_live) {
    seen().serving = start_step::waits;
    begin_reload({});
    pass(4990ms);
    // As in a server, where the clock tells on the loop.
    boost::asio::post(loop, [this] { clock.advance(20ms); });
    turn();
    EXPECT_EQ(word(), "component 'part' did not begin to serve (on_serving) within 5000 ms");
    EXPECT_EQ(alive(2), 0);
    EXPECT_EQ(count("let go"), 1);
    EXPECT_EQ(count("let go of what is gone"), 0);
    expect_old_serves();
    expect_candidate_gone();
}

TEST_F(handover_test, nothing_of_a_refused_generation_runs_with_the_old_ones_state) {
    seen().start = start_step::is_slow;
    begin_reload({});
    pass(50ms);
    auto& app = *seen().apps.at(2);
    app.spawn("sleeper", versions::handler<2>::sleeper(app));
    app.spawn("caller", versions::handler<2>::caller(app));
    seen().restore_fails = true;
    pass(100ms);
    EXPECT_EQ(word(), "the state of 'state rooms' could not be restored: not these bytes");
    EXPECT_EQ(alive(2), 0);
    expect_old_serves();
    seen().log.clear();
    pass(15s);
    EXPECT_FALSE(logged("sleep: cancelled"));
    EXPECT_FALSE(logged("call: cancelled"));
    EXPECT_FALSE(logged("stops 2"));
}

TEST_F(handover_test, objects_of_a_refused_generation_that_a_thread_may_use_are_kept) {
    seen().start = start_step::is_slow;
    begin_reload({});
    pass(50ms);
    auto& app = *seen().apps.at(2);
    app.spawn("parked", versions::handler<2>::parked()); // as one that waits for a thread
    seen().restore_fails = true;
    pass(100ms);
    EXPECT_EQ(word(), "the state of 'state rooms' could not be restored: not these bytes");
    EXPECT_GT(alive(2), 0);
    expect_old_serves();
    pass(2s);
    EXPECT_EQ(all->kept(), 1u);
    EXPECT_GT(alive(2), 0);
    EXPECT_FALSE(logged("stops 2"));
    seen().restore_fails = false;
    seen().start = start_step::works;
    EXPECT_EQ(reload({}), "done");
}

TEST_F(handover_test, a_stop_while_the_old_one_makes_way_lets_it_serve_what_was_held) {
    seen().replacing = start_step::is_slow;
    begin_reload({});
    turn();
    ask("who");
    all->stop_reloading();
    turn();
    EXPECT_TRUE(answers.empty());
    pass(150ms);
    EXPECT_EQ(word(), "the server is stopping");
    EXPECT_LT(at("leaves 1"), at("takes 1"));
    EXPECT_EQ(answers, texts{R"({"version":1,"count":1,"note":""})"});
}

/// A component that is ready at once.
class ready_component final : public door::component {
public:
    ready_component(texts& log, std::string name) : log_(log), name_(std::move(name)) {}
    /// Its step that fails.
    std::string_view fails_at;

    std::string_view name() const noexcept override { return name_; }
    void start(std::unique_ptr<door::completion> done) noexcept override {
        end("starts", std::move(done));
    }
    void on_serving(std::unique_ptr<door::completion> done) noexcept override {
        end("takes", std::move(done));
    }
    void on_replacing(std::unique_ptr<door::completion> done) noexcept override {
        end("leaves", std::move(done));
    }
    void stop(door::stop_reason, std::unique_ptr<door::completion> done) noexcept override {
        end("stops", std::move(done));
    }
    std::string_view advice() const noexcept override { return ""; }

private:
    void end(std::string_view step, std::unique_ptr<door::completion> done) {
        log_.push_back(name_ + " " + std::string(step));
        done->done(step == fails_at ? result<door::body>(error(errc::application, "no"))
                                    : result<door::body>(door::body{}));
    }

    texts& log_;
    std::string name_;
};

TEST(component_life_test, only_those_that_were_asked_to_make_way_serve_again) {
    boost::asio::io_context loop;
    base::manual_clock clock;
    served_request serving;
    texts log;
    ready_component a(log, "a");
    ready_component b(log, "b");
    ready_component c(log, "c");
    const std::vector<door::component*> all{&a, &b, &c};
    component_life life(loop.get_executor(), clock, serving, all);
    std::string said;
    const auto note = [&](const result<void>& outcome) {
        said = outcome ? "done" : outcome.error().text();
    };
    const auto turn = [&] {
        loop.restart();
        loop.poll();
        return std::exchange(log, {});
    };
    life.start(0s, note);
    turn();
    life.serve(0s, note);
    EXPECT_EQ(turn(), (texts{"a takes", "b takes", "c takes"}));
    b.fails_at = "leaves";
    life.hand_over({}, 1s, note);
    EXPECT_EQ(turn(), (texts{"c leaves", "b leaves"}));
    EXPECT_EQ(said, "component 'b' did not make way (on_replacing): no");
    life.serve(1s, note);
    EXPECT_EQ(turn(), (texts{"b takes", "c takes"}));
    a.fails_at = "takes";
    b.fails_at = "";
    life.hand_over({}, 1s, note);
    EXPECT_EQ(turn(), (texts{"c leaves", "b leaves", "a leaves"}));
    life.serve_again(1s, note);
    EXPECT_EQ(turn(), (texts{"a takes", "b takes", "c takes"})) << "one does not keep the others";
    EXPECT_EQ(said, "component 'a' did not begin to serve (on_serving): no");
    a.fails_at = "";
    life.hand_over({}, 1s, note);
    EXPECT_EQ(turn(), (texts{"c leaves", "b leaves"})) << "one does not serve";
    life.serve(1s, note);
    EXPECT_EQ(turn(), (texts{"a takes", "b takes", "c takes"}));
    EXPECT_EQ(said, "done");
    life.stop(door::stop_reason::server_stops, 1s, [] {});
    EXPECT_EQ(turn(), (texts{"c stops", "b stops", "a stops"}));
}

// ---- timers

TEST_F(handover_test, a_timer_of_another_period_counts_from_the_swap) {
    seen().tick_period = 8s;
    pass(9s);
    EXPECT_EQ(reload({}), "done");
    pass(7900ms);
    EXPECT_FALSE(logged("tick 2"));
    pass(200ms);
    EXPECT_EQ(count("tick 2"), 1);
}

TEST_F(handover_test, a_timer_that_never_comes_never_spins) {
    seen().tick_period = base::duration::max();
    EXPECT_EQ(reload({}), "done");
    auto& app = *seen().apps.at(2);
    app.once("never", base::duration::max(), [] { seen().log.push_back("once"); });
    app.every("again", 1s, [] { seen().log.push_back("again"); });
    app.every("again", base::duration::max(), [] { seen().log.push_back("again"); });
    app.spawn("sleeper", [](shaddock::app& with) -> awaitable<void> {
        co_await with.sleep(base::duration::max());
        seen().log.push_back("woken");
    }(app));
    pass(1h);
    EXPECT_FALSE(logged("tick 2"));
    EXPECT_FALSE(logged("once"));
    EXPECT_FALSE(logged("woken"));
    EXPECT_FALSE(logged("again"));
}

TEST_F(handover_test, ticks_get_the_real_time_also_across_a_reload) {
    pass(11s);
    seen().replacing = start_step::hangs;
    begin_reload({});
    pass(3s);
    EXPECT_EQ(seen().beats, (std::vector<double>{4, 4})) << "none while the state crosses";
    release();
    EXPECT_EQ(word(), "done");
    pass(5ms);
    EXPECT_EQ(seen().beats, (std::vector<double>{4, 4, 6}));
    pass(2s);
    EXPECT_EQ(seen().beats, (std::vector<double>{4, 4, 6, 2}));
}

} // namespace
} // namespace shaddock::server
