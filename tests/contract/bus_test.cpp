#include "bus_world.hpp"

#include <algorithm>

namespace shaddock::contract {

namespace {

using lines = std::vector<std::string>;

} // namespace

TYPED_TEST_SUITE(bus_contract, bus_worlds, world_name);

TYPED_TEST(bus_contract, links_when_the_smaller_id_starts_first) {
    auto& a = this->in.add("a");
    ASSERT_TRUE(a.start({"a", "b"}));
    this->in.runs_for(30ms);
    auto& b = this->in.add("b", 2);
    ASSERT_TRUE(b.start({"a", "b"}));
    ASSERT_TRUE(this->in.runs_until([&] { return !a.heard.empty() && !b.heard.empty(); }));
    EXPECT_EQ(a.heard, (lines{"up b@2"}));
    EXPECT_EQ(b.heard, (lines{"up a@1"}));
}

TYPED_TEST(bus_contract, links_when_the_larger_id_starts_first) {
    auto& b = this->in.add("b", 2);
    ASSERT_TRUE(b.start({"a", "b"}));
    this->in.runs_for(30ms);
    auto& a = this->in.add("a");
    ASSERT_TRUE(a.start({"a", "b"}));
    ASSERT_TRUE(this->in.runs_until([&] { return !a.heard.empty() && !b.heard.empty(); }));
    EXPECT_EQ(a.heard, (lines{"up b@2"}));
    EXPECT_EQ(b.heard, (lines{"up a@1"}));
}

TYPED_TEST(bus_contract, links_when_only_one_side_wants_it) {
    for (const bool smaller_wants : {true, false}) {
        auto& a = this->in.add("a");
        auto& b = this->in.add("b");
        ASSERT_TRUE(a.start(smaller_wants ? lines{"b"} : lines{}));
        ASSERT_TRUE(b.start(smaller_wants ? lines{} : lines{"a"}));
        this->in.link(a, "b");
        this->in.link(b, "a");
        this->in.stop_all();
    }
}

TYPED_TEST(bus_contract, answers_a_call_with_the_bytes_as_they_are) {
    auto& a = this->in.add("a");
    auto& b = this->in.add("b");
    ASSERT_TRUE(a.start({"b"}));
    ASSERT_TRUE(b.start({"a"}));
    this->in.link(a, "b");
    this->in.link(b, "a");
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all.push_back(static_cast<char>(i));
    }
    const auto there = call(this->in, a, "b", echo, all);
    const auto back = call(this->in, b, "a", echo, "");
    ASSERT_TRUE(this->in.runs_until([&] { return there->is_done() && back->is_done(); }));
    ASSERT_TRUE(there->what);
    EXPECT_EQ(*there->what, all);
    ASSERT_TRUE(back->what);
    EXPECT_EQ(*back->what, "");
}

} // namespace shaddock::contract
