#include <shaddock/dispatch.hpp>
#include <shaddock/testing/plugin_under_test.hpp>

#include <gmock/gmock.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

using shaddock::testing::make_session;
using testing::Contains;
using testing::IsEmpty;

class gate_plugin : public testing::Test {
protected:
    shaddock::testing::plugin_under_test plugin{shaddock_plugin_door};

    gate_plugin() {
        for (std::uint16_t i = 1; i <= 3; ++i) {
            shaddock::door::server_info one;
            one.id = "connector-server-" + std::to_string(i);
            one.type = "connector";
            one.host = "127.0.0.1";
            one.client_port = static_cast<std::uint16_t>(3049 + i);
            one.is_frontend = true;
            one.is_up = true;
            plugin.host.cluster.push_back(one);
        }
    }
    std::string query(std::string_view body) {
        const auto answer = plugin.request("gateHandler.queryEntry", body, make_session(1));
        return *answer ? answer->value() : std::string(to_string(answer->error().code()));
    }
    static std::string at(std::size_t port) {
        return R"({"code":200,"host":"127.0.0.1","port":)" + std::to_string(port) + "}";
    }
};

TEST_F(gate_plugin, sends_a_uid_to_the_same_connector_each_time) {
    for (const std::string uid : {"alice", "bob", "\xe5\xbc\xa0\xe4\xb8\x89"}) {
        const auto wanted = at(3050 + shaddock::dispatch_index(uid, 3));
        EXPECT_EQ(query(R"({"uid":")" + uid + R"("})"), wanted);
        EXPECT_EQ(query(R"({"uid":")" + uid + R"("})"), wanted);
    }
}

TEST_F(gate_plugin, tells_the_name_and_the_port_that_clients_use) {
    plugin.host.cluster.resize(1);
    auto& only = plugin.host.cluster[0];
    only.client_host = "chat.example";
    EXPECT_EQ(query(R"({"uid":"ann"})"), R"({"code":200,"host":"chat.example","port":3050})");
    only.public_port = 443;
    EXPECT_EQ(query(R"({"uid":"ann"})"), R"({"code":200,"host":"chat.example","port":443})");
}

TEST_F(gate_plugin, tells_nobody_to_connect_to_every_address) {
    plugin.host.cluster.resize(1);
    auto asker = make_session(1);
    asker.reached_at = "192.0.2.80";
    for (const auto* everywhere : {"0.0.0.0", "::", "0:0:0:0:0:0:0:0"}) {
        plugin.host.cluster[0].host = everywhere;
        const auto answer = plugin.request("gateHandler.queryEntry", R"({"uid":"ann"})", asker);
        EXPECT_EQ(answer->value(), R"({"code":200,"host":"192.0.2.80","port":3050})");
    }
    EXPECT_EQ(query(R"({"uid":"ann"})"), at(3050));
}

TEST_F(gate_plugin, picks_among_the_living) {
    plugin.host.cluster[0].is_up = false;
    plugin.host.cluster[2].is_up = false;
    EXPECT_EQ(query(R"({"uid":"alice"})"), at(3051));
    EXPECT_EQ(query(R"({"uid":"bob"})"), at(3051));
    plugin.host.cluster[1].is_up = false;
    EXPECT_EQ(query(R"({"uid":"bob"})"), "no_server");
}

TEST_F(gate_plugin, takes_a_number_and_refuses_the_rest) {
    EXPECT_EQ(query(R"({"uid":12})"), at(3050));
    for (const auto* body : {"{}", R"({"uid":""})", R"({"uid":0})", R"({"uid":null})",
                             R"({"uid":[]})", R"({"uid":{}})", R"({"uid":true})", "no", ""}) {
        EXPECT_EQ(query(body), "bad_request") << body;
    }
}

TEST_F(gate_plugin, asks_the_time_only_when_told_to) {
    query(R"({"uid":"alice"})");
    EXPECT_THAT(plugin.host.calls, IsEmpty());

    shaddock::testing::plugin_under_test curious(shaddock_plugin_door);
    curious.host.files["gate"] = R"({"ask_time":true})";
    curious.host.cluster = plugin.host.cluster;
    curious.host.on_call = [](const auto&) { return std::string("[12,30,5]"); };
    curious.request("gateHandler.queryEntry", R"({"uid":"alice"})", make_session(1));
    ASSERT_EQ(curious.host.calls.size(), 1U);
    EXPECT_EQ(curious.host.calls[0].route, "time.timeRemote.getCurrentTime");
    EXPECT_EQ(curious.host.calls[0].routed_by_number, 1);
    EXPECT_THAT(curious.host.log_lines, Contains("Remote Time: 12:30:5"));
}

TEST_F(gate_plugin, refuses_to_start_with_a_wrong_file) {
    plugin.host.files["gate"] = R"({"ask_time":"yes"})";
    EXPECT_THROW(plugin.create(), std::runtime_error);
}

} // namespace
