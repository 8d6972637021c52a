#include "node/questions.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

namespace shaddock::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class asked_server : public testing::Test {
protected:
    std::vector<std::string> said;
    std::unique_ptr<questions> asked =
        std::make_unique<questions>([this](std::string_view answer) { said.emplace_back(answer); });
};

TEST_F(asked_server, answers_by_name_and_number) {
    asked->on("twice", [](std::string_view args, questions::reply_call reply) {
        reply("[" + std::string(args) + "," + std::string(args) + "]");
    });
    asked->on("never", [](std::string_view, questions::reply_call reply) {
        reply(error(errc::refused, "not \"today\""));
    });
    asked->serve(R"({"n":7,"what":"twice","args":{"a": 1}})");
    asked->serve(R"({"n":8,"what":"never"})");
    EXPECT_THAT(said, ElementsAre(R"({"n":7,"body":[{"a":1},{"a":1}]})",
                                  R"({"n":8,"error":"not \"today\""})"));
}

TEST_F(asked_server, says_what_it_knows) {
    asked->on("metrics", [](std::string_view, const questions::reply_call&) {});
    asked->serve(R"({"n":7,"what":"weather","args":{}})");
    ASSERT_EQ(said.size(), 1U);
    EXPECT_THAT(said[0], HasSubstr("nobody answers 'weather' here; there are: metrics"));
}

TEST_F(asked_server, gives_no_answer_to_what_has_no_number) {
    for (const auto* text : {"", "[]", "{}", R"({"n":"7","what":"x"})", R"({"n":7,"what":1})"}) {
        asked->serve(text);
    }
    EXPECT_TRUE(said.empty());
}

TEST_F(asked_server, may_answer_late_and_also_when_it_is_gone) {
    questions::reply_call kept;
    asked->on("later",
              [&](std::string_view, questions::reply_call reply) { kept = std::move(reply); });
    asked->serve(R"({"n":7,"what":"later","args":{}})");
    EXPECT_TRUE(said.empty());
    asked.reset();
    kept(std::string("{}"));
    EXPECT_TRUE(said.empty());
}

} // namespace
} // namespace shaddock::node
