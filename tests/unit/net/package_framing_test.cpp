#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Raw TCP on the same port: packages without WebSocket around them.
namespace shaddock::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

const std::string login = package(package_type::handshake, R"({"sys":{}})") +
                          std::string(protocol::handshake_ack_package);

client& raw(house& here) {
    auto& one = here.connect();
    one.is_raw = true;
    return one;
}

TEST(package_framing, goes_the_same_way_on_the_same_port) {
    house here({.host = {}, .heartbeat = 3s});
    here.working();
    auto& one = raw(here);
    one.write(login + package(package_type::data, "hello"));
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty(); }));
    here.events.ready[1]->send(encode_for_all(package(package_type::data, "to all")));
    here.events.ready[1]->send_package(package(package_type::data, "to one"));
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 4; }));
    EXPECT_THAT(one.packages,
                ElementsAre(seen_package{package_type::handshake, std::string(accepted_json)},
                            seen_package{package_type::heartbeat, ""},
                            seen_package{package_type::data, "to all"},
                            seen_package{package_type::data, "to one"}));
}

TEST(package_framing, a_stream_cut_at_every_byte_gives_the_same) {
    const auto all = login + package(package_type::data, "one") + package(package_type::data) +
                     package(package_type::data, "two");
    house here;
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        here.events.data.clear();
        auto& one = raw(here);
        one.write(std::string_view(all).substr(0, cut));
        const auto before = here.counts().bytes_in;
        ASSERT_TRUE(here.until([&] { return here.counts().bytes_in == before + cut; }));
        one.write(std::string_view(all).substr(cut));
        ASSERT_TRUE(here.until([&] { return here.events.data.size() == 3; })) << cut;
        EXPECT_THAT(here.events.data, ElementsAre("one", "", "two"));
        one.drop();
    }
}

TEST(framing, four_bytes_decide_however_they_are_cut) {
    house here;
    // A method may go on; what begins none is closed by the byte that shows it.
    for (const auto* method : {"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI"}) {
        auto& one = here.connect();
        for (const char* at = method; *at != '\0'; ++at) {
            one.write(std::string_view(at, 1));
            here.settle();
            EXPECT_FALSE(one.is_ended) << method;
        }
        one.drop();
    }
    for (const auto* noise : {"Q", "GA", "GEX", "GETS", "g", "POSS", "\x06", "\xff"}) {
        auto& one = here.connect();
        const std::string_view bytes(noise);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            EXPECT_FALSE(one.is_ended) << noise << " at " << i;
            one.write(bytes.substr(i, 1));
            here.settle();
        }
        EXPECT_TRUE(one.is_ended) << noise;
        EXPECT_EQ(one.bytes_read, 0U) << noise;
    }
}

TEST(framing, another_method_than_get_is_told_so) {
    house here;
    auto& one = here.connect();
    one.write("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_TRUE(one.http_answer.starts_with("HTTP/1.1 405 ")) << one.http_answer;
}

TEST(package_framing, kick_comes_before_the_end) {
    house here;
    auto& one = raw(here);
    one.write(login);
    ASSERT_TRUE(here.until([&] { return here.events.ready.size() == 1; }));
    here.events.ready[0]->kick("go");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_FALSE(one.is_reset);
    EXPECT_EQ(one.packages.back(), (seen_package{package_type::kick, R"({"reason":"go"})"}));
}

TEST(package_framing, unknown_types_and_long_packages_close) {
    house here;
    for (const std::string_view bytes :
         {std::string_view("\x06\0\0\0", 4), std::string_view("\x05\0\0\0", 4),
          std::string_view("\x04\x02\0\0", 4)}) {
        auto& one = raw(here);
        one.write(login + std::string(bytes));
        ASSERT_TRUE(here.until([&] { return one.is_ended; }));
        one.drop();
    }
    EXPECT_EQ(here.protocol_errors(), 3U);
    ASSERT_TRUE(here.until([&] { return here.events.closed.size() == 3; }));
}

TEST(package_framing, a_slow_reader_is_cut_at_a_package_boundary) {
    house here({.host = {}, .pending_limit = 64 * 1024});
    auto& slow = here.connect(4096);
    slow.is_raw = true;
    slow.write(login);
    ASSERT_TRUE(here.until([&] { return here.events.ready.size() == 1; }));
    here.lazy.push_back(&slow);
    const auto made = encode_for_all(package(package_type::data, std::string(3000, 'x')));
    auto result = send_result::queued;
    for (int i = 0; i < 100'000 && result == send_result::queued; ++i) {
        result = here.events.ready[0]->send(made);
    }
    ASSERT_EQ(result, send_result::overflowed);
    here.lazy.clear();
    ASSERT_TRUE(here.until([&] { return slow.is_ended; }));
    EXPECT_FALSE(slow.is_broken);
    EXPECT_EQ(slow.unparsed(), 0U);
    EXPECT_EQ(slow.packages.back(),
              (seen_package{package_type::kick, R"({"reason":"slow consumer"})"}));
}

} // namespace
} // namespace shaddock::net::testing
