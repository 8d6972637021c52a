#include "node/server_options.hpp"

#include "setting_folder.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

namespace shaddock::node {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

server::server_options options(const setting_folder& folder, std::string_view id,
                               const wire_files& agreed = {}) {
    boost::asio::io_context pool;
    const auto found = folder.found();
    const auto* record = found.system.find(id);
    return options_of(found, *record, cluster::info_of(*record), agreed, pool.get_executor());
}

TEST(server_options, refuse_the_bus_of_tests) {
    EXPECT_TRUE(check_bus_kind(config::bus_kind::direct));
    const auto refused = check_bus_kind(config::bus_kind::local);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text(), HasSubstr("bus.kind: found local"));
}

TEST(server_options, hand_every_connector_option_to_the_listener) {
    const setting_folder folder(R"(
connector: {heartbeat: 3, timeout: 7, idle_timeout: 11, handshake_timeout: 12, ack_timeout: 13,
            package_limit: 1000, pending_limit: 5000, connections_limit: 21, distinctHost: true,
            nodelay: false, crypto: true, message_rate: 31, message_burst: 32, byte_rate: 33,
            byte_burst: 34, route_cost: {a.b.c: 35}, unanswered_limit: 5001, input_limit: 2 MiB,
            output_limit: 3 MiB, least_rate: 36, drain: 37, connections_per_address: 22, handshake_rate: 23,
            trusted_proxies: [10.0.0.0/8], proxy_protocol: true, origins: ['https://a.example']})");
    folder.write("config/deny.txt",
                 "192.0.2.0/24 # since the 12th\n\n# nobody\r\n2001:db8::/32\nx\n");
    const auto wanted = options(folder, "gate-1");
    ASSERT_TRUE(wanted.listener);
    EXPECT_EQ(wanted.listener->host, "127.0.0.1");
    EXPECT_EQ(wanted.listener->port, 3014);
    EXPECT_EQ(wanted.drain_rate, 37u);
    EXPECT_EQ(wanted.listener->heartbeat, 3s);
    EXPECT_EQ(wanted.listener->heartbeat_timeout, 7s);
    EXPECT_EQ(wanted.listener->idle_timeout, 11s);
    EXPECT_EQ(wanted.listener->handshake_timeout, 12s);
    EXPECT_EQ(wanted.listener->ack_timeout, 13s);
    EXPECT_EQ(wanted.listener->package_limit, 1000u);
    EXPECT_EQ(wanted.listener->pending_limit, 5000u);
    EXPECT_EQ(wanted.listener->connections_limit, 21u);
    EXPECT_EQ(wanted.listener->connections_per_address, 22u);
    EXPECT_EQ(wanted.listener->handshake_rate, 23u);
    EXPECT_TRUE(wanted.listener->trusted_proxies.contains(*base::parse_ip("10.1.1.1")));
    EXPECT_TRUE(wanted.listener->proxy_protocol);
    EXPECT_EQ(wanted.listener->origins, std::vector<std::string>{"https://a.example"});
    EXPECT_TRUE(wanted.listener->denied.contains(*base::parse_ip("192.0.2.9")));
    EXPECT_TRUE(wanted.listener->denied.contains(*base::parse_ip("2001:db8::9")));
    EXPECT_EQ(wanted.listener->denied.size(), 2u);
    EXPECT_FALSE(wanted.listener->no_delay);
    EXPECT_EQ(wanted.listener->unanswered_limit, 5001u);
    EXPECT_EQ(wanted.listener->input_limit, 2097152u);
    EXPECT_EQ(wanted.listener->output_limit, 3145728u);
    EXPECT_EQ(wanted.listener->least_rate, 36u);
    EXPECT_EQ(wanted.listener->rates.messages, 31u);
    EXPECT_EQ(wanted.listener->rates.message_burst, 32u);
    EXPECT_EQ(wanted.listener->rates.bytes, 33u);
    EXPECT_EQ(wanted.listener->rates.byte_burst, 34u);
    EXPECT_EQ(wanted.route_cost.at("a.b.c"), 35u);
    EXPECT_TRUE(wanted.crypto);
    EXPECT_EQ(options(folder, "connector-1").listener->connections_limit, 7u)
        << "max-connections of the record wins";
}

TEST(server_options, differ_by_type) {
    const setting_folder folder("connector: {timeout: 9}\ntypes:\n  gate:\n  chat:\n  connector:\n"
                                "    connector: {heartbeat: 3, nodelay: false, crypto: true}\n");
    const auto gate = options(folder, "gate-1");
    EXPECT_EQ(gate.listener->host, "") << "all interfaces";
    EXPECT_EQ(gate.listener->heartbeat, 0s);
    EXPECT_EQ(gate.listener->heartbeat_timeout, 0s);
    EXPECT_TRUE(gate.listener->no_delay);
    EXPECT_FALSE(gate.crypto);
    const auto connector = options(folder, "connector-1");
    EXPECT_EQ(connector.listener->heartbeat, 3s);
    EXPECT_EQ(connector.listener->heartbeat_timeout, 9s);
    EXPECT_FALSE(connector.listener->no_delay);
    EXPECT_TRUE(connector.crypto);
}

