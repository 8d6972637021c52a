#include "module_reload.hpp"

#include "reload_text.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace shaddock::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Steps that end when told, and write down what they were asked.
class noted_steps final : public reload_steps {
public:
    void check(base::unique_function<void(result<void>)> done) override {
        asked.emplace_back("check");
        checked = std::move(done);
    }
    void load(base::unique_function<void(result<plugins>)> done) override {
        asked.emplace_back("load");
        loaded = std::move(done);
    }
    void look_ahead(const plugins&,
                    base::unique_function<void(std::vector<std::string>)> done) override {
        done(seen_ahead);
    }
    void swap(plugins next, base::unique_function<void(result<void>)> done) override {
        asked.push_back("swap " + next.front().file);
        swapped = [this, next, done = std::move(done)](const result<void>& outcome) mutable {
            if (outcome) {
                serving = {next.front().file, next.front().build_id, serving.generation + 1};
            }
            done(outcome);
        };
    }
    bool is_as_checked() const override { return is_unchanged; }
    master::running_build build_of(const plugins& next) const override {
        return {next.front().file, next.front().build_id, serving.generation + 1};
    }
    master::running_build now() const override { return serving; }
    void cancel() override { asked.emplace_back("cancel"); }

    std::vector<std::string> asked;
    std::vector<std::string> seen_ahead;
    bool is_unchanged = true;
    master::running_build serving{"one", "", 1};
    base::unique_function<void(result<void>)> checked;
    base::unique_function<void(result<plugins>)> loaded;
    base::unique_function<void(result<void>)> swapped;
};

class module_reload_jobs : public testing::Test {
protected:
    module_reload_jobs() { jobs.begin_with({{nullptr, "one"}}); }

    module_reload::report_call note() {
        return [this](const reload_report& report) { reports.push_back(report); };
    }
    void turn() {
        loop.restart();
        loop.poll();
    }
    /// Goes through with the job that has begun.
    void pass(const std::string& version) {
        turn();
        steps.checked(result<void>());
        steps.loaded(reload_steps::plugins{{nullptr, version}});
        steps.swapped(result<void>());
        turn();
    }
    std::vector<std::string> asked() { return std::exchange(steps.asked, {}); }

    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_steps steps;
    module_reload jobs{loop.get_executor(), clock, steps, "chat-1"};
    std::vector<reload_report> reports;
};

TEST_F(module_reload_jobs, check_then_load_then_swap) {
    jobs.reload(note());
    EXPECT_THAT(asked(), IsEmpty()) << "nothing inline";
    turn();
    EXPECT_THAT(asked(), ElementsAre("check"));
    steps.checked(result<void>());
    EXPECT_THAT(asked(), ElementsAre("load"));
    steps.loaded(reload_steps::plugins{{nullptr, "two", "b2"}});
    EXPECT_THAT(asked(), ElementsAre("swap two"));
    clock.advance(12ms);
    EXPECT_THAT(reports, IsEmpty());
    steps.swapped(result<void>());
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].from, (master::running_build{"one", "", 1}));
    EXPECT_EQ(reports[0].to, (master::running_build{"two", "b2", 2}));
    EXPECT_EQ(reports[0].took, 12ms);
}

TEST_F(module_reload_jobs, end_with_the_reason_of_the_step_that_refuses) {
    const error why(errc::config, "chat.so: no");
    jobs.reload(note());
    turn();
    steps.checked(why);
    jobs.reload(note());
    turn();
    steps.checked(result<void>());
    steps.loaded(why);
    jobs.reload(note());
    turn();
    steps.checked(result<void>());
    steps.loaded(reload_steps::plugins{{nullptr, "two"}});
    steps.swapped(why);
    ASSERT_EQ(reports.size(), 3U);
    for (const auto& report : reports) {
        EXPECT_FALSE(report.is_ok());
        EXPECT_EQ(report.reason, "chat.so: no");
        EXPECT_EQ(report.from.version, "one");
    }
    EXPECT_THAT(asked(), ElementsAre("check", "check", "load", "check", "load", "swap two"));
}

TEST_F(module_reload_jobs, say_whom_they_cut_off) {
    steps.seen_ahead = {"cuts off calls of a-1: x", "cuts off calls of a-2: x"};
    jobs.reload(note());
    pass("two");
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].cut_off, steps.seen_ahead);
    const auto told = master::reload_answer_from_json(to_json(1, reports[0]));
    EXPECT_EQ(told->cut_off, "cuts off calls of a-1: x\ncuts off calls of a-2: x");
    steps.seen_ahead.clear();
    jobs.add({true, false, note()});
    turn();
    steps.swapped(result<void>());
    turn();
    EXPECT_THAT(reports.back().cut_off, IsEmpty());
    EXPECT_EQ(to_json(2, reports.back()).find("cut_off"), std::string::npos);
}

TEST_F(module_reload_jobs, a_dry_run_says_whom_before_anything_is_swapped) {
    steps.seen_ahead = {"cuts off calls of a-1: x"};
    const auto look = [this] {
        jobs.add({false, true, note()});
        turn();
    };
    look();
    steps.checked(result<void>());
    steps.loaded(reload_steps::plugins{{nullptr, "two", "b2"}});
    EXPECT_THAT(asked(), ElementsAre("check", "load"));
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_TRUE(reports[0].is_dry_run);
    EXPECT_EQ(reports[0].cut_off, steps.seen_ahead);
    EXPECT_EQ(reports[0].to, (master::running_build{"two", "b2", 2}));
    EXPECT_EQ(steps.serving.version, "one");
    // What it opened serves the next one, as long as the files are the same.
    look();
    EXPECT_EQ(reports.size(), 2U);
    jobs.reload(note());
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap two"));
    steps.swapped(result<void>());
    EXPECT_FALSE(reports.back().is_dry_run);
    EXPECT_EQ(reports.back().cut_off, steps.seen_ahead);
    // Each reload opens the files anew.
    jobs.reload(note());
    pass("two");
    EXPECT_THAT(asked(), ElementsAre("check", "load", "swap two"));
}

