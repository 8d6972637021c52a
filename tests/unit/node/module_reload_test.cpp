#include "module_reload.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace shaddock::node {
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
    control::running_build build_of(const plugins& next) const override {
        return {next.front().file, next.front().build_id, serving.generation + 1};
    }
    control::running_build now() const override { return serving; }
    void cancel() override { asked.emplace_back("cancel"); }

    std::vector<std::string> asked;
    std::vector<std::string> seen_ahead;
    bool is_unchanged = true;
    control::running_build serving{"one", "", 1};
    base::unique_function<void(result<void>)> checked;
    base::unique_function<void(result<plugins>)> loaded;
    base::unique_function<void(result<void>)> swapped;
};

class module_reload_jobs : public testing::Test {
protected:
    module_reload_jobs() { jobs.begin_with({{nullptr, "one"}}); }

    module_reload::report_call note() {
        return [this](const control::reload_record& one) { reports.push_back(one); };
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
    std::vector<control::reload_record> reports;
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
    EXPECT_EQ(reports[0].from, (control::running_build{"one", "", 1}));
    EXPECT_EQ(reports[0].to, (control::running_build{"two", "b2", 2}));
    EXPECT_EQ(reports[0].ms, 12);
    EXPECT_EQ(reports[0].id, "chat-1");
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
        EXPECT_FALSE(report.ok);
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
    EXPECT_EQ(reports[0].cut_off, "cuts off calls of a-1: x\ncuts off calls of a-2: x");
    steps.seen_ahead.clear();
    jobs.add({{0, true, false}, note()});
    turn();
    steps.swapped(result<void>());
    turn();
    EXPECT_FALSE(reports.back().cut_off);
}

TEST_F(module_reload_jobs, a_dry_run_says_whom_before_anything_is_swapped) {
    steps.seen_ahead = {"cuts off calls of a-1: x"};
    const auto look = [this] {
        jobs.add({{0, false, true}, note()});
        turn();
    };
    look();
    steps.checked(result<void>());
    steps.loaded(reload_steps::plugins{{nullptr, "two", "b2"}});
    EXPECT_THAT(asked(), ElementsAre("check", "load"));
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].dry_run, true);
    EXPECT_EQ(reports[0].cut_off, steps.seen_ahead[0]);
    EXPECT_EQ(reports[0].to, (control::running_build{"two", "b2", 2}));
    EXPECT_EQ(steps.serving.version, "one");
    // What it opened serves the next one, as long as the files are the same.
    look();
    EXPECT_EQ(reports.size(), 2U);
    jobs.reload(note());
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap two"));
    steps.swapped(result<void>());
    EXPECT_FALSE(reports.back().dry_run);
    EXPECT_EQ(reports.back().cut_off, steps.seen_ahead[0]);
    // Each reload opens the files anew.
    jobs.reload(note());
    pass("two");
    EXPECT_THAT(asked(), ElementsAre("check", "load", "swap two"));
}

TEST_F(module_reload_jobs, a_file_that_changed_after_a_dry_run_is_checked_again) {
    jobs.add({{0, false, true}, note()});
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
    EXPECT_THAT(reports[0].reason.value_or(""), HasSubstr("8 reloads wait already"));
}

TEST_F(module_reload_jobs, roll_back_and_forward_without_a_check) {
    jobs.reload(note());
    pass("two");
    asked();
    jobs.add({{0, true, false}, note()});
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap one"));
    steps.swapped(result<void>());
    jobs.add({{0, true, false}, note()});
    turn();
    EXPECT_THAT(asked(), ElementsAre("swap two"));
    steps.swapped(result<void>());
    ASSERT_EQ(reports.size(), 3U);
    EXPECT_EQ(reports[2].from, (control::running_build{"one", "", 3}));
    EXPECT_EQ(reports[2].to, (control::running_build{"two", "", 4}));
}

TEST_F(module_reload_jobs, have_nothing_to_roll_back_to_before_the_first_reload) {
    jobs.add({{0, true, false}, note()});
    turn();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_THAT(reports[0].reason.value_or(""), HasSubstr("there is no previous generation"));
    EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(module_reload_jobs, keep_the_way_back_when_a_reload_is_refused) {
    jobs.reload(note());
    pass("two");
    jobs.reload(note());
    turn();
    steps.checked(error(errc::config, "no"));
    asked();
    jobs.add({{0, true, false}, note()});
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

TEST_F(module_reload_jobs, are_told_as_the_master_has_numbered_them) {
    jobs.add({{7, false, false}, note()});
    pass("two");
    EXPECT_EQ(control::to_json(reports.back()),
              R"({"job":7,"id":"chat-1","type":"","ok":true,)"
              R"("from":{"version":"one","build_id":"","generation":1},)"
              R"("to":{"version":"two","build_id":"","generation":2},"ms":0})");
    jobs.add({{8, false, true}, note()});
    turn();
    steps.checked(error(errc::config, "chat.so: found \"x\""));
    EXPECT_EQ(control::to_json(reports.back()),
              R"({"job":8,"id":"chat-1","type":"","ok":false,"dry_run":true,)"
              R"("from":{"version":"two","build_id":"","generation":2},)"
              R"("reason":"chat.so: found \"x\"","ms":0})");
}

} // namespace
} // namespace shaddock::node