TEST(server_options, give_what_clients_agree_on_to_frontends_only) {
    const setting_folder folder("connector: {crypto: true}");
    wire_files agreed;
    agreed.dictionary = std::make_shared<const protocol::route_dictionary>();
    agreed.protos = std::make_shared<const protocol::protos>();
    const auto gate = options(folder, "gate-1", agreed);
    EXPECT_EQ(gate.dictionary, agreed.dictionary);
    EXPECT_EQ(gate.protos, agreed.protos);
    const auto chat = options(folder, "chat-1", agreed);
    EXPECT_FALSE(chat.listener);
    EXPECT_EQ(chat.dictionary, nullptr);
    EXPECT_EQ(chat.protos, nullptr);
    EXPECT_FALSE(chat.crypto);
}

TEST(server_options, hand_limits_and_times_to_every_server) {
    const setting_folder folder("limits: {stop_timeout: 8, requests_per_session: 5, "
                                "serial_per_session: 6, generation_timeout: 7}\n"
                                "bus: {call_timeout: 4}\n");
    const auto wanted = options(folder, "chat-1");
    EXPECT_EQ(wanted.self.id, "chat-1");
    EXPECT_EQ(wanted.call_timeout, 4s);
    EXPECT_EQ(wanted.drain_timeout, 4s);
    EXPECT_EQ(wanted.generation_timeout, 7s);
    EXPECT_EQ(wanted.requests_limit, 5u);
    EXPECT_EQ(wanted.serial_limit, 6u);
}

TEST(server_options, let_plugins_read_their_own_files) {
    const setting_folder folder;
    folder.write("config/shop.json", "\n{\"development\": {\"price\": 1}}");
    const auto read = options(folder, "chat-1").read_config("shop");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->json, "{\"price\": 1}");
    EXPECT_EQ(options(folder, "chat-1").read_config("none").error().code(), errc::not_found);
}

TEST(server_options, tell_each_server_of_all) {
    const auto all = cluster::list_of(setting_folder().found().system).servers;
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1].id, "connector-1");
    EXPECT_EQ(all[1].type, "connector");
    EXPECT_EQ(all[1].host, "127.0.0.1");
    EXPECT_EQ(all[1].client_host, "example.org");
    EXPECT_EQ(all[1].client_port, 3050);
    EXPECT_TRUE(all[1].is_frontend);
    EXPECT_FALSE(all[1].is_up);
    EXPECT_THAT(all[1].record_json, HasSubstr("\"max-connections\":7"));
    EXPECT_FALSE(all[0].is_frontend);
}

TEST(server_options, hand_the_bus_its_options) {
    const setting_folder folder("bus: {queue_limit: 64 KiB, heartbeat: 2, silence: 3}");
    const auto found = folder.found();
    auto self = cluster::info_of(*found.system.find("chat-1"));
    self.life = incarnation{42};
    const auto wanted = bus_of(found, self);
    EXPECT_EQ(wanted.run_folder, folder.path() / "run");
    EXPECT_EQ(wanted.id, "chat-1");
    EXPECT_EQ(wanted.life, incarnation{42});
    EXPECT_EQ(wanted.queue_limit, 65536u);
    EXPECT_EQ(wanted.heartbeat, 2s);
    EXPECT_EQ(wanted.silence, 3s);
    EXPECT_FALSE(wanted.declares_dead) << "the default of the env development";
    const setting_folder killing("supervision: {stalled: kill}");
    EXPECT_TRUE(bus_of(killing.found(), self).declares_dead);
}

class wire_files_of_a_type : public testing::Test {
protected:
    result<wire_files> read(std::string_view id) const {
        const auto found = folder_.found();
        return read_wire_files(found, *found.system.find(id));
    }
    const setting_folder folder_{"types:\n"
                                 "  chat: {connector: {dict: true, proto: true}}\n"
                                 "  gate: {connector: {proto: true}}\n"
                                 "  connector: {connector: {dict: true}}\n"};
};

TEST_F(wire_files_of_a_type, are_those_that_it_asks_for) {
    const auto gate = read("gate-1");
    ASSERT_TRUE(gate) << gate.error().text();
    EXPECT_NE(gate->protos, nullptr);
    EXPECT_EQ(gate->dictionary, nullptr);
    const auto connector = read("connector-1");
    ASSERT_TRUE(connector) << connector.error().text();
    EXPECT_EQ(connector->protos, nullptr);
    EXPECT_NE(connector->dictionary, nullptr);
    const auto chat = read("chat-1");
    ASSERT_TRUE(chat) << chat.error().text();
    EXPECT_EQ(chat->protos, nullptr) << "no clients, nothing to agree on";
    EXPECT_EQ(chat->dictionary, nullptr);
}

TEST_F(wire_files_of_a_type, are_not_read_when_nobody_asks) {
    folder_.write("config/serverProtos.json", "no JSON");
    EXPECT_TRUE(read("connector-1"));
    EXPECT_TRUE(read("chat-1"));
    EXPECT_FALSE(read("gate-1"));
    folder_.write("config/dictionary.json", "no JSON");
    EXPECT_FALSE(read("connector-1"));
    EXPECT_TRUE(read("chat-1"));
}

} // namespace
} // namespace shaddock::node
