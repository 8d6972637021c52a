#include "raw_client.hpp"
#include "test_system.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <array>
#include <memory>

namespace shaddock::test {
namespace {

using testing::HasSubstr;

/// Two connectors, and two servers with the module of tests/plugin/modules/relay.hpp and
/// counting.hpp.
class plugin_between_processes : public testing::Test {
protected:
    void SetUp() override {
        system.write("config/servers.json", fmt::format(R"({{
  "connector": [{{"id": "connector-server-1", "host": "127.0.0.1", "clientPort": {}, "frontend": true}},
                {{"id": "connector-server-2", "host": "127.0.0.1", "clientPort": {}, "frontend": true}}],
  "probe": [{{"id": "probe-server-1", "host": "127.0.0.1", "port": 6050}},
            {{"id": "probe-server-2", "host": "127.0.0.1", "port": 6051}}]
}})",
                                                        system.connector_port, second_port));
        system.write("config/host.yaml",
                     fmt::format("connector: {{distinctHost: true}}\n"
                                 "limits: {{stop_timeout: 2 s}}\n"
                                 "web: {{port: {}}}\n"
                                 "types: {{connector: {{}}, probe: {{modules: [{}]}}}}\n",
                                 system.web_port, SHADDOCK_TEST_MODULES "/module_relay.so"));
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
    }
    void TearDown() override { system.run({"stop"}); }

    struct ending {
        std::string text;
        int ms = -1;
    };
    static ending bounded(raw_client& by, std::string_view wish) {
        ending found{by.ask("probe.relayHandler.bounded", wish), -1};
        if (const auto at = found.text.find("\"ms\":"); at != std::string::npos) {
            found.ms = std::stoi(found.text.substr(at + 5));
        }
        return found;
    }

    test_system system{"2 s"};
    const std::uint16_t second_port = free_port();
};

TEST_F(plugin_between_processes, calls_no_longer_than_its_request_may_take) {
    raw_client ann(system.connector_port);
    const auto cut_off = bounded(ann, R"({"is_beside":false,"own_ms":0})");
    EXPECT_THAT(cut_off.text, HasSubstr(R"("code":"timeout")"));
    EXPECT_GE(cut_off.ms, 400) << cut_off.text;
    EXPECT_LT(cut_off.ms, 5000) << "its own 10 s";
}

TEST_F(plugin_between_processes, kicks_a_uid_on_any_frontend_and_keeps_what_it_knows_of_rooms) {
    // The same uid on both connectors.
    raw_client here(system.connector_port);
    raw_client there(second_port);
    raw_client other(second_port);
    for (auto* each : {&here, &there}) {
        EXPECT_EQ(each->ask("probe.relayHandler.sit", R"({"uid":"ann"})"), "{}");
    }
    EXPECT_EQ(other.ask("probe.relayHandler.kick", R"({"uid":"ann"})"), R"({"sessions":2})");
    for (auto* each : {&here, &there}) {
        EXPECT_ANY_THROW(each->ask("probe.probeHandler.count", "{}"));
    }

    // A room for each uid, on either server.
    std::array<std::unique_ptr<raw_client>, 6> clients;
    std::size_t of_second = 0;
    for (std::size_t n = 0; n < clients.size(); ++n) {
        clients[n] = std::make_unique<raw_client>(n % 2 == 0 ? system.connector_port : second_port);
        clients[n]->ask("probe.relayHandler.sit", fmt::format(R"({{"uid":"user{}"}})", n));
        EXPECT_EQ(clients[n]->ask("probe.probeHandler.join", "{}"), "{}");
        EXPECT_THAT(clients[n]->ask("probe.probeHandler.count", "{}"), HasSubstr("\"count\":1"));
        of_second += clients[n]->ask("probe.probeHandler.count", "{}").find("probe-server-2") !=
                             std::string::npos
                         ? 1
                         : 0;
    }
    EXPECT_GT(of_second, 0U);
    const auto expect_counts = [&](int count) {
        for (auto& each : clients) {
            std::string answer;
            EXPECT_TRUE(system.comes_true([&] {
                answer = each->ask("probe.probeHandler.count", "{}");
                return answer != R"({"code":500})"; // while it is restarted
            }));
            EXPECT_EQ(answer, fmt::format(R"({{"server":"probe-server-1","count":{}}})", count));
        }
    };
    ASSERT_EQ(system.run({"stop", "probe-server-2"}).status, 0);
    expect_counts(3);
    ASSERT_EQ(system.run({"restart", "probe-server-1"}).status, 0);
    expect_counts(4);
}

} // namespace
} // namespace shaddock::test
