#include "machine.hpp"

#include "folder.hpp"

#include <unistd.h>

#include <array>

namespace shaddock::config {
namespace {

namespace ip = boost::asio::ip;

/// A machine with two interfaces.
machine_names some_machine() {
    return {"Games-1", {ip::make_address("10.0.0.5"), ip::make_address("fe80::5%3")}};
}

TEST(machine, is_meant_by_loopback_and_unspecified_addresses) {
    for (const char* host : {"127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", "::1",
                             "::", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(is_here(host, some_machine())) << host;
    }
}

TEST(machine, is_meant_by_addresses_of_its_interfaces) {
    for (const char* host : {"10.0.0.5", "::ffff:10.0.0.5", "fe80::5", "FE80::0005", "fe80::5%1"}) {
        EXPECT_TRUE(is_here(host, some_machine())) << host;
    }
    for (const char* host : {"10.0.0.6", "128.0.0.1", "fe80::6", "::2", "::ffff:10.0.0.6"}) {
        EXPECT_FALSE(is_here(host, some_machine())) << host;
    }
}

TEST(machine, is_meant_by_its_name) {
    for (const char* host : {"localhost", "LocalHost", "Games-1", "games-1"}) {
        EXPECT_TRUE(is_here(host, some_machine())) << host;
    }
    for (const char* host : {"games-2", "games-1.example.org", "games", "127.0.0.1.example.org",
                             "300.0.0.1", "10.0.0.5:80", ""}) {
        EXPECT_FALSE(is_here(host, some_machine())) << host;
    }
}

TEST(machine, is_meant_by_names_that_resolve_to_it) {
    auto own = some_machine();
    own.look_up = [](const std::string& name) -> std::vector<ip::address> {
        if (name == "chat.example") {
            return {ip::make_address("192.0.2.5"), ip::make_address("10.0.0.5")};
        }
        if (name == "loop.example") {
            return {ip::make_address("127.0.1.1")};
        }
        return name == "other.example" ? std::vector{ip::make_address("192.0.2.5")}
                                       : std::vector<ip::address>();
    };
    EXPECT_TRUE(is_here("chat.example", own));
    EXPECT_TRUE(is_here("loop.example", own));
    EXPECT_FALSE(is_here("other.example", own));
    EXPECT_FALSE(is_here("nobody.example", own));
    EXPECT_FALSE(is_here("", own));
}

TEST(machine, without_a_name_is_not_meant_by_an_empty_one) {
    EXPECT_FALSE(is_here("", {}));
}

TEST(machine, whose_addresses_are_not_told_may_be_any) {
    EXPECT_TRUE(is_here("192.0.2.5", {"games-1", {}, false}));
    EXPECT_FALSE(is_here("games-2", {"games-1", {}, false}));
}

TEST(machine, knows_its_own_name_and_addresses) {
    const machine_names own = this_machine();
    std::array<char, 256> name{};
    ASSERT_EQ(gethostname(name.data(), name.size() - 1), 0);
    EXPECT_EQ(own.hostname, name.data());
    EXPECT_TRUE(own.has_addresses);
    EXPECT_THAT(own.addresses, testing::Contains(ip::make_address("127.0.0.1")));
}

TEST(load, refuses_a_server_of_another_machine) {
    for (const std::string host : {"", "bus: {kind: direct}\n", "bus: {kind: local}\n"}) {
        // 192.0.2.0/24 is nobody's (RFC 5737).
        const system_folder f("{\"development\": {\"chat\": [{\"id\": \"a\", \"host\": \"::1\"},\n"
                              "{\"id\": \"b\",\n\"host\": \"192.0.2.5\"}]}}",
                              host + "web: {port: 0}");
        EXPECT_EQ(f.load_error(),
                  "servers.json:3: server 'b' host: found '192.0.2.5', which is not an address of "
                  "this machine; several machines need `bus: {kind: nats}`");
    }
}

TEST(load, refuses_a_name_of_nobody) {
    // RFC 6761: no name server knows it.
    const system_folder f(
        "{\"chat\": [\n{\"clusterCount\": 1, \"host\": \"chat.invalid\", \"port\": 6050}]}");
    EXPECT_EQ(f.load_error(),
              "servers.json:2: server 'cluster-server-chat-0' host: found 'chat.invalid', "
              "which is not an address of this machine; several machines need `bus: {kind: nats}`");
}

TEST(load, takes_the_names_of_this_machine) {
    const system_folder f(R"({"chat": [{"id": "a", "host": ")" + this_machine().hostname +
                          R"("}, {"id": "b", "host": "localhost"}]})");
    EXPECT_EQ(f.load_error(), "no error");
}

} // namespace
} // namespace shaddock::config
