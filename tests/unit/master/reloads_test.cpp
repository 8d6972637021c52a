#include "reloads.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Two chats, a connector and the page's server; what they are asked is remembered.
class reloading : public testing::Test, public reload_needs {
protected:
    reloading() {
        for (const auto* id : {"chat-1", "chat-2", "chat-3", "connector-1", "web"}) {
            child_report child;
            child.id = id;
            child.type = child.id.substr(0, child.id.find('-'));
            child.set_process(100);
            child.state = "ready";
            child.version = "1";
            child.build_id = "aa";
            child.generation = 4;
            child.is_server = child.id != "web";
            servers.push_back(child);
        }
    }
    child_report& server(std::string_view id) {
        return *std::ranges::find(servers, id, &child_report::id);
    }
    /// Begins a reload and goes on until the first server is asked.
    result<void> reload(const std::vector<std::string>& targets, bool with_rollback = false,
                        bool with_dry_run = false) {
        auto begun = one.start({targets, with_rollback, with_dry_run},
                               [this](const control::reload_results& now) {
                                   ended = now;
                                   ++ends;
                               });
        run();
        return begun;
    }
    /// All that does not wait for a server.
    void run() {
        for (int turn = 0; turn < 10; ++turn) {
            clock.advance(0ms);
        }
    }
    void swapped(const std::string& id) {
        one.on_answer(id, fmt::format(R"({{"job":{},"ok":true,"from":{{"version":"1",)"
                                      R"("build_id":"aa","generation":4}},"to":{{"version":"2",)"
                                      R"("build_id":"bb","generation":5}},"ms":12.5}})",
                                      number));
        run();
    }
    void refused(const std::string& id) {
        one.on_answer(id, fmt::format(R"({{"job":{},"ok":false,"from":{{"version":"1",)"
                                      R"("build_id":"aa","generation":4}},"reason":)"
                                      R"("chat.so: found a text","ms":3}})",
                                      number));
        run();
    }
    std::vector<std::string> outcomes() const {
        std::vector<std::string> all;
        for (const auto& each : ended.results) {
            const auto outcome = each.outcome();
            all.push_back(each.id + (outcome == control::reload_outcome::swapped   ? " swapped"
                                     : outcome == control::reload_outcome::refused ? " refused"
                                     : outcome == control::reload_outcome::would_swap
                                         ? " would swap"
                                         : " skipped"));
        }
        return all;
    }

    std::vector<child_report> children() const override { return servers; }
    bool ask(std::string_view id, const control::reload_order& order) override {
        if (id == without_line) {
            return false;
        }
        EXPECT_EQ(order.job, ++number);
        EXPECT_EQ(order.rollback, rollback);
        EXPECT_EQ(order.dry_run, dry_run);
        asked.emplace_back(id);
        return true;
    }
    base::duration patience(std::string_view) const override { return 30s; }
    void on_swapped(std::string_view id, const control::running_build& now) override {
        server(id).generation = now.generation;
    }
    void on_news(std::string_view text, bool is_bad) override {
        news.push_back((is_bad ? "bad: " : "") + std::string(text));
    }

    base::manual_clock clock;
    std::vector<child_report> servers;
    std::vector<std::string> asked;
    std::vector<std::string> news;
    control::reload_results ended;
    std::string without_line;
    std::uint64_t number = 70;
    bool rollback = false;
    bool dry_run = false;
    int ends = 0;
    reloads one{clock, *this, 70};
};

TEST_F(reloading, asks_the_servers_of_a_type_one_after_the_other) {
    ASSERT_TRUE(reload({"chat"}));
    EXPECT_THAT(asked, ElementsAre("chat-1"));
    swapped("chat-1");
    EXPECT_THAT(asked, ElementsAre("chat-1", "chat-2"));
    swapped("chat-2");
    EXPECT_EQ(ends, 0);
    swapped("chat-3");
    EXPECT_EQ(ends, 1);
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 swapped", "chat-2 swapped", "chat-3 swapped"));
    EXPECT_EQ(ended.results[0].type, "chat");
    EXPECT_EQ(ended.results[0].from, (control::running_build{"1", "aa", 4}));
    EXPECT_EQ(ended.results[0].to, (control::running_build{"2", "bb", 5}));
    EXPECT_EQ(ended.results[0].ms, 12.5);
    EXPECT_TRUE(control::has_succeeded(ended));
}

