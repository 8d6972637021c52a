#include "base/alive.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace shaddock::base {
namespace {

TEST(alive, does_what_it_guards_as_long_as_it_lives) {
    std::optional<alive> owner(std::in_place);
    int sum = 0;
    auto add = owner->guard([&sum](int more) { sum += more; });
    add(1);
    EXPECT_TRUE(*owner);
    owner.reset();
    add(2);
    EXPECT_EQ(sum, 1);
}

TEST(alive, can_end_before_it_is_destroyed) {
    alive owner;
    int calls = 0;
    auto count = owner.guard([&calls] { ++calls; });
    const auto flag = owner.flag();
    EXPECT_TRUE(*flag);
    owner.end();
    count();
    EXPECT_FALSE(owner);
    EXPECT_FALSE(*flag);
    EXPECT_EQ(calls, 0);
}

TEST(alive, may_be_ended_by_what_it_guards) {
    auto owner = std::make_unique<alive>();
    int calls = 0;
    auto last = owner->guard([&] {
        ++calls;
        owner.reset();
    });
    last();
    last();
    EXPECT_EQ(calls, 1);
}

TEST(alive, passes_on_what_is_only_moved) {
    alive owner;
    auto unwrap = owner.guard([kept = std::make_unique<int>(1)](
                                  std::unique_ptr<int> given) mutable { kept = std::move(given); });
    auto one = std::make_unique<int>(2);
    unwrap(std::move(one));
    EXPECT_EQ(one, nullptr);
}

} // namespace
} // namespace shaddock::base
