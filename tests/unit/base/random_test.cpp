#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace shaddock::base {
namespace {

TEST(random, one_seed_gives_one_sequence) {
    random one(7);
    random same(7);
    random other(8);
    const auto first = one.next();
    EXPECT_EQ(first, same.next());
    EXPECT_NE(first, other.next());
    EXPECT_NE(first, one.next());
    EXPECT_EQ(random(5489).next(), 14514284786278117030U) << "on any machine";
}

TEST(random, secrets_have_the_wanted_length_and_are_never_the_same) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto bytes = random_bytes(32);
        EXPECT_EQ(bytes.size(), 32u);
        EXPECT_TRUE(seen.insert(bytes).second);
    }
    EXPECT_EQ(random_bytes(0), "");
    EXPECT_EQ(random_bytes(256).size(), 256u);
    EXPECT_NE(random_seed(), random_seed());
}

} // namespace
} // namespace shaddock::base
