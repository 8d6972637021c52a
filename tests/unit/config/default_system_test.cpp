#include "folder.hpp"

namespace shaddock::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// The files in config/ are what `scripts/start` runs.
class default_system : public testing::TestWithParam<const char*> {
protected:
    system loaded() const {
        auto read = load(
            {std::filesystem::path(SHADDOCK_TEST_SOURCE_DIR) / "config", GetParam(), std::nullopt});
        EXPECT_TRUE(read) << read.error().text();
        return read ? *read : system{};
    }
};

TEST_P(default_system, has_one_gate_three_connectors_and_three_chats) {
    const system all = loaded();
    std::vector<std::string> seen;
    for (const server_record& s : all.servers) {
        seen.push_back(s.id + " " + s.host + " " + std::to_string(s.port) + " " +
                       std::to_string(s.client_port) + (s.frontend ? " frontend" : ""));
    }
    EXPECT_THAT(seen,
                ElementsAre("gate-server-1 127.0.0.1 0 3014 frontend",
                            "connector-server-1 127.0.0.1 4050 3050 frontend",
                            "connector-server-2 127.0.0.1 4051 3051 frontend",
                            "connector-server-3 127.0.0.1 4052 3052 frontend",
                            "chat-server-1 127.0.0.1 6050 0", "chat-server-2 127.0.0.1 6051 0",
                            "chat-server-3 127.0.0.1 6052 0"));
    EXPECT_THAT(all.warnings, IsEmpty());
    EXPECT_EQ(all.master.id, "master-server-1");
    EXPECT_EQ(all.master.host, "127.0.0.1");
    EXPECT_EQ(all.master.port, 3005);
}

TEST_P(default_system, speaks_as_the_original_demonstration) {
    const host_options host = loaded().host;
    const connector_options connector = host.type("connector").connector;
    EXPECT_EQ(connector.heartbeat, 3s);
    EXPECT_EQ(connector.heartbeat_deadline(), 6s);
    EXPECT_TRUE(connector.dict);
    EXPECT_TRUE(connector.proto);
    EXPECT_FALSE(connector.crypto);
    const connector_options gate = host.type("gate").connector;
    EXPECT_EQ(gate.heartbeat, 0s);
    EXPECT_FALSE(gate.dict);
    EXPECT_TRUE(gate.proto);
    EXPECT_FALSE(gate.crypto);
}

TEST_P(default_system, has_one_module_for_each_type) {
    const host_options host = loaded().host;
    for (const char* type : {"gate", "connector", "chat", "time"}) {
        ASSERT_TRUE(host.types.contains(type));
        EXPECT_THAT(host.types.at(type).modules, ElementsAre(std::string(type) + ".so"));
    }
}

TEST_P(default_system, has_no_routes_of_its_own_in_the_dictionary) {
    const auto extra =
        read_dictionary(std::filesystem::path(SHADDOCK_TEST_SOURCE_DIR) / "config", GetParam());
    ASSERT_TRUE(extra) << extra.error().text();
    EXPECT_THAT(*extra, IsEmpty());
}

TEST_P(default_system, writes_out_the_defaults) {
    const host_options host = loaded().host;
    connector_options expected;
    expected.distinct_host = true; // the demonstration stays on this machine
    EXPECT_EQ(host.connector, expected);
    EXPECT_EQ(host.bus.call_timeout, bus_options{}.call_timeout);
    EXPECT_EQ(host.bus.queue_limit, bus_options{}.queue_limit);
    EXPECT_EQ(host.bus.heartbeat, bus_options{}.heartbeat);
    EXPECT_EQ(host.bus.silence, bus_options{}.silence);
    EXPECT_EQ(host.limits.stop_timeout, limit_options{}.stop_timeout);
    EXPECT_EQ(host.limits.blocking_threads, limit_options{}.blocking_threads);
    EXPECT_EQ(host.limits.tick_warning, limit_options{}.tick_warning);
    EXPECT_EQ(host.limits.requests_per_session, limit_options{}.requests_per_session);
    EXPECT_EQ(host.limits.serial_per_session, limit_options{}.serial_per_session);
    EXPECT_EQ(host.limits.generation_timeout, limit_options{}.generation_timeout);
    EXPECT_EQ(host.reload.watch, std::string_view(GetParam()) == "development");
    EXPECT_EQ(host.reload.drain, reload_options{}.drain);
    EXPECT_EQ(host.reload.timeout, reload_options{}.timeout);
    EXPECT_EQ(host.log.level, log_options{}.level);
    EXPECT_EQ(host.log.folder, log_options{}.folder);
    EXPECT_EQ(host.log.file_limit, log_options{}.file_limit);
    EXPECT_EQ(host.log.files, log_options{}.files);
    EXPECT_EQ(host.web.port, 3001);
    EXPECT_EQ(host.web.host, web_options{}.host);
    EXPECT_EQ(host.web.folder, web_options{}.folder);
}

INSTANTIATE_TEST_SUITE_P(both, default_system, testing::Values("development", "production"));

} // namespace
} // namespace shaddock::config
