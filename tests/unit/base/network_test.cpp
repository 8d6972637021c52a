#include <base/network.hpp>

#include <gtest/gtest.h>

namespace shaddock::base {
namespace {

std::string again(std::string_view text) {
    const auto read = parse_ip(text);
    return read ? to_text(*read) : "none";
}

TEST(network, reads_addresses_and_writes_them_in_one_form) {
    EXPECT_EQ(again("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(again("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(again("2001:DB8:0:0::1"), "2001:db8::1");
    EXPECT_EQ(again("::1"), "::1");
    for (const auto* bad :
         {"", "192.0.2", "192.0.2.256", "192.0.2.1:80", "[::1]", "fe80::1%eth0", "example.org",
          " ::1", "1.2.3.4 ", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
        EXPECT_EQ(again(bad), "none") << bad;
    }
    EXPECT_EQ(to_text(*parse_ip("192.0.2.1"), 80), "192.0.2.1:80");
    EXPECT_EQ(to_text(*parse_ip("::1"), 80), "[::1]:80");
    EXPECT_EQ(to_text(*parse_ip("::1"), 0), "::1");
    EXPECT_EQ(to_text(ip_address()), "");
}

bool has(const std::vector<std::string_view>& networks, std::string_view address) {
    std::vector<network> all;
    for (const auto text : networks) {
        all.push_back(parse_network(text).value());
    }
    return network_set(all).contains(parse_ip(address).value());
}

TEST(network, holds_the_addresses_that_begin_with_its_bits) {
    EXPECT_TRUE(has({"10.0.0.0/8"}, "10.255.0.1"));
    EXPECT_FALSE(has({"10.0.0.0/8"}, "11.0.0.1"));
    EXPECT_TRUE(has({"10.9.9.9/8"}, "10.0.0.1"));
    EXPECT_TRUE(has({"192.0.2.64/26"}, "192.0.2.127"));
    EXPECT_FALSE(has({"192.0.2.64/26"}, "192.0.2.128"));
    EXPECT_TRUE(has({"192.0.2.7"}, "192.0.2.7"));
    EXPECT_FALSE(has({"192.0.2.7"}, "192.0.2.6"));
    EXPECT_TRUE(has({"2001:db8::/32"}, "2001:db8:ffff::1"));
    EXPECT_FALSE(has({"2001:db8::/32"}, "2001:db9::1"));
    EXPECT_TRUE(has({"::ffff:10.0.0.0/104"}, "10.1.1.1"));
    EXPECT_TRUE(has({"10.0.0.0/8", "::1", "192.0.2.0/24", "172.16.0.0/12"}, "172.31.0.1"));
    EXPECT_TRUE(has({"0.0.0.0/0"}, "8.8.8.8"));
    EXPECT_FALSE(has({"0.0.0.0/0"}, "2001:db8::1"));
    EXPECT_TRUE(has({"::/0"}, "8.8.8.8"));
    // A whole address is not the network of the same bytes.
    EXPECT_FALSE(has({"10.0.0.0"}, "10.0.0.1"));
    EXPECT_FALSE(has({}, "10.0.0.1"));
}

TEST(network, refuses_what_is_none) {
    for (const auto* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::1/129", "10.0.0.0/-1",
                            "10.0.0.0/8x", "10.0.0.0/ 8", "10.0.0/8", "example.org/8", "*"}) {
        EXPECT_FALSE(parse_network(bad)) << bad;
    }
}

} // namespace
} // namespace shaddock::base
