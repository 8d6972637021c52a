#include <protocol/proxy_header.hpp>

#include <gtest/gtest.h>

#include <string>

namespace shaddock::protocol {
namespace {

using namespace std::string_literals;

std::string seen(std::string_view in) {
    const auto header = read_proxy_header(in);
    switch (header.status) {
    case proxy_status::need_more:
        return "more";
    case proxy_status::bad:
        return "bad";
    case proxy_status::ok:
        break;
    }
    return header.is_own ? "own " + std::to_string(header.used)
                         : base::to_text(header.from, header.from_port) + " at " +
                               base::to_text(header.to) + " " + std::to_string(header.used);
}

std::string binary(std::uint8_t command, std::uint8_t family, std::string_view rest) {
    std::string out = "\r\n\r\n\0\r\nQUIT\n"s;
    out += static_cast<char>(command);
    out += static_cast<char>(family);
    out += static_cast<char>(rest.size() >> 8);
    out += static_cast<char>(rest.size() & 0xff);
    return out.append(rest);
}

const std::string v4_addresses = "\xc0\x00\x02\x01\x0a\x00\x00\x05\x30\x39\x00\x50"s;
const std::string v6_addresses = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x30\x39\x00\x50"s;

TEST(proxy_header, reads_a_line) {
    EXPECT_EQ(seen("PROXY TCP4 192.0.2.1 10.0.0.5 12345 80\r\nGET /"),
              "192.0.2.1:12345 at 10.0.0.5 40");
    EXPECT_EQ(seen("PROXY TCP6 2001:db8::1 2001:db8::2 12345 80\r\n"),
              "[2001:db8::1]:12345 at 2001:db8::2 45");
    EXPECT_EQ(seen("PROXY UNKNOWN\r\n"), "own 15");
    EXPECT_EQ(seen("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "own 43");
}

TEST(proxy_header, refuses_a_line_that_is_none) {
    for (const std::string bad :
         {"PROXY TCP5 192.0.2.1 10.0.0.5 1 2\r\n", "PROXY \r\n", "PROXY TCP4\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.5 1\r\n", "PROXY TCP4 192.0.2.1 10.0.0.5 1 2 3\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.5 1 2 \r\n", "PROXY  TCP4 192.0.2.1 10.0.0.5 1 2\r\n",
          "PROXY TCP4 192.0.2.1  10.0.0.5 1 2\r\n", "PROXY TCP4 192.0.2.256 10.0.0.5 1 2\r\n",
          "PROXY TCP4 ::1 10.0.0.5 1 2\r\n", "PROXY TCP6 192.0.2.1 ::1 1 2\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.5 65536 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.5 01 2\r\n",
          "PROXY TCP4 192.0.2.1 10.0.0.5 -1 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.5 a 2\r\n",
          "proxy TCP4 192.0.2.1 10.0.0.5 1 2\r\n", "GET / HTTP/1.1\r\n", "\x01", "PRO\r"}) {
        EXPECT_EQ(seen(bad), "bad") << bad;
    }
    const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x');
    EXPECT_EQ(seen(longest + "\r\n"), "own 107");
    EXPECT_EQ(seen(longest + "x\r\n"), "bad");
    EXPECT_EQ(seen(longest), "more");
    // No room is left for the line end.
    EXPECT_EQ(seen(longest + "x"), "bad");
}

TEST(proxy_header, reads_the_binary_form) {
    EXPECT_EQ(seen(binary(0x21, 0x11, v4_addresses) + "\x01"), "192.0.2.1:12345 at 10.0.0.5 28");
    EXPECT_EQ(seen(binary(0x21, 0x21, v6_addresses)), "[2001:db8::1]:12345 at 2001:db8::2 52");
    EXPECT_EQ(seen(binary(0x21, 0x11, v4_addresses + "\x04\x00\x01x"s)),
              "192.0.2.1:12345 at 10.0.0.5 32");
    EXPECT_EQ(seen(binary(0x20, 0x00, {})), "own 16");
    EXPECT_EQ(seen(binary(0x20, 0x11, v4_addresses)), "own 28");
    EXPECT_EQ(seen(binary(0x21, 0x00, "whatever")), "own 24");
    EXPECT_EQ(seen(binary(0x21, 0x11, v4_addresses + std::string(4096 - 28, 'x'))),
              "192.0.2.1:12345 at 10.0.0.5 4096");
}

TEST(proxy_header, refuses_a_binary_form_that_is_none) {
    EXPECT_EQ(seen(binary(0x11, 0x11, v4_addresses)), "bad");
    EXPECT_EQ(seen(binary(0x22, 0x11, v4_addresses)), "bad");
    EXPECT_EQ(seen(binary(0x21, 0x12, v4_addresses)), "bad");
    EXPECT_EQ(seen(binary(0x21, 0x31, std::string(216, 'x'))), "bad");
    EXPECT_EQ(seen(binary(0x21, 0x11, v4_addresses.substr(1))), "bad");
    EXPECT_EQ(seen(binary(0x21, 0x21, v4_addresses)), "bad");
    // It does not wait for what is too long.
    EXPECT_EQ(seen(binary(0x20, 0x00, std::string(4081, 'x')).substr(0, 16)), "bad");
    EXPECT_EQ(seen(binary(0x31, 0, {}).substr(0, 13)), "bad");
    EXPECT_EQ(seen("\r\n\r\nGET"), "bad");
}

TEST(proxy_header, waits_at_every_byte_but_the_last) {
    for (const auto& whole : {"PROXY TCP4 192.0.2.1 10.0.0.5 12345 80\r\n"s, "PROXY UNKNOWN\r\n"s,
                              binary(0x21, 0x11, v4_addresses),
                              binary(0x21, 0x21, v6_addresses + "extra"), binary(0x20, 0x00, {})}) {
        for (std::size_t i = 0; i < whole.size(); ++i) {
            EXPECT_EQ(seen(whole.substr(0, i)), "more") << i;
            const auto wanted = read_proxy_header(whole.substr(0, i)).wanted;
            EXPECT_TRUE(wanted > i && wanted <= whole.size()) << i << ": " << wanted;
        }
        EXPECT_EQ(read_proxy_header(whole).used, whole.size());
    }
}

} // namespace
} // namespace shaddock::protocol