TEST_F(module_reload_jobs, a_file_that_changed_after_a_dry_run_is_checked_again) {
    jobs.add({false, true, note()});
    turn();
    steps.checked(result<void>());
    steps.loaded(reload_steps::plugins{{nullptr, "two", "b2"}});
    steps.is_unchanged = false;
    jobs.reload(note());
    turn();
    steps.checked(error(errc::config, "chat.so: no"));
    EXPECT_THAT(asked(), ElementsAre("check", "load", "check"));
    // The refused file is now the one that was checked last; what was opened before is not it.
    steps.is_unchanged = true;
    jobs.reload(note());
    turn();
    EXPECT_THAT(asked(), ElementsAre("check"));
}

TEST_F(module_reload_jobs, run_one_after_the_other) {
    jobs.reload(note());
    jobs.reload(note());
    turn();
    EXPECT_THAT(asked(), ElementsAre("check"));
    pass("two");
    EXPECT_EQ(reports.size(), 1U);
    EXPECT_THAT(asked(), ElementsAre("load", "swap two", "check"));
    pass("three");
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_EQ(reports[1].from.version, "two");
}

TEST_F(module_reload_jobs, are_refused_when_too_many_wait) {
    for (std::size_t i = 0; i <= module_reload::waiting_limit; ++i) {
        jobs.reload(note());
    }
    turn();
    EXPECT_THAT(reports, IsEmpty());
    jobs.reload(note());
    turn();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_THAT(reports[0].reason, HasSubstr("8 reloads wait already"));
}

TEST_F(module_reload_jobs, roll_back_and_forward_without_a_check) {
    jobs.reload(note());
    pass("two");
    asked();
    jobs.add({true, false, note()});
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap one"));
    steps.swapped(result<void>());
    jobs.add({true, false, note()});
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap two"));
    steps.swapped(result<void>());
    ASSERT_EQ(reports.size(), 3U);
    EXPECT_EQ(reports[2].from, (master::running_build{"one", "", 3}));
    EXPECT_EQ(reports[2].to, (master::running_build{"two", "", 4}));
}

TEST_F(module_reload_jobs, have_nothing_to_roll_back_to_before_the_first_reload) {
    jobs.add({true, false, note()});
    turn();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_THAT(reports[0].reason, HasSubstr("there is no previous generation"));
    EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(module_reload_jobs, keep_the_way_back_when_a_reload_is_refused) {
    jobs.reload(note());
    pass("two");
    jobs.reload(note());
    turn();
    steps.checked(error(errc::config, "no"));
    asked();
    jobs.add({true, false, note()});
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap one"));
}

TEST_F(module_reload_jobs, end_when_the_server_stops) {
    jobs.reload(note());
    jobs.reload(note());
    turn();
    jobs.stop();
    EXPECT_THAT(asked(), ElementsAre("check", "cancel"));
    EXPECT_THAT(reports, IsEmpty()) << "nothing inline";
    jobs.reload(note());
    turn();
    ASSERT_EQ(reports.size(), 3U);
    for (const auto& report : reports) {
        EXPECT_EQ(report.reason, "the server is stopping");
        EXPECT_EQ(report.from.version, "one");
    }
    // What comes late is nobody's.
    steps.checked(result<void>());
    EXPECT_THAT(asked(), IsEmpty());
}

TEST(reload_order, says_job_and_direction) {
    const auto order = reload_order_from_json(R"({"job":7,"rollback":true,"dry_run":true})");
    ASSERT_TRUE(order);
    EXPECT_EQ(order->job, 7U);
    EXPECT_TRUE(order->is_rollback);
    EXPECT_TRUE(order->is_dry_run);
    EXPECT_FALSE(reload_order_from_json("{}")->is_rollback);
    for (const auto* const wrong : {"", "[]", R"({"job":-1})", R"({"rollback":1})", R"({"x":1})"}) {
        EXPECT_EQ(reload_order_from_json(wrong).error().code(), errc::bad_request) << wrong;
    }
}

TEST(reload_report, is_what_the_master_reads) {
    reload_report report;
    report.from = {"1", "ab", 1};
    report.to = {"2", "cd", 2};
    report.took = 12.34ms;
    EXPECT_EQ(to_json(7, report),
              R"({"job":7,"ok":true,"from":{"version":"1","build_id":"ab","generation":1},)"
              R"("to":{"version":"2","build_id":"cd","generation":2},"ms":12.3})");
    report.to.reset();
    report.reason = "chat.so: found \"x\"";
    EXPECT_EQ(to_json(8, report),
              R"({"job":8,"ok":false,"from":{"version":"1","build_id":"ab","generation":1},)"
              R"("reason":"chat.so: found \"x\"","ms":12.3})");
    EXPECT_EQ(master::reload_answer_from_json(to_json(8, report))->reason, report.reason);
}

} // namespace
} // namespace shaddock::cli
