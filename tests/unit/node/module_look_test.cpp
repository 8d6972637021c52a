#include "node/module_look.hpp"

#include <gmock/gmock.h>

namespace shaddock::node {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::Field;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

fs::path shipped(const std::string& name) {
    return fs::path(SHADDOCK_TEST_BINARY_DIR) / "plugins" / name;
}
fs::path test_module(const std::string& name) {
    return fs::path(SHADDOCK_TEST_BINARY_DIR) / "tests/modules" / (name + ".so");
}
std::string error_of(const fs::path& file, std::chrono::milliseconds limit = 20s) {
    const auto looked = look_at_module(file, "chat", limit);
    return looked ? "no error" : looked.error().text();
}

TEST(module_look, reads_the_routes) {
    const auto looked = look_at_module(shipped("chat.so"), "chat");
    ASSERT_TRUE(looked) << looked.error().text();
    ASSERT_EQ(looked->handlers.size(), 1U);
    EXPECT_EQ(looked->handlers[0].route, "chat.chatHandler.send");
    EXPECT_FALSE(looked->handlers[0].is_serial);
    EXPECT_EQ(looked->handlers[0].request_shape, "{content: string, target: string}");
    EXPECT_EQ(looked->handlers[0].reply_shape, "{}");
    EXPECT_THAT(looked->remotes,
                Contains(Field(&registered_route::route, StartsWith("chat.chatRemote."))));
}

TEST(module_look, says_what_the_checks_say) {
    EXPECT_THAT(error_of(shipped("gate.so")),
                AllOf(StartsWith(shipped("gate.so").string() + ": found server type 'gate'"),
                      HasSubstr("wanted 'chat'")));
    EXPECT_THAT(error_of("/nowhere/x.so"), StartsWith("/nowhere/x.so: found "));
    EXPECT_THAT(error_of(test_module("module_undefined")), HasSubstr("the undefined symbol "));
    EXPECT_THAT(error_of(test_module("module_no_door")), HasSubstr("shaddock_plugin_door"));
}

TEST(module_look, outlives_what_crashes_or_spins_when_it_is_opened) {
    EXPECT_THAT(error_of(test_module("module_crashes_open")),
                AllOf(StartsWith(test_module("module_crashes_open").string() + ": found "),
                      HasSubstr("while it was opened")));
    EXPECT_THAT(error_of(test_module("module_spins_open"), 200ms),
                EndsWith("module_spins_open.so: found no end of it within 200 ms while it was "
                         "opened, wanted a module that can be opened: see what its static objects "
                         "do"));
}

} // namespace
} // namespace shaddock::node
