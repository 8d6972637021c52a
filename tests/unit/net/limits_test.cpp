// Who may come in: limits, the deny list, origins, and what trusted proxies tell.
#include "client.hpp"

#include <protocol/kick.hpp>

#include <gmock/gmock.h>

namespace shaddock::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

base::network_set networks(std::string_view text) {
    return base::network_set({base::parse_network(text).value()});
}

const seen_package handshake_500{package_type::handshake, protocol::handshake_failure(500)};

std::string upgrade_with(std::string_view fields) {
    auto request =
        protocol::make_upgrade_request("127.0.0.1", "/", protocol::make_websocket_key(1, 2));
    return request.insert(request.size() - 2, fields);
}

client& raw(client& one) {
    one.is_raw = true;
    one.write(package(package_type::handshake, R"({"sys":{}})"));
    return one;
}

/// Whether it shakes hands in raw packages.
bool is_served(house& here, client& one) {
    here.until([&] { return one.is_ended || !one.packages.empty(); });
    return !one.packages.empty() && one.packages.front().body == accepted_json;
}

TEST(limits, who_comes_past_the_limit_is_told_and_others_come_later) {
    house here({.host = {}, .connections_limit = 2});
    auto& first = here.working();
    here.working();
    auto& third = here.connect();
    third.write_upgrade();
    ASSERT_TRUE(here.until([&] { return third.is_ended; }));
    EXPECT_EQ(third.http_status, 503);
    EXPECT_THAT(third.http_answer, HasSubstr("\r\n\r\nthe server is full\n"));
    auto& fourth = raw(here.connect());
    ASSERT_TRUE(here.until([&] { return fourth.is_ended; }));
    EXPECT_THAT(fourth.packages, ElementsAre(handshake_500));
    EXPECT_EQ(here.counts().of(drop::connections_limit), 2U);
    EXPECT_FALSE(first.is_ended);
    third.drop();
    fourth.drop();
    first.drop();
    ASSERT_TRUE(here.until([&] { return here.counts().connections == 1; }));
    here.working();
    EXPECT_THAT(here.events.ready, SizeIs(2));
}

TEST(limits, who_is_refused_and_says_nothing_is_gone_within_a_second) {
    house here({.host = {}, .connections_limit = 1});
    here.working();
    for (int i = 0; i < 300; ++i) {
        here.connect();
    }
    here.settle();
    // Only so many wait to be told.
    EXPECT_EQ(here.counts().connections, 257U);
    EXPECT_EQ(here.counts().of(drop::connections_limit), 300U);
    here.pass(1s);
    here.pass(1s);
    EXPECT_EQ(here.counts().connections, 1U);
    EXPECT_EQ(here.timeouts(), 0U);
}

TEST(limits, a_newcomer_takes_the_place_of_the_oldest_that_has_said_nothing) {
    house here({.host = {}, .connections_limit = 3});
    auto& speaker = here.working();
    speaker.write_package(package_type::data, "hello");
    here.until([&] { return !here.events.data.empty(); });
    auto& idler = here.working();
    auto& silent = here.connect();
    here.settle();
    here.pass(1s);
    here.working();
    ASSERT_TRUE(here.until([&] { return idler.is_ended; }));
    EXPECT_THAT(idler.packages,
                ElementsAre(seen_package{package_type::kick,
                                         protocol::kick_body(protocol::kick_reason::full)}));
    EXPECT_FALSE(silent.is_ended);
    here.working();
    ASSERT_TRUE(here.until([&] { return silent.is_ended; }));
    EXPECT_FALSE(speaker.is_ended);
    EXPECT_EQ(here.counts().of(drop::made_room), 2U);
    EXPECT_EQ(here.counts().of(drop::connections_limit), 0U);
    EXPECT_EQ(here.counts().connections, 3U);
    ASSERT_THAT(here.events.closed, SizeIs(1));
    EXPECT_EQ(here.events.closed[0].second, "full");
    // Nobody younger than a second goes.
    auto& late = here.connect();
    late.write_upgrade();
    ASSERT_TRUE(here.until([&] { return late.is_ended; }));
    EXPECT_EQ(late.http_status, 503);
}

TEST(limits, one_address_cannot_shut_others_out) {
    house here({.host = {}, .connections_per_address = 2});
    here.connect_from("127.0.0.77");
    here.connect_from("127.0.0.77");
    auto& third = here.connect_from("127.0.0.77");
    third.write_upgrade();
    ASSERT_TRUE(here.until([&] { return third.is_ended; }));
    EXPECT_EQ(third.http_status, 503);
    EXPECT_THAT(third.http_answer, HasSubstr("too many connections from this address"));
    EXPECT_EQ(here.counts().of(drop::address_limit), 1U);
    here.working();
    here.clients[0]->drop();
    third.drop();
    ASSERT_TRUE(here.until([&] { return here.counts().connections == 2; }));
    EXPECT_TRUE(is_served(here, raw(here.connect_from("127.0.0.77"))));
}

