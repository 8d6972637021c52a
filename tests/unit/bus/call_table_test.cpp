#include "call_table.hpp"

#include "link.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace shaddock::bus {

namespace {

using namespace std::chrono_literals;

class no_link final : public link {
public:
    explicit no_link(core& owner) : link(owner, 1024) {}
    void flush() override {}
    void drain() override {}

protected:
    void shut() override {}
    void read_on() override {}
};

class call_table_test : public testing::Test {
protected:
    /// The links are only names here: nothing reaches their bus.
    core& nobody = *reinterpret_cast<core*>(&place_);
    base::manual_clock clock;
    base::outcome_counts outcomes;
    call_table table{clock, outcomes};
    no_link one{nobody};
    no_link other{nobody};
    std::vector<std::string> ends;

    std::uint64_t add(std::string name, base::duration timeout, link& via) {
        return table.add(via, clock.now() + timeout,
                         [this, name = std::move(name)](const result<std::string>& what) {
                             ends.push_back(
                                 name + " " +
                                 (what ? *what : std::string(to_string(what.error().code()))));
                         });
    }

private:
    alignas(std::max_align_t) char place_[64]{};
};

} // namespace

TEST_F(call_table_test, gives_a_call_back_once) {
    const auto call = add("x", 1s, one);
    EXPECT_EQ(table.size(), 1U);
    auto done = table.take(call, one);
    ASSERT_TRUE(done);
    EXPECT_FALSE(table.take(call, one));
    EXPECT_EQ(table.size(), 0U);
    clock.advance(2s);
    EXPECT_TRUE(ends.empty()) << "a taken call timed out";
}

TEST_F(call_table_test, gives_no_call_to_another_link_or_an_invented_number) {
    const auto call = add("x", 1s, one);
    EXPECT_FALSE(table.take(call, other));
    EXPECT_FALSE(table.take(0, one));
    EXPECT_FALSE(table.take(call + 1, one));
    EXPECT_FALSE(table.take(call + (1ULL << 32U), one));
    EXPECT_TRUE(table.take(call, one));
}

TEST_F(call_table_test, never_uses_a_number_again) {
    const auto first = add("first", 1s, one);
    table.take(first, one);
    const auto second = add("second", 1s, one);
    EXPECT_NE(first, second);
    EXPECT_FALSE(table.take(first, one)) << "a late answer would end another call";
    EXPECT_TRUE(table.take(second, one));
}

TEST_F(call_table_test, ends_calls_in_the_order_of_their_deadlines) {
    add("slow", 30s, one);
    add("quick", 10s, one);
    add("middle", 20s, other);
    clock.advance(9999ms);
    EXPECT_TRUE(ends.empty());
    clock.advance(1ms);
    EXPECT_EQ(ends, (std::vector<std::string>{"quick timeout"}));
    clock.advance(1min);
    EXPECT_EQ(ends, (std::vector<std::string>{"quick timeout", "middle timeout", "slow timeout"}));
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(outcomes.of(errc::timeout), 3U);
    EXPECT_EQ(outcomes.total(), 3U);
}

TEST_F(call_table_test, takes_out_the_calls_of_one_link_in_order) {
    std::vector<std::uint64_t> calls;
    for (int i = 0; i < 100; ++i) {
        calls.push_back(add(std::to_string(i), 1s, i % 2 == 0 ? one : other));
    }
    // Freed places are used again: the order of places is not that of calls.
    table.take(calls[0], one);
    table.take(calls[50], one);
    add("new", 1s, one);
    auto taken = table.take_all(&one);
    EXPECT_EQ(taken.size(), 49U);
    for (auto& done : taken) {
        done(std::string("out"));
    }
    EXPECT_EQ(ends.front(), "2 out");
    EXPECT_EQ(ends.back(), "new out");
    EXPECT_EQ(table.size(), 50U);
    EXPECT_EQ(table.take_all(nullptr).size(), 50U);
    clock.advance(2s);
    EXPECT_EQ(ends.size(), 49U);
}

TEST_F(call_table_test, survives_a_completion_that_takes_the_others_out) {
    table.add(one, clock.now() + 1s, [this](const result<std::string>&) {
        ends.emplace_back("first");
        table.take_all(nullptr);
    });
    add("second", 1s, one);
    clock.advance(2s);
    EXPECT_EQ(ends, (std::vector<std::string>{"first"}));
}

TEST_F(call_table_test, times_out_what_remains_after_many_finished_calls) {
    add("remains", 5s, one);
    for (int i = 0; i < 10000; ++i) {
        ASSERT_TRUE(table.take(add("x", 10s, one), one));
    }
    add("too", 7s, one);
    clock.advance(6s);
    EXPECT_EQ(ends, (std::vector<std::string>{"remains timeout"}));
    clock.advance(6s);
    EXPECT_EQ(ends, (std::vector<std::string>{"remains timeout", "too timeout"}));
}

} // namespace shaddock::bus
