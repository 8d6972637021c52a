#include "folder.hpp"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <sstream>

namespace shaddock::config {
namespace {

/// The files of packaging/ that bring a configuration of their own.
YAML::Node deployment(const std::string& name) {
    return YAML::LoadFile(std::string(SHADDOCK_TEST_SOURCE_DIR) + "/packaging/" + name);
}

void expect_loads(const std::string& servers, const std::string& host, std::size_t count) {
    const auto read = system_folder(servers, host).load("production");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->servers.size(), count);
    EXPECT_EQ(read->host.bus.kind, bus_kind::nats);
    EXPECT_TRUE(read->warnings.empty()) << read->warnings.front();
    for (const auto& each : read->servers) {
        EXPECT_FALSE(each.is_here) << "its host is a name in there";
    }
}

TEST(deployments, compose_brings_a_configuration_that_loads) {
    setenv("PUBLIC_HOST", "chat.example", 1);
    const auto configs = deployment("compose.yaml")["configs"];
    auto servers = configs["servers"]["content"].as<std::string>();
    for (auto at = servers.find("$$"); at != servers.npos; at = servers.find("$$")) {
        servers.erase(at, 1); // as Compose does
    }
    expect_loads(servers, configs["host"]["content"].as<std::string>(), 5);
    unsetenv("PUBLIC_HOST");
}

TEST(deployments, kubernetes_brings_a_configuration_that_loads_and_a_pod_for_each_server) {
    setenv("NODE_ADDRESS", "203.0.113.9", 1);
    const auto items = deployment("kubernetes.yaml")["items"];
    const auto data = items[0]["data"];
    expect_loads(data["servers.json"].as<std::string>(), data["host.yaml"].as<std::string>(), 5);
    std::size_t pods = 0;
    for (const auto& item : items) {
        const auto name = item["metadata"]["name"].as<std::string>();
        if (item["kind"].as<std::string>() == "StatefulSet" && name != "nats") {
            pods += item["spec"]["replicas"].as<std::size_t>(1);
        }
    }
    EXPECT_EQ(pods, 5U);
    unsetenv("NODE_ADDRESS");
}

} // namespace
} // namespace shaddock::config
