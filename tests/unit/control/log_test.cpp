#include "control/log.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

using testing::HasSubstr;

TEST(log_change, names_levels_and_areas_that_there_are) {
    EXPECT_TRUE(check({}));
    EXPECT_TRUE(check({"debug", "net"}));
    EXPECT_THAT(check({"loud", {}}).error().text(),
                HasSubstr("level: found 'loud', expected one of debug, info"));
    EXPECT_THAT(check({{}, "nte"}).error().text(), HasSubstr("nearest: net"));
}

TEST(log_change, is_short_in_words) {
    EXPECT_EQ(to_json(change_to(base::log::level::debug, "net")),
              R"({"level":"debug","area":"net"})");
    EXPECT_EQ(to_json(change_to({}, {})), "{}");
    EXPECT_EQ(to_json(levels_of({base::log::level::info, {{"net", base::log::level::debug}}})),
              R"({"level":"info","areas":{"net":"debug"}})");
}

} // namespace
} // namespace shaddock::control
