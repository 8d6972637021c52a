#pragma once

#include "cluster.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace shaddock::cluster_test {

using texts = std::vector<std::string>;

/// Two members in each of so many rooms, who talk without waiting for answers.
class talk {
public:
    explicit talk(system& in, int rooms = 12) : all(in) {
        for (int n = 0; n < rooms; ++n) {
            auto& made = pairs.emplace_back();
            made.room = fmt::format("room{}", n);
            made.ann = &all.enter("connector-server-1", "ann", made.room);
            made.bob = &all.enter("connector-server-2", "bob", made.room);
            all.settle();
            made.ann->take_pushes();
        }
    }
    void say() {
        for (auto& each : pairs) {
            each.asked.push_back(each.ann->send(
                "chat.chatHandler.send",
                fmt::format(R"({{"content":"{}","target":"*"}})", each.asked.size())));
        }
    }
    void say_until(const std::function<bool()>& is_so) {
        const auto begun = std::chrono::steady_clock::now();
        while (!is_so() && std::chrono::steady_clock::now() - begun < 5s) {
            say();
            all.until([] { return false; }, 3ms);
        }
        EXPECT_TRUE(is_so());
    }
    /// All answered, and heard by both, once and in order.
    void expect_whole() {
        for (auto& each : pairs) {
            for (const auto id : each.asked) {
                EXPECT_EQ(all.answer(*each.ann, id), "{}") << each.room;
            }
            for (auto* who : {each.ann, each.bob}) {
                EXPECT_TRUE(all.until([&] { return who->pushes.size() >= each.asked.size(); }));
                texts heard;
                for (std::size_t n = 0; n < each.asked.size(); ++n) {
                    heard.push_back(
                        fmt::format(R"(onChat {{"msg":"{}","from":"ann","target":"*"}})", n));
                }
                EXPECT_EQ(who->take_pushes(), heard) << each.room;
            }
        }
    }
    struct pair {
        std::string room;
        chat_client* ann = nullptr;
        chat_client* bob = nullptr;
        std::vector<std::uint32_t> asked;
    };
    system& all;
    std::vector<pair> pairs;
};

} // namespace shaddock::cluster_test
