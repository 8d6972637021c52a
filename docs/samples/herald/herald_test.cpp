#include <shaddock/testing/plugin_under_test.hpp>

#include <gtest/gtest.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

struct herald_plugin : testing::Test {
    shaddock::testing::plugin_under_test plugin{shaddock_plugin_door};
};

TEST_F(herald_plugin, greets_clients_by_the_pass_they_bring) {
    const auto greeted = plugin.shake_hands(
        {.type = "browser", .version = "", .address = "", .user = R"({"name":"ann"})"});
    EXPECT_EQ(greeted.value(), R"({"greeting":"hail, ann"})");
    EXPECT_EQ(plugin.shake_hands({.type = "browser"}).value(), "");
    EXPECT_EQ(plugin.shake_hands({.type = "browser", .user = "7"}).error().client_code(), 500);
}

TEST_F(herald_plugin, turns_old_apps_away) {
    EXPECT_EQ(plugin.shake_hands({.type = "herald-app", .version = "1.9"}).error().client_code(),
              501);
    EXPECT_TRUE(plugin.shake_hands({.type = "herald-app", .version = "2.0"}));
}

} // namespace