TEST(limits, handshakes_have_a_rate) {
    house here({.host = {}, .handshake_rate = 8});
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(is_served(here, raw(here.connect_from("127.0.0.77"))));
    }
    auto& third = raw(here.connect_from("127.0.0.77"));
    ASSERT_TRUE(here.until([&] { return third.is_ended; }));
    EXPECT_THAT(third.packages, ElementsAre(handshake_500));
    EXPECT_TRUE(is_served(here, raw(here.connect())));
    EXPECT_EQ(here.counts().of(drop::handshake_rate), 1U);
    EXPECT_EQ(here.counts().of(drop::handshake_refused), 0U);
    here.pass(1s);
    EXPECT_TRUE(is_served(here, raw(here.connect_from("127.0.0.77"))));
}

TEST(limits, denied_networks_are_closed_without_a_word) {
    house here({.host = {}, .denied = networks("127.0.0.64/26")});
    auto& denied = here.connect_from("127.0.0.77");
    ASSERT_TRUE(here.until([&] { return denied.is_ended; }));
    EXPECT_EQ(denied.bytes_read, 0U);
    EXPECT_EQ(here.counts().of(drop::denied), 1U);
    EXPECT_EQ(here.counts().accepted, 0U);
    auto& other = here.working();
    here.port().deny(networks("127.0.0.0/26"));
    ASSERT_TRUE(here.until([&] { return other.is_ended; }));
    EXPECT_THAT(other.packages,
                ElementsAre(seen_package{package_type::kick,
                                         protocol::kick_body(protocol::kick_reason::denied)}));
    EXPECT_TRUE(is_served(here, raw(here.connect_from("127.0.0.77"))));
    here.port().deny({});
    here.working();
}

TEST(limits, pages_of_other_origins_are_refused) {
    house here({.host = {}, .origins = {"https://chat.example"}});
    auto& other = here.connect();
    other.write(upgrade_with("Origin: https://evil.example\r\n"));
    ASSERT_TRUE(here.until([&] { return other.is_ended; }));
    EXPECT_EQ(other.http_status, 403);
    EXPECT_EQ(here.counts().of(drop::origin), 1U);
    auto& page = here.connect();
    page.write_upgrade();
    EXPECT_TRUE(here.until([&] { return page.is_upgraded; }));
    auto& good = here.connect();
    good.write(upgrade_with("origin: https://chat.example\r\n"));
    EXPECT_TRUE(here.until([&] { return good.http_status == 101 || good.is_ended; }));
    EXPECT_EQ(good.http_status, 101);
}

TEST(limits, each_is_in_the_log_once_a_minute) {
    const kept_log log;
    house here({.host = {}, .denied = networks("127.0.0.77")});
    const auto knock = [&] {
        auto& one = here.connect_from("127.0.0.77");
        ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    };
    knock();
    knock();
    knock();
    here.pass(60s);
    knock();
    const auto lines = log.lines("denied");
    ASSERT_THAT(lines, SizeIs(2));
    EXPECT_THAT(
        lines[0],
        HasSubstr("denied: 1 since the last line of this kind, the last of them 127.0.0.77"));
    EXPECT_THAT(lines[1], HasSubstr("denied: 3 since the last line of this kind"));
}

TEST(limits, the_log_says_what_was_wrong_with_an_origin_or_a_proxy_header) {
    const kept_log log;
    house pages({.host = {}, .origins = {"https://chat.example"}});
    auto& page = pages.connect();
    page.write(upgrade_with("origin: https://evil.example\r\n"));
    ASSERT_TRUE(pages.until([&] { return page.is_ended; }));
    EXPECT_THAT(log.lines(": origin: "), ElementsAre(HasSubstr("127.0.0.1: https://evil.example")));

    house behind({.host = {}, .trusted_proxies = networks("127.0.0.1"), .proxy_protocol = true});
    auto& plain = behind.connect();
    plain.write("GET / HTTP/1.1\r\n");
    ASSERT_TRUE(behind.until([&] { return plain.is_ended; }));
    behind.pass(61s);
    auto& stranger = behind.connect_from("127.0.0.77");
    ASSERT_TRUE(behind.until([&] { return stranger.is_ended; }));
    EXPECT_THAT(log.lines(": proxy_header: "),
                ElementsAre(HasSubstr("127.0.0.1: no PROXY header"),
                            HasSubstr("127.0.0.77: this port is for trusted proxies only")));
}

// Proxies

listener_options behind_proxy() {
    return {.host = {}, .connections_per_address = 1, .trusted_proxies = networks("127.0.0.1")};
}

