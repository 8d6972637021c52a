#include "control/reload.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

TEST(reload_results, come_back_as_they_were) {
    const reload_record swapped{.id = "chat-1",
                                .type = "chat",
                                .ok = true,
                                .from = {"1", "aa", 4},
                                .to = running_build{"2", "bb", 5},
                                .ms = 12.3};
    const reload_record refused{.id = "chat-2",
                                .type = "chat",
                                .from = {"1", "aa", 4},
                                .reason = "chat.so: found \"x\"",
                                .ms = 3};
    const reload_record skipped{.id = "chat-3",
                                .type = "chat",
                                .skipped = true,
                                .from = {"1", "aa", 4},
                                .reason = "not asked"};
    const reload_results all{{swapped, refused, skipped}};
    EXPECT_EQ(to_json(all), R"({"results":[{"id":"chat-1","type":"chat","ok":true,)"
                            R"("from":{"version":"1","build_id":"aa","generation":4},)"
                            R"("to":{"version":"2","build_id":"bb","generation":5},"ms":12.3},)"
                            R"({"id":"chat-2","type":"chat","ok":false,)"
                            R"("from":{"version":"1","build_id":"aa","generation":4},)"
                            R"("reason":"chat.so: found \"x\"","ms":3},)"
                            R"({"id":"chat-3","type":"chat","ok":false,"skipped":true,)"
                            R"("from":{"version":"1","build_id":"aa","generation":4},)"
                            R"("reason":"not asked","ms":0}]})");
    const auto back = from_json<reload_results>(to_json(all));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->results, all.results);
    for (const auto* wrong : {"", "[]", R"({"results":5})", R"({"results":[5]})"}) {
        EXPECT_FALSE(from_json<reload_results>(wrong)) << wrong;
    }
}

TEST(reload_results, are_a_table_for_people) {
    const reload_record swapped{.id = "chat-1",
                                .type = "chat",
                                .ok = true,
                                .from = {"0.1.0", "0123456789abcdef", 4},
                                .to = running_build{"0.2.0", "", 5},
                                .ms = 12.34};
    const reload_record refused{.id = "chat-2", .type = "chat", .reason = "one\ntwo"};
    auto skipped = refused;
    skipped.skipped = true;
    skipped.reason = "not asked";
    EXPECT_EQ(to_table({{swapped, refused, skipped}}),
              "id                   from                                    to                "
              "                         ms\n"
              "chat-1               0.1.0 0123456789ab generation 4      -> 0.2.0 - generation 5 "
              "                    12.3\n"
              "chat-2               -                                    -> refused           "
              "                        0.0\n"
              "  one\n"
              "  two\n"
              "chat-2               -                                    -> not touched       "
              "                          -\n"
              "  not asked\n");
    skipped.reason = "\x1b[2Jgone";
    EXPECT_EQ(to_table({{skipped}}).find('\x1b'), std::string::npos)
        << "a plugin's text is no escape";
}

TEST(reload_results, succeed_when_somebody_swaps_and_nobody_refuses) {
    const reload_record refused{.reason = "no"};
    const reload_record skipped{.skipped = true, .reason = "no"};
    const reload_record swapped{.ok = true, .to = running_build{}};
    EXPECT_FALSE(has_succeeded(reload_results{}));
    EXPECT_FALSE(has_succeeded(reload_results{{skipped}}));
    EXPECT_TRUE(has_succeeded(reload_results{{skipped, swapped}}));
    EXPECT_FALSE(has_succeeded(reload_results{{swapped, refused}}));
}

} // namespace
} // namespace shaddock::control
