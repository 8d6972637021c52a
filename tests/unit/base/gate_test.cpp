#include "base/gate.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace shaddock::base {
namespace {

struct gate_test : testing::Test {
    gate work;
    int ends = 0;
    void close() {
        work.close([this] { ++ends; });
    }
};

TEST_F(gate_test, counts_who_is_inside_until_they_leave) {
    {
        const auto one = work.enter();
        auto other = work.enter();
        EXPECT_TRUE(one && other);
        EXPECT_EQ(work.inside(), 2u);
        const auto moved = std::move(*other);
        EXPECT_EQ(work.inside(), 2u) << "a pass that was moved is still one";
    }
    EXPECT_EQ(work.inside(), 0u);
    EXPECT_FALSE(work.is_closed());
    close();
}

TEST_F(gate_test, lets_nobody_in_once_it_is_closed) {
    auto before = work.enter();
    close();
    EXPECT_TRUE(work.is_closed());
    EXPECT_FALSE(work.enter());
    EXPECT_EQ(work.inside(), 1u);
    before.reset();
    EXPECT_FALSE(work.enter());
    EXPECT_EQ(ends, 1);
}

TEST_F(gate_test, tells_once_when_the_last_leaves) {
    auto one = work.enter();
    auto other = work.enter();
    close();
    one.reset();
    EXPECT_EQ(ends, 0);
    other.reset();
    EXPECT_EQ(ends, 1);
}

TEST_F(gate_test, tells_at_once_when_nobody_is_inside) {
    close();
    EXPECT_EQ(ends, 1);
}

TEST_F(gate_test, an_assigned_pass_leaves_what_it_was_in) {
    gate other;
    {
        auto here = work.enter().value();
        here = other.enter().value();
        EXPECT_EQ(work.inside(), 0u);
        EXPECT_EQ(other.inside(), 1u);
    }
    EXPECT_EQ(other.inside(), 0u);
    close();
    other.close({});
}

TEST_F(gate_test, who_is_told_may_destroy_it) {
    auto own = std::make_unique<gate>();
    auto last = own->enter();
    own->close([&] { own.reset(); });
    last.reset();
    EXPECT_EQ(own, nullptr);
}

#if !defined(NDEBUG) && GTEST_HAS_DEATH_TEST
struct gate_death_test : testing::Test {
    gate_death_test() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(gate_death_test, destroyed_with_work_inside) {
    EXPECT_DEATH(
        {
            std::optional<gate::pass> inside;
            gate work;
            inside = work.enter();
            work.close({});
        },
        "destroyed with work inside");
}

TEST_F(gate_death_test, entered_and_never_closed) {
    EXPECT_DEATH(
        {
            gate work;
            (void)work.enter();
        },
        "never closed");
}
#endif

} // namespace
} // namespace shaddock::base
