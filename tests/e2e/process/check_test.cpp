#include "test_system.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <filesystem>

namespace shaddock::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string test_modules = SHADDOCK_TEST_MODULES;

TEST(host_check, says_what_a_system_has_and_leaves_nothing_behind) {
    const test_system system;
    const auto checked = system.run({"check"});
    EXPECT_EQ(checked.status, 0);
    EXPECT_EQ(checked.text,
              "ok: 4 servers of 3 types, 3 modules with 3 routes, protos of 0 routes, "
              "4 ports\n");
    EXPECT_FALSE(std::filesystem::exists(system.path("run")));
    EXPECT_FALSE(std::filesystem::exists(system.path("logs")));
    EXPECT_THAT(system.run({"check", "--json"}).text,
                StartsWith(R"({"ok":true,"problems":[],"warnings":[],"servers":4,)"));
}

TEST(host_check, and_start_tell_all_problems_at_once) {
    const test_system system;
    system.add("config/host.yaml", "types:\n  gate: {modules: [gaet.so]}\n  connector:\n"
                                   "  chat: {modules: [" +
                                       test_modules + "/module_crashes_open.so]}\nlgo: {}\n");
    system.write("config/clientProtos.json", "{\n\"x\": 5}");
    const auto has_all =
        AllOf(HasSubstr("host.yaml:8: lgo: found 'lgo', expected one of the keys: "),
              HasSubstr("host.yaml:5: types.gate.modules[0]: "), HasSubstr("; nearest: 'gate.so'"),
              HasSubstr("host.yaml:7: types.chat.modules[0]: "), HasSubstr("while it was opened"),
              HasSubstr("clientProtos.json:2: x: found 5"));
    const auto checked = system.run({"check"});
    EXPECT_EQ(checked.status, 1);
    EXPECT_THAT(checked.text, AllOf(has_all, HasSubstr("\n4 problems\n")));
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"start"}, {"start", "-D"}}) {
        const auto started = system.run(command);
        EXPECT_EQ(started.status, 1);
        EXPECT_THAT(started.text, AllOf(has_all, Not(HasSubstr("ready"))));
        EXPECT_THAT(system.running(), IsEmpty());
    }
}

TEST(host_check, a_server_by_hand_tells_all_of_the_files) {
    const test_system system;
    system.add("config/host.yaml", "lgo: {}\nlimits2: {}\n");
    const auto said = system.run({"--type", "chat", "--id", "chat-server-1"});
    EXPECT_EQ(said.status, 1);
    EXPECT_THAT(said.text, AllOf(HasSubstr("host.yaml:4: lgo: "), HasSubstr(":5: limits2: ")));
}

TEST(host_check, warns_of_ports_that_others_have_but_not_of_its_own) {
    const test_system system;
    {
        boost::asio::io_context loop;
        const boost::asio::ip::tcp::acceptor taken(
            loop, {boost::asio::ip::make_address("127.0.0.1"), system.gate_port});
        const auto checked = system.run({"check"});
        EXPECT_EQ(checked.status, 0);
        EXPECT_THAT(checked.text,
                    AllOf(HasSubstr(fmt::format("found port {} for gate-server-1: Address already "
                                                "in use",
                                                system.gate_port)),
                          HasSubstr(", 1 warning\n")));
    }
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 4 servers\n")) << master.text();
    EXPECT_THAT(system.run({"check"}).text, StartsWith("ok: "));
    EXPECT_THAT(system.running(), SizeIs(6));
}

TEST(host_check, prints_the_reference_of_the_options) {
    const test_system system;
    const auto printed = system.run({"check", "--options"});
    EXPECT_EQ(printed.status, 0);
    EXPECT_THAT(printed.text, AllOf(StartsWith("| option | unit | default |"),
                                    HasSubstr("| `connector.heartbeat` | s | 0 |")));
}

} // namespace
} // namespace shaddock::test
