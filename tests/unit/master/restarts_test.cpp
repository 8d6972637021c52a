#include "restarts.hpp"

#include <gmock/gmock.h>

#include <map>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Three chats and a gate; stops and starts end when the test says so.
class restarting : public testing::Test, public restart_needs {
protected:
    restarting() {
        for (const auto* id : {"chat-1", "chat-2", "chat-3", "gate-1"}) {
            child_report report;
            report.id = id;
            report.type = report.id.substr(0, report.id.find('-'));
            report.set_process(100);
            report.state = "ready";
            all.push_back(report);
        }
    }
    std::vector<child_report> children() const override { return all; }
    result<void> end(std::string_view id, base::unique_function<void()> done) override {
        log.push_back("stop " + std::string(id));
        stopped = std::move(done);
        return {};
    }
    void begin(std::string_view id, base::unique_function<void(result<void>)> done) override {
        log.push_back("begin " + std::string(id));
        begun = std::move(done);
    }
    void on_news(std::string_view text, bool) override { news.emplace_back(text); }
    void check(base::unique_function<void(result<void>)> done) override { done(files); }

    result<void> start(const std::vector<std::string>& targets) {
        auto begun_now =
            one.start(targets, [this](const control::start_results& got) { made = got; });
        clock.advance(0ms);
        return begun_now;
    }
    void end_stop() { std::exchange(stopped, nullptr)(); }
    void end_begin(result<void> outcome) {
        clock.advance(3ms);
        std::exchange(begun, nullptr)(std::move(outcome));
        clock.advance(0ms);
    }

    std::vector<child_report> all;
    result<void> files;
    std::vector<std::string> log;
    std::vector<std::string> news;
    base::unique_function<void()> stopped;
    base::unique_function<void(result<void>)> begun;
    std::optional<control::start_results> made;
    base::manual_clock clock;
    restarts one{clock, *this};
};

TEST_F(restarting, goes_one_after_the_other) {
    ASSERT_TRUE(start({"chat-2", "gate"}));
    EXPECT_THAT(log, ElementsAre("stop chat-2"));
    end_stop();
    EXPECT_THAT(log, ElementsAre("stop chat-2", "begin chat-2"));
    end_begin({});
    EXPECT_THAT(log, ElementsAre("stop chat-2", "begin chat-2", "stop gate-1"));
    EXPECT_FALSE(made);
    end_stop();
    end_begin({});
    ASSERT_TRUE(made);
    EXPECT_TRUE(control::has_succeeded(*made));
    EXPECT_EQ(
        made->results.at(1),
        (control::start_record{.id = "gate-1", .type = "gate", .ok = true, .pid = 100, .ms = 3}));
    EXPECT_EQ(made->results.at(0).ms, 3);
    EXPECT_THAT(news, ElementsAre(HasSubstr("chat-2 is restarted"), HasSubstr("gate-1 is")));
}

TEST_F(restarting, touches_nothing_when_the_files_are_broken) {
    files = error(errc::config, "host.yaml:3: wrong");
    ASSERT_TRUE(start({"chat"}));
    EXPECT_THAT(log, testing::IsEmpty());
    ASSERT_TRUE(made);
    EXPECT_EQ(made->results.size(), 3U);
    EXPECT_FALSE(control::has_succeeded(*made));
    EXPECT_EQ(made->results.at(0).outcome(), control::start_outcome::skipped);
    EXPECT_EQ(made->results.at(0).reason.value_or(""), "not touched: host.yaml:3: wrong");
    files = {};
    ASSERT_TRUE(start({"chat"}));
    EXPECT_THAT(log, ElementsAre("stop chat-1"));
}

TEST_F(restarting, does_not_start_what_somebody_has_stopped_meanwhile) {
    ASSERT_TRUE(start({"chat"}));
    one.leave_out({"chat-1", "chat-2"});
    end_stop();
    clock.advance(0ms);
    EXPECT_THAT(log, ElementsAre("stop chat-1", "stop chat-3"));
    end_stop();
    end_begin({});
    ASSERT_TRUE(made);
    EXPECT_EQ(made->results.at(0).outcome(), control::start_outcome::skipped);
    EXPECT_EQ(made->results.at(1).outcome(), control::start_outcome::skipped);
    EXPECT_THAT(made->results.at(1).reason.value_or(""), HasSubstr("stopped by another command"));
    EXPECT_EQ(made->results.at(2).outcome(), control::start_outcome::ready);
    EXPECT_FALSE(control::has_succeeded(*made));

    log.clear();
    ASSERT_TRUE(start({"chat-2"}));
    EXPECT_THAT(log, ElementsAre("stop chat-2")) << "a later restart knows nothing of it";
}

TEST_F(restarting, brings_back_the_page_when_it_is_named) {
    child_report page;
    page.id = page.type = "web";
    page.is_server = false;
    all.push_back(page);
    ASSERT_TRUE(start({"web"}));
    EXPECT_THAT(log, ElementsAre("stop web"));
}

TEST_F(restarting, leaves_the_rest_of_a_type_alone_after_a_failure) {
    ASSERT_TRUE(start({"chat", "gate-1"}));
    end_stop();
    end_begin(error(errc::config, "it ended before it was ready:\nits last words"));
    end_stop();
    end_begin({});
    EXPECT_THAT(log, ElementsAre("stop chat-1", "begin chat-1", "stop gate-1", "begin gate-1"));
    ASSERT_TRUE(made);
    EXPECT_FALSE(control::has_succeeded(*made));
    EXPECT_EQ(to_table(*made).substr(to_table(*made).find('\n') + 1),
              "chat-1               chat         failed              -        3\n"
              "  it ended before it was ready:\n"
              "  its last words\n"
              "chat-2               chat         not touched         -        -\n"
              "  not touched: another server of its type has failed\n"
              "chat-3               chat         not touched         -        -\n"
              "  not touched: another server of its type has failed\n"
              "gate-1               gate         ready             100        3\n");
}

TEST_F(restarting, knows_whose_turn_is_still_to_come_or_not_over) {
    ASSERT_TRUE(start({"chat-1", "chat-2"}));
    EXPECT_TRUE(one.has("chat-1"));
    EXPECT_TRUE(one.has("chat-2"));
    EXPECT_FALSE(one.has("chat-3"));
    end_stop();
    EXPECT_TRUE(one.has("chat-1"));
    end_begin({});
    EXPECT_FALSE(one.has("chat-1"));
    EXPECT_TRUE(one.has("chat-2"));
    end_stop();
    end_begin({});
    EXPECT_FALSE(one.has("chat-2"));
}

TEST_F(restarting, is_one_at_a_time) {
    ASSERT_TRUE(start({"chat-1"}));
    const auto second = start({"chat-2"});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), errc::duplicate);
    end_stop();
    end_begin({});
    EXPECT_TRUE(start({"all"}));
}

TEST_F(restarting, touches_nothing_for_an_unknown_target) {
    const auto begun_now = start({"chat", "gaet"});
    ASSERT_FALSE(begun_now);
    EXPECT_THAT(begun_now.error().text(), HasSubstr("no server and no type 'gaet'; nearest: gate"));
    EXPECT_TRUE(log.empty());
}

} // namespace
} // namespace shaddock::master
