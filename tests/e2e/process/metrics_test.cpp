#include "raw_client.hpp"
#include "test_system.hpp"

#include "http.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <csignal>
#include <fstream>

namespace shaddock::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class metrics : public testing::Test {
protected:
    void SetUp() override {
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
    }
    void TearDown() override { system.run({"stop"}); }

    master::http_response get(const std::string& path) const {
        std::string token;
        std::getline(std::ifstream(system.path("run/token")), token);
        return get(path, "Bearer " + token);
    }
    master::http_response get(const std::string& path, const std::string& authorization) const {
        master::http_request asked;
        asked.method = "GET";
        asked.target = path;
        asked.authorization = authorization;
        auto said = master::http_call("127.0.0.1", system.master_port, asked, 10s);
        EXPECT_TRUE(said) << said.error().text();
        return said ? *said : master::http_response{};
    }

    test_system system;
};

TEST_F(metrics, show_every_server_to_who_has_the_token) {
    raw_client client(system.gate_port);
    EXPECT_THAT(client.ask("gate.gateHandler.queryEntry", R"({"uid":"alice"})"),
                HasSubstr(R"("code":200)"));
    EXPECT_THAT(client.ask("chat.chatHandler.send", "{}"), HasSubstr("500"));
    const auto said = get("/metrics");
    EXPECT_EQ(said.status, 200U);
    EXPECT_THAT(said.headers, testing::Contains(testing::Pair(
                                  "Content-Type", "text/plain; version=0.0.4; charset=utf-8")));
    for (const auto& id : server_ids) {
        const auto type = id.substr(0, id.find('-'));
        const auto who = fmt::format(R"({{server="{}",type="{}")", id, type);
        EXPECT_THAT(said.body,
                    AllOf(HasSubstr("\nshaddock_up" + who + "} 1\n"),
                          HasSubstr("\nshaddock_generation" + who + "} 1\n"),
                          HasSubstr("\nshaddock_server_info" + who + ",module=\"" + type + ".so\""),
                          HasSubstr("\nshaddock_state" + who + ",state=\"ready\"} 1\n"),
                          HasSubstr("\nshaddock_loop_lag_seconds_count" + who + "}"),
                          ContainsRegex("shaddock_memory_bytes.server=\"" + id + "\",type=\"" +
                                        type + "\". [1-9]")))
            << id;
    }
    EXPECT_THAT(said.body,
                AllOf(HasSubstr(R"(shaddock_requests_total{server="gate-server-1",type="gate",)"
                                R"(route="gate.gateHandler.queryEntry",result="ok"} 1)"),
                      HasSubstr(R"(shaddock_connections{server="gate-server-1",type="gate"} 1)"),
                      HasSubstr(R"(shaddock_up{server="master-server-1",type="master"} 1)"),
                      HasSubstr(R"(shaddock_up{server="web",type="web"} 1)")));
    const auto json = get("/api/metrics");
    EXPECT_EQ(json.status, 200U);
    EXPECT_THAT(json.body, HasSubstr(R"("id":"chat-server-2","type":"chat","families":[{"name":)"));
}

TEST_F(metrics, are_nobody_elses) {
    for (const auto* path : {"/metrics", "/api/metrics"}) {
        EXPECT_EQ(get(path, "Bearer wrong").status, 401U);
        EXPECT_EQ(get(path, "").status, 401U);
    }
}

TEST_F(metrics, have_a_token_of_their_own_that_outlives_the_master) {
    std::string token;
    std::getline(std::ifstream(system.path("run/metrics_token")), token);
    ASSERT_EQ(token.size(), 64U);
    for (const auto* path : {"/metrics", "/api/metrics", "/api/servers"}) {
        EXPECT_EQ(get(path, "Bearer " + token).status, 200U) << path;
    }
    for (const auto* path : {"/api/logs?id=chat-server-1", "/api/stop", "/api/other"}) {
        EXPECT_EQ(get(path, "Bearer " + token).status, 403U) << path;
    }
    ASSERT_EQ(system.run({"stop"}).status, 0);
    const auto again = system.run({"start", "-D"});
    ASSERT_EQ(again.status, 0) << again.text;
    EXPECT_EQ(get("/metrics", "Bearer " + token).status, 200U);
}

TEST_F(metrics, come_without_a_server_that_hangs) {
    const auto hanging = system.line("chat-server-1").process();
    ASSERT_TRUE(hanging);
    kill(*hanging, SIGSTOP);
    const auto before = std::chrono::steady_clock::now();
    const auto said = get("/metrics");
    const auto took = std::chrono::steady_clock::now() - before;
    kill(*hanging, SIGCONT);
    EXPECT_LT(took, 4s) << "the question is given up after 1 s";
    EXPECT_THAT(said.body, AllOf(HasSubstr(R"(shaddock_up{server="chat-server-1",type="chat"} 0)"),
                                 HasSubstr(R"(shaddock_up{server="chat-server-2",type="chat"} 1)"),
                                 Not(HasSubstr(R"(shaddock_channels{server="chat-server-1")"))));
}

} // namespace
} // namespace shaddock::test
