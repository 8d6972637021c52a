#include "restarts.hpp"

#include <gmock/gmock.h>

#include <map>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// Three chats and a gate; stops and starts end when the test says so.
class restarting : public testing::Test, public restart_port {
protected:
    restarting() {
        for (const auto* id : {"chat-1", "chat-2", "chat-3", "gate-1"}) {
            child_report report;
            report.id = id;
            report.type = report.id.substr(0, report.id.find('-'));
            report.pid = 100;
            report.state = child_state::ready;
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

    result<void> start(const std::vector<std::string>& targets) {
        auto begun_now = one.start(targets, [this](const auto& got) { lines = got; });
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
    std::vector<std::string> log;
    std::vector<std::string> news;
    base::unique_function<void()> stopped;
    base::unique_function<void(result<void>)> begun;
    std::optional<std::vector<start_line>> lines;
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
    EXPECT_FALSE(lines);
    end_stop();
    end_begin({});
    ASSERT_TRUE(lines);
    EXPECT_TRUE(has_succeeded(*lines));
    EXPECT_EQ(lines->at(1),
              (start_line{"gate-1", "gate", start_outcome::ready, 100, "", lines->at(1).ms}));
    EXPECT_DOUBLE_EQ(lines->at(0).ms, 3);
    EXPECT_THAT(news, ElementsAre(HasSubstr("chat-2 is restarted"), HasSubstr("gate-1 is")));
}

TEST_F(restarting, does_not_start_what_somebody_has_stopped_meanwhile) {
    ASSERT_TRUE(start({"chat"}));
    one.leave_out({"chat-1", "chat-2"});
    end_stop();
    clock.advance(0ms);
    EXPECT_THAT(log, ElementsAre("stop chat-1", "stop chat-3"));
    end_stop();
    end_begin({});
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->at(0).outcome, start_outcome::skipped);
    EXPECT_EQ(lines->at(1).outcome, start_outcome::skipped);
    EXPECT_THAT(lines->at(1).reason, HasSubstr("stopped by another command"));
    EXPECT_EQ(lines->at(2).outcome, start_outcome::ready);
    EXPECT_FALSE(has_succeeded(*lines));

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
    EXPECT_EQ(find_targets({"all"}, all)->size(), 4U);
    EXPECT_EQ(find_targets({"all"}, all, more_targets::all_and_page)->size(), 4U);
    EXPECT_FALSE(find_targets({"web"}, all)) << "it has no levels to change";
}

TEST_F(restarting, leaves_the_rest_of_a_type_alone_after_a_failure) {
    ASSERT_TRUE(start({"chat", "gate-1"}));
    end_stop();
    end_begin(error(errc::config, "it ended before it was ready:\nits last words"));
    end_stop();
    end_begin({});
    EXPECT_THAT(log, ElementsAre("stop chat-1", "begin chat-1", "stop gate-1", "begin gate-1"));
    ASSERT_TRUE(lines);
    EXPECT_FALSE(has_succeeded(*lines));
    EXPECT_EQ(to_table(*lines).substr(to_table(*lines).find('\n') + 1),
              "chat-1               chat         failed              -        3\n"
              "  it ended before it was ready:\n"
              "  its last words\n"
              "chat-2               chat         not touched         -        -\n"
              "  not touched: another server of its type has failed\n"
              "chat-3               chat         not touched         -        -\n"
              "  not touched: another server of its type has failed\n"
              "gate-1               gate         ready             100        3\n");
    EXPECT_EQ(starts_from_json(to_json(*lines)).value(), *lines);
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