TEST(limits, a_trusted_proxy_speaks_for_its_clients_and_is_not_counted) {
    house here(behind_proxy());
    std::vector<std::string> addresses;
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        addresses.push_back(from.address());
        return handshake_answer{true, std::string(accepted_json)};
    };
    const auto come = [&](std::string_view fields, const char* from = "127.0.0.1") -> client& {
        auto& one = here.connect_from(from);
        one.write(upgrade_with(fields) +
                  client::frame(package(package_type::handshake, R"({"sys":{}})")));
        here.until([&] { return one.is_ended || one.bytes_read > 150; });
        return one;
    };
    come("X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\n");
    EXPECT_EQ(come("X-Forwarded-For: 192.0.2.1\r\n").http_status, 503);
    come("X-Forwarded-For: 192.0.2.2\r\n");
    come("");
    come("");
    // Nobody else is believed.
    come("X-Forwarded-For: 192.0.2.3\r\n", "127.0.0.77");
    ASSERT_THAT(addresses, SizeIs(5));
    EXPECT_EQ(addresses[0], "192.0.2.1");
    EXPECT_EQ(addresses[1], "192.0.2.2");
    EXPECT_THAT(addresses[2], StartsWith("127.0.0.1:"));
    EXPECT_THAT(addresses[3], StartsWith("127.0.0.1:"));
    EXPECT_THAT(addresses[4], StartsWith("127.0.0.77:"));
    EXPECT_EQ(here.counts().of(drop::address_limit), 1U);
}

TEST(limits, a_denied_client_behind_a_proxy_is_refused) {
    auto options = behind_proxy();
    options.denied = networks("192.0.2.0/24");
    house here(options);
    auto& one = here.connect();
    one.write(upgrade_with("X-Forwarded-For: 192.0.2.1\r\n"));
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(one.http_status, 403);
    EXPECT_EQ(here.counts().of(drop::denied), 1U);
}

TEST(limits, a_proxy_header_is_required_when_it_is_spoken) {
    auto options = behind_proxy();
    options.proxy_protocol = true;
    house here(options);
    std::vector<std::string> addresses;
    std::string reached;
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        addresses.push_back(from.address());
        reached = base::to_text(from.reached_at());
        return handshake_answer{true, std::string(accepted_json)};
    };
    const std::string header = "PROXY TCP4 192.0.2.1 203.0.113.5 4000 443\r\n";
    const auto greeting = package(package_type::handshake, R"({"sys":{}})");
    // Every split: the header, and the byte that decides on the framing.
    for (std::size_t i = 0; i <= header.size() + 1; i += 7) {
        auto& one = here.connect();
        one.is_raw = true;
        one.write((header + greeting).substr(0, i));
        here.settle();
        one.write((header + greeting).substr(i));
        EXPECT_TRUE(is_served(here, one)) << i;
        one.drop();
        ASSERT_TRUE(here.until([&] { return here.counts().connections == 0; }));
    }
    EXPECT_EQ(addresses.back(), "192.0.2.1:4000");
    EXPECT_EQ(reached, "203.0.113.5");

    auto& page = here.connect();
    page.write(header);
    page.write_upgrade();
    EXPECT_TRUE(here.until([&] { return page.is_upgraded; }));
    // The second of this client's address.
    auto& second = here.connect();
    second.is_raw = true;
    second.write(header + greeting);
    ASSERT_TRUE(here.until([&] { return second.is_ended; }));
    EXPECT_THAT(second.packages, ElementsAre(handshake_500));

    // A check of health speaks for the proxy itself.
    auto& own = here.connect();
    own.is_raw = true;
    own.write("PROXY UNKNOWN\r\n" + greeting);
    EXPECT_TRUE(is_served(here, own));

    for (const auto& bytes :
         {greeting, std::string("GET / HTTP/1.1\r\n"), std::string("PROXY X")}) {
        auto& bare = here.connect();
        bare.write(bytes + std::string(120, ' '));
        ASSERT_TRUE(here.until([&] { return bare.is_ended; }));
        EXPECT_EQ(bare.bytes_read, 0U);
    }
    auto& stranger = here.connect_from("127.0.0.77");
    stranger.write(header + greeting);
    ASSERT_TRUE(here.until([&] { return stranger.is_ended; }));
    EXPECT_EQ(here.counts().of(drop::proxy_header), 4U);
}

TEST(limits, who_is_refused_behind_a_proxy_holds_no_place) {
    auto options = behind_proxy();
    options.proxy_protocol = true;
    options.connections_limit = 2;
    house here(options);
    const auto come = [&](const std::string& address) -> client& {
        auto& one = here.connect();
        one.is_raw = true;
        one.write("PROXY TCP4 " + address + " 203.0.113.5 4000 443\r\n");
        here.settle();
        return one;
    };
    auto& first = come("192.0.2.1");
    first.write(package(package_type::handshake, R"({"sys":{}})") +
                package(package_type::handshake_ack) + package(package_type::data, "m"));
    here.until([&] { return !here.events.data.empty(); });
    // The second of that address is refused and says nothing more; another one has its place.
    come("192.0.2.1");
    auto& other = come("192.0.2.2");
    other.write(package(package_type::handshake, R"({"sys":{}})"));
    EXPECT_TRUE(is_served(here, other));
    EXPECT_EQ(here.counts().of(drop::connections_limit), 0U);
}

TEST(limits, a_proxy_header_is_no_package_where_none_is_spoken) {
    house here(behind_proxy());
    auto& one = here.connect();
    one.write("PROXY TCP4 192.0.2.1 203.0.113.5 4000 443\r\n");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(here.counts().of(drop::protocol_error), 1U);
}

} // namespace
} // namespace shaddock::net::testing
