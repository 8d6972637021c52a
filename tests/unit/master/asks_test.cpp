#include "asks.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <vector>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class questions_of_a_master : public testing::Test {
protected:
    asks::done_call note() {
        return [this](result<std::string> answer) { outcomes.push_back(std::move(answer)); };
    }

    base::manual_clock clock;
    bool has_line = true;
    std::vector<std::string> said;
    std::vector<result<std::string>> outcomes;
    asks asked{clock,
               [this](std::string_view id, std::string_view name, std::string_view args) {
                   said.push_back(std::string(id) + " " + std::string(name) + " " +
                                  std::string(args));
                   return has_line;
               },
               7};
};

TEST_F(questions_of_a_master, are_answered_by_number) {
    asked.ask("chat-1", "metrics", R"({"a":1})", 1s, note());
    asked.ask("chat-2", "metrics", "{}", 1s, note());
    EXPECT_THAT(said, ElementsAre(R"(chat-1 ask {"n":7,"what":"metrics","args":{"a":1}})",
                                  R"(chat-2 ask {"n":8,"what":"metrics","args":{}})"));
    asked.on_answer("chat-2", R"({"n":8,"body":[1, {"b":"c"}]})");
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(*outcomes[0], R"([1,{"b":"c"}])");
    asked.on_answer("chat-1", R"({"n":7,"error":"no"})");
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[1].error().code(), errc::application);
    EXPECT_EQ(outcomes[1].error().text(), "chat-1: no");
    clock.advance(2s);
    EXPECT_EQ(outcomes.size(), 2U) << "each once";
}

TEST_F(questions_of_a_master, are_not_answered_by_others) {
    asked.ask("chat-1", "metrics", "{}", 1s, note());
    for (const auto* text : {R"({"n":6,"body":1})", "{}", "[", "1"}) {
        asked.on_answer("chat-1", text);
    }
    asked.on_answer("chat-2", R"({"n":7,"body":1})");
    EXPECT_TRUE(outcomes.empty());
}

TEST_F(questions_of_a_master, end_in_time) {
    asked.ask("chat-1", "metrics", "{}", 1s, note());
    clock.advance(1s);
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].error().code(), errc::timeout);
    EXPECT_THAT(outcomes[0].error().text(), HasSubstr("chat-1 has not answered 'metrics'"));
}

TEST_F(questions_of_a_master, end_with_the_line) {
    asked.ask("chat-1", "metrics", "{}", 1s, note());
    asked.ask("chat-2", "metrics", "{}", 1s, note());
    asked.on_gone("chat-1");
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].error().code(), errc::disconnected);
}

TEST_F(questions_of_a_master, need_a_line) {
    has_line = false;
    asked.ask("chat-1", "metrics", "{}", 1s, note());
    EXPECT_TRUE(outcomes.empty()) << "nothing inline";
    clock.advance(1ms);
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].error().code(), errc::no_server);
}

} // namespace
} // namespace shaddock::master
