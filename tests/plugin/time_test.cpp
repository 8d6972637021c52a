#include "time/time_api.hpp"

#include <shaddock/testing/plugin_under_test.hpp>

#include <gtest/gtest.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

TEST(time_plugin, tells_hour_minute_and_second) {
    shaddock::testing::plugin_under_test plugin(shaddock_plugin_door);
    const auto answer =
        plugin.call("timeRemote.getCurrentTime", "[1,2]", time_server::get_current_time.hash());
    ASSERT_TRUE(answer && *answer);
    const auto decoded = shaddock::json::decode<time_server::time_of_day>(answer->value());
    ASSERT_TRUE(decoded) << answer->value();
    const auto [hour, minute, second] = *decoded;
    EXPECT_TRUE(hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60)
        << answer->value();
    EXPECT_FALSE(*plugin.call("timeRemote.getCurrentTime", "[1]"));
}

} // namespace