TEST_F(reloading, a_dry_run_swaps_nothing_and_says_no_swap) {
    dry_run = true;
    ASSERT_TRUE(reload({"chat"}, false, true));
    for (const auto* id : {"chat-1", "chat-2"}) {
        one.on_answer(id, fmt::format(R"({{"job":{},"ok":true,"dry_run":true,"from":{{}},"to":)"
                                      R"({{"version":"2","build_id":"bb","generation":5}},)"
                                      R"("cut_off":"cuts off calls of a-1","ms":1}})",
                                      number));
        run();
    }
    refused("chat-3");
    EXPECT_THAT(outcomes(),
                ElementsAre("chat-1 would swap", "chat-2 would swap", "chat-3 refused"));
    EXPECT_EQ(news.size(), 1U) << "the refusal";
    EXPECT_EQ(server("chat-1").generation, 4U);
    EXPECT_FALSE(control::has_succeeded(ended));
    ended.results.pop_back();
    EXPECT_TRUE(control::has_succeeded(ended));
    EXPECT_EQ(control::from_json<control::reload_results>(control::to_json(ended))->results,
              ended.results);
    EXPECT_THAT(control::to_table(ended), HasSubstr("would be 2 bb generation 5"));
    EXPECT_EQ(control::to_warning(ended),
              "before the swap of chat-1, chat-2:\n  cuts off calls of a-1\n");
    EXPECT_EQ(control::to_warning({}), "");
}

TEST_F(reloading, tells_people_and_the_list_of_each_swap) {
    ASSERT_TRUE(reload({"connector-1"}));
    swapped("connector-1");
    EXPECT_THAT(news, ElementsAre("connector-1 is reloaded: 1 (aa, generation 4) -> 2 (bb, "
                                  "generation 5), 12.5 ms"));
    EXPECT_EQ(server("connector-1").generation, 5U);
}

TEST_F(reloading, never_ends_inside_start) {
    server("connector-1").state = "starting";
    ASSERT_TRUE(one.start({{"connector-1"}}, [this](const auto&) { ++ends; }));
    EXPECT_EQ(ends, 0);
    run();
    EXPECT_EQ(ends, 1);
}

TEST_F(reloading, takes_types_and_ids_each_server_once) {
    ASSERT_TRUE(reload({"connector", "chat-2", "chat", "chat-1"}));
    for (const auto* id : {"connector-1", "chat-2", "chat-1", "chat-3"}) {
        ASSERT_EQ(asked.back(), id);
        swapped(id);
    }
    EXPECT_EQ(ends, 1);
    EXPECT_THAT(asked, SizeIs(4));
}

TEST_F(reloading, leaves_the_rest_of_a_type_alone_after_a_refusal) {
    ASSERT_TRUE(reload({"chat", "connector"}));
    swapped("chat-1");
    refused("chat-2");
    EXPECT_THAT(asked, ElementsAre("chat-1", "chat-2", "connector-1"));
    swapped("connector-1");
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 swapped", "chat-2 refused", "chat-3 skipped",
                                        "connector-1 swapped"));
    EXPECT_EQ(ended.results[1].reason, "chat.so: found a text");
    EXPECT_FALSE(ended.results[1].to);
    EXPECT_THAT(ended.results[2].reason.value_or(""), HasSubstr("has refused"));
    EXPECT_EQ(ended.results[2].from, (control::running_build{"1", "aa", 4}));
    EXPECT_FALSE(control::has_succeeded(ended));
    EXPECT_EQ(news[1], "bad: chat-2 is not reloaded and keeps 1 (aa, generation 4): chat.so: found "
                       "a text");
}

TEST_F(reloading, forgets_a_refusal_with_its_reload) {
    ASSERT_TRUE(reload({"chat-1"}));
    refused("chat-1");
    ASSERT_TRUE(reload({"chat-1"}));
    swapped("chat-1");
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 swapped"));
}

TEST_F(reloading, names_the_nearest_of_what_it_does_not_know) {
    const auto begun = reload({"caht", "chat", "conector-1", "web"});
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code(), errc::not_found);
    EXPECT_THAT(begun.error().text(),
                AllOf(HasSubstr("no server and no type 'caht'; nearest: chat"),
                      HasSubstr("'conector-1'; nearest: connector-1"), HasSubstr("'web'")));
    EXPECT_THAT(asked, IsEmpty());
    ASSERT_TRUE(reload({"chat-1"})) << "what was refused is not under way";
}

TEST_F(reloading, is_one_at_a_time) {
    ASSERT_TRUE(reload({"chat-1"}));
    const auto second = one.start({{"connector"}}, [](const auto&) { FAIL(); });
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), errc::duplicate);
    swapped("chat-1");
    EXPECT_THAT(asked, ElementsAre("chat-1"));
    EXPECT_TRUE(reload({"connector"}));
}

TEST_F(reloading, asks_for_the_generation_before) {
    rollback = true;
    ASSERT_TRUE(reload({"chat-1"}, true));
    EXPECT_THAT(asked, ElementsAre("chat-1"));
}

TEST_F(reloading, does_not_wait_for_ever) {
    ASSERT_TRUE(reload({"chat"}));
    clock.advance(29s);
    EXPECT_EQ(ends, 0);
    clock.advance(1s);
    run();
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 refused", "chat-2 skipped", "chat-3 skipped"));
    EXPECT_THAT(ended.results[0].reason.value_or(""), HasSubstr("no answer within 30 s"));
}

