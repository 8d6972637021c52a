#include <net/drop.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace shaddock::net {
namespace {

TEST(drop, has_a_name_of_its_own_for_every_reason) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < drop_reasons; ++i) {
        names.emplace(to_string(static_cast<drop>(i)));
    }
    EXPECT_EQ(names.size(), drop_reasons);
    EXPECT_FALSE(names.contains("unknown"));
    EXPECT_TRUE(names.contains("slow_consumer"));
}

} // namespace
} // namespace shaddock::net
