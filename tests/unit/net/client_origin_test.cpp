#include "client_origin.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace shaddock::net {
namespace {

std::string behind(std::string_view peer, std::vector<std::string_view> fields) {
    std::vector<base::network> trusted;
    for (const auto* text : {"10.0.0.0/8", "fd00::/8"}) {
        trusted.push_back(base::parse_network(text).value());
    }
    return base::to_text(
        client_behind(base::parse_ip(peer).value(), fields, base::network_set(trusted)));
}

TEST(client_origin, is_the_peer_when_nobody_trusted_speaks) {
    EXPECT_EQ(behind("10.0.0.1", {}), "10.0.0.1");
    EXPECT_EQ(behind("192.0.2.1", {"198.51.100.7"}), "192.0.2.1");
    EXPECT_EQ(behind("192.0.2.1", {"198.51.100.7, 10.0.0.1"}), "192.0.2.1");
}

TEST(client_origin, is_the_rightmost_that_no_trusted_proxy_is) {
    EXPECT_EQ(behind("10.0.0.1", {"192.0.2.1"}), "192.0.2.1");
    EXPECT_EQ(behind("10.0.0.1", {"8.8.8.8, 192.0.2.1, 10.0.0.2"}), "192.0.2.1");
    EXPECT_EQ(behind("10.0.0.1", {"8.8.8.8", "192.0.2.1", "10.0.0.2 ,\t10.0.0.3"}), "192.0.2.1");
    EXPECT_EQ(behind("10.0.0.1", {"2001:db8::1, fd00::2"}), "2001:db8::1");
    EXPECT_EQ(behind("10.0.0.1", {"10.0.0.2"}), "10.0.0.2");
}

TEST(client_origin, reads_ports_and_brackets) {
    EXPECT_EQ(behind("10.0.0.1", {"192.0.2.1:8080"}), "192.0.2.1");
    EXPECT_EQ(behind("10.0.0.1", {"[2001:db8::1]:8080"}), "2001:db8::1");
    EXPECT_EQ(behind("10.0.0.1", {"[2001:db8::1]"}), "2001:db8::1");
}

TEST(client_origin, stops_at_what_is_no_address) {
    for (const auto* bad : {"unknown", "", " ", "[::1", "_hidden", "1.2.3.4.5", "'192.0.2.1'"}) {
        EXPECT_EQ(behind("10.0.0.1", {bad}), "10.0.0.1") << bad;
    }
    EXPECT_EQ(behind("10.0.0.1", {"192.0.2.1, unknown, 10.0.0.2"}), "10.0.0.2");
    EXPECT_EQ(behind("10.0.0.1", {"192.0.2.1,"}), "10.0.0.1");
}

TEST(client_origin, allows_the_origins_of_the_list) {
    const std::vector<std::string> some{"https://chat.example", "http://localhost:3001"};
    EXPECT_TRUE(is_origin_allowed("https://chat.example", some));
    EXPECT_TRUE(is_origin_allowed("HTTPS://Chat.Example", some));
    EXPECT_TRUE(is_origin_allowed("http://localhost:3001", some));
    for (const auto* other : {"http://chat.example", "https://chat.example:444", "null", "",
                              "https://chat.example.evil.example", "https://chat.exampl"}) {
        EXPECT_FALSE(is_origin_allowed(other, some)) << other;
    }
    EXPECT_TRUE(is_origin_allowed("null", std::vector<std::string>{"*"}));
    EXPECT_FALSE(is_origin_allowed("null", {}));
}

} // namespace
} // namespace shaddock::net