TEST_F(reloading, does_not_wait_for_who_has_answered) {
    ASSERT_TRUE(reload({"chat-1"}));
    swapped("chat-1");
    clock.advance(60s);
    EXPECT_EQ(ends, 1);
    EXPECT_THAT(news, SizeIs(1));
}

TEST_F(reloading, does_not_take_a_late_answer_for_that_to_the_next_question) {
    ASSERT_TRUE(reload({"chat-1"}));
    clock.advance(30s);
    run();
    ASSERT_EQ(ends, 1);
    ASSERT_TRUE(reload({"chat-1"}));
    one.on_answer("chat-1", R"({"job":71,"ok":true,"to":{"version":"2","generation":5}})");
    run();
    EXPECT_EQ(ends, 1);
    EXPECT_THAT(news.back(), HasSubstr("chat-1 is reloaded"));
    EXPECT_EQ(server("chat-1").generation, 5U);
    swapped("chat-1");
    EXPECT_EQ(ends, 2);
}

TEST_F(reloading, is_refused_by_a_server_that_goes_away) {
    ASSERT_TRUE(reload({"chat", "connector"}));
    one.on_gone("connector-1");
    one.on_gone("chat-1");
    run();
    EXPECT_THAT(asked, ElementsAre("chat-1", "connector-1"));
    swapped("connector-1");
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 refused", "chat-2 skipped", "chat-3 skipped",
                                        "connector-1 swapped"));
    EXPECT_THAT(ended.results[0].reason.value_or(""), HasSubstr("ended while it was reloading"));
}

TEST_F(reloading, passes_over_servers_that_are_stopped) {
    for (const auto* id : {"chat-1", "chat-3"}) {
        server(id).state = "stopped";
        server(id).set_process({});
    }
    ASSERT_TRUE(reload({"chat"}));
    swapped("chat-2");
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 skipped", "chat-2 swapped", "chat-3 skipped"));
    EXPECT_TRUE(control::has_succeeded(ended));
    EXPECT_THAT(ended.results[0].reason.value_or(""), HasSubstr("it is stopped"));
    EXPECT_EQ(ended.results[0].from.generation, 0U);
}

TEST_F(reloading, is_refused_when_a_stopped_server_is_named) {
    server("chat-1").state = "failed";
    ASSERT_TRUE(reload({"chat-1"}));
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 refused"));
    EXPECT_THAT(ended.results[0].reason.value_or(""), HasSubstr("it is failed"));
    ASSERT_TRUE(reload({"chat", "chat-1"}));
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 refused", "chat-2 skipped", "chat-3 skipped"));
}

TEST_F(reloading, is_refused_by_servers_that_cannot_be_asked) {
    server("chat-1").state = "draining";
    without_line = "connector-1";
    ASSERT_TRUE(reload({"chat", "connector"}));
    EXPECT_THAT(outcomes(), ElementsAre("chat-1 refused", "chat-2 skipped", "chat-3 skipped",
                                        "connector-1 refused"));
    EXPECT_THAT(ended.results[0].reason.value_or(""), HasSubstr("it is draining"));
    EXPECT_THAT(ended.results[3].reason.value_or(""), HasSubstr("no line"));
    EXPECT_THAT(asked, IsEmpty());
}

TEST_F(reloading, sees_what_has_become_of_a_server_meanwhile) {
    ASSERT_TRUE(reload({"chat"}));
    server("chat-2").state = "stopped";
    swapped("chat-1");
    EXPECT_THAT(asked, ElementsAre("chat-1", "chat-3"));
}

TEST_F(reloading, is_refused_by_an_answer_that_makes_no_sense) {
    for (const auto* nonsense : {"5", "{}", R"({"job":71,"ok":true})", R"({"ok":false})"}) {
        ends = 0;
        ASSERT_TRUE(reload({"chat-1"}));
        one.on_answer("chat-1", nonsense);
        run();
        ASSERT_EQ(ends, 1) << nonsense;
        EXPECT_THAT(outcomes(), ElementsAre("chat-1 refused"));
    }
}

TEST_F(reloading, hears_of_what_servers_do_on_their_own) {
    one.on_answer("chat-2", R"({"job":0,"ok":true,"from":{"version":"1","generation":4},)"
                            R"("to":{"version":"2","build_id":"bb","generation":5},"ms":1})");
    one.on_answer("chat-2", R"({"job":0,"ok":false,"from":{"version":"2","generation":5},)"
                            R"("reason":"chat.so: found a text","ms":1})");
    EXPECT_THAT(news, ElementsAre("chat-2 is reloaded: 1 (-, generation 4) -> 2 (bb, generation "
                                  "5), 1.0 ms",
                                  "bad: chat-2 is not reloaded and keeps 2 (-, generation 5): "
                                  "chat.so: found a text"));
    EXPECT_EQ(server("chat-2").generation, 5U);
}

} // namespace
} // namespace shaddock::master
