#include "test_system.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace shaddock::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST(host_routes, lists_what_a_system_serves_and_starts_nothing) {
    const test_system system;
    const auto listed = system.run({"routes"});
    EXPECT_EQ(listed.status, 0) << listed.text;
    EXPECT_THAT(listed.text,
                AllOf(StartsWith("chat\n  handler  chat.chatHandler.send     {content: string, "
                                 "target: string} -> {}\n"),
                      HasSubstr("\n\nconnector\n  handler  connector.entryHandler.enter  "),
                      HasSubstr("\n\ngate\n  handler  gate.gateHandler.queryEntry  ")));
    EXPECT_THAT(system.running(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(system.path("run")));
}

TEST(host_routes, of_one_type_for_programs) {
    const test_system system;
    const auto listed = system.run({"routes", "chat", "--json"});
    EXPECT_EQ(listed.status, 0) << listed.text;
    EXPECT_THAT(
        listed.text,
        AllOf(StartsWith(R"([{"type":"chat","route":"chat.chatHandler.send","kind":"handler",)"
                         R"("serial":false,"module":")"),
              HasSubstr(R"(/chat.so","request":{"type":"object","properties":{"content":)"
                        R"({"type":"string"},"target":{"type":"string"}},)"
                        R"("required":["content","target"]},"reply":{"type":"object",)"
                        R"("properties":{},"required":[]},)"
                        R"("text":"{content: string, target: string} -> {}"})"),
              HasSubstr(R"("route":"chat.chatRemote.add","kind":"remote")"),
              Not(HasSubstr("connector.entryHandler"))));
}

TEST(host_routes, of_an_unknown_type_names_the_nearest) {
    const test_system system;
    const auto listed = system.run({"routes", "caht"});
    EXPECT_EQ(listed.status, 1);
    EXPECT_EQ(listed.text,
              "host: routes: found the type 'caht', expected one of host.yaml (development): "
              "chat, connector, gate; nearest: 'chat'\n");
}

TEST(host_routes, outlives_a_module_that_crashes) {
    const test_system system;
    system.add("config/host.yaml",
               "types:\n  gate:\n  connector:\n  chat: {modules: [" SHADDOCK_TEST_MODULES
               "/module_crashes_open.so]}\n");
    const auto listed = system.run({"routes"});
    EXPECT_EQ(listed.status, 1);
    EXPECT_THAT(listed.text, AllOf(StartsWith("connector\n"), HasSubstr("\n\ngate\n  handler  "),
                                   HasSubstr("\nhost: chat: " SHADDOCK_TEST_MODULES
                                             "/module_crashes_open.so: found "),
                                   HasSubstr("wanted a module that can be opened")));
}

} // namespace
} // namespace shaddock::test
