#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shaddock::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(handshake, opens_the_way_for_data) {
    house here;
    ASSERT_TRUE(here.started);
    auto& one = here.upgraded();
    one.write_package(package_type::handshake, R"({"sys":{"type":"js"}})");
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 1; }));
    EXPECT_THAT(here.events.handshakes, ElementsAre(R"({"sys":{"type":"js"}})"));
    EXPECT_EQ(one.packages[0], (seen_package{package_type::handshake, std::string(accepted_json)}));
    EXPECT_THAT(here.events.ready, IsEmpty());

    one.write_package(package_type::handshake_ack);
    ASSERT_TRUE(here.until([&] { return here.events.ready.size() == 1; }));
    one.write_package(package_type::data, "hello");
    ASSERT_TRUE(here.until([&] { return here.events.data.size() == 1; }));
    EXPECT_EQ(here.events.data[0], "hello");
    EXPECT_EQ(here.counts().connections, 1U);
}

TEST(handshake, tells_id_and_address) {
    house here;
    here.working();
    here.working();
    ASSERT_EQ(here.events.ready.size(), 2U);
    EXPECT_EQ(number(here.events.ready[0]->id()), 1U);
    EXPECT_EQ(number(here.events.ready[1]->id()), 2U);
    sockaddr_in mine{};
    socklen_t size = sizeof mine;
    ASSERT_EQ(
        ::getsockname(here.clients[0]->descriptor(), reinterpret_cast<sockaddr*>(&mine), &size), 0);
    EXPECT_EQ(here.events.ready[0]->address(), "127.0.0.1:" + std::to_string(ntohs(mine.sin_port)));
}

TEST(handshake, may_be_answered_later) {
    house here;
    connection_id asked{};
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        asked = from.id();
        return std::optional<handshake_answer>();
    };
    auto& one = here.upgraded();
    one.write_package(package_type::handshake, "{}");
    one.write_package(package_type::handshake, "{}");
    one.write_package(package_type::handshake_ack);
    one.write_package(package_type::data, "early");
    here.settle();
    EXPECT_THAT(here.events.handshakes, SizeIs(1)) << "the second says nothing new";
    EXPECT_THAT(one.packages, IsEmpty());
    here.port().answer_handshake(asked, {.accepted = true, .json = "{\"code\":200}"});
    here.port().answer_handshake(asked, {.accepted = false, .json = "{\"code\":500}"});
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 1; }));
    EXPECT_EQ(one.packages[0].body, "{\"code\":200}");
    EXPECT_THAT(here.events.ready, IsEmpty()) << "an ack before the answer is none";
    one.write_package(package_type::handshake_ack);
    ASSERT_TRUE(here.until([&] { return here.events.ready.size() == 1; }));
    EXPECT_THAT(here.events.data, IsEmpty());
}

TEST(handshake, that_is_decided_too_late_changes_nothing) {
    house here;
    std::vector<connection_id> asked;
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        asked.push_back(from.id());
        return std::optional<handshake_answer>();
    };
    auto& gone = here.upgraded();
    gone.write_package(package_type::handshake, "{}");
    auto& patient = here.upgraded();
    patient.write_package(package_type::handshake, "{}");
    ASSERT_TRUE(here.until([&] { return asked.size() == 2; }));
    gone.drop();
    ASSERT_TRUE(here.until([&] { return here.counts().connections == 1; }));
    here.pass(11s);
    ASSERT_TRUE(here.until([&] { return patient.is_ended; })) << "the handshake timeout runs on";
    for (const auto id : asked) {
        here.port().answer_handshake(id, {.accepted = true, .json = "{}"});
    }
    here.settle();
    EXPECT_THAT(patient.packages, IsEmpty());
    EXPECT_EQ(here.timeouts(), 1U);
    EXPECT_EQ(here.counts().of(drop::handshake_timeout), 1U);
}

TEST(handshake, what_was_agreed_goes_with_the_connection) {
    house here;
    std::weak_ptr<const int> kept;
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        auto agreed = std::make_shared<const int>(1);
        kept = agreed;
        from.agreed = std::move(agreed);
        return handshake_answer{.accepted = true, .json = "{}"};
    };
    auto& one = here.upgraded();
    one.write_package(package_type::handshake, "{}");
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 1; }));
    EXPECT_FALSE(kept.expired());
    one.drop();
    EXPECT_TRUE(here.until([&] { return kept.expired(); }));
}

TEST(handshake, refused_is_answered_and_closed) {
    house here;
    here.events.handshake_hook = [](connection&, std::string_view) {
        return handshake_answer{.accepted = false, .json = R"({"code":501})"};
    };
    auto& one = here.upgraded();
    one.write_package(package_type::handshake, "{}");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.packages,
                ElementsAre(seen_package{package_type::handshake, R"({"code":501})"}));
    EXPECT_EQ(one.close_code, 1000);
    EXPECT_THAT(here.events.closed, IsEmpty()) << "it never became ready";
    one.drop();
    EXPECT_TRUE(here.until([&] { return here.counts().connections == 0; }));
}

TEST(handshake, a_second_one_is_ignored) {
    house here;
    auto& one = here.greeted();
    one.write_package(package_type::handshake, "{}");
    one.write_package(package_type::handshake_ack);
    ASSERT_TRUE(here.until([&] { return here.events.ready.size() == 1; }));
    one.write_package(package_type::handshake, "{}");
    one.write_package(package_type::handshake_ack);
    one.write_package(package_type::data, "x");
    ASSERT_TRUE(here.until([&] { return here.events.data.size() == 1; }));
    EXPECT_EQ(here.events.handshakes.size(), 1U);
    EXPECT_EQ(here.events.ready.size(), 1U);
    EXPECT_THAT(one.packages, IsEmpty());
}

TEST(handshake, what_comes_too_early_is_dropped_without_a_word) {
    house here;
    auto& one = here.upgraded();
    one.write_package(package_type::handshake_ack);
    one.write_package(package_type::heartbeat);
    one.write_package(package_type::data, "before the handshake");
    one.write_package(package_type::handshake, "{}");
    one.write_package(package_type::heartbeat);
    one.write_package(package_type::data, "before the ack");
    one.write_package(package_type::handshake_ack);
    one.write_package(package_type::data, "now");
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty(); }));
    EXPECT_THAT(here.events.data, ElementsAre("now"));
    EXPECT_EQ(one.packages.size(), 1U) << "the answer to the handshake, nothing else";
}

TEST(handshake, nothing_is_sent_before_the_ack) {
    house here;
    connection* early = nullptr;
    here.events.handshake_hook = [&](connection& from, std::string_view) {
        early = &from;
        EXPECT_EQ(from.send_package(protocol::heartbeat_package), send_result::closed);
        return handshake_answer{.accepted = true, .json = "{}"};
    };
    auto& one = here.greeted();
    EXPECT_EQ(early->send(encode_for_all(protocol::heartbeat_package)), send_result::closed);
    here.settle();
    EXPECT_THAT(one.packages, IsEmpty());
}

TEST(handshake, works_cut_at_every_byte) {
    std::string all =
        protocol::make_upgrade_request("127.0.0.1", "/chat", "dGhlIHNhbXBsZSBub25jZQ==");
    all += client::frame(protocol::encode_package(package_type::handshake, "{}").value());
    all += client::frame(protocol::handshake_ack_package);
    all += client::frame(protocol::encode_package(package_type::data, "hello").value());
    house here;
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        auto& one = here.connect();
        one.write(std::string_view(all).substr(0, cut));
        const auto accepted = here.counts().accepted;
        here.until([&] { return here.counts().accepted == cut; });
        ASSERT_EQ(here.counts().accepted, cut) << accepted;
        here.loop.poll();
        one.write(std::string_view(all).substr(cut));
        ASSERT_TRUE(here.until([&] { return here.events.data.size() == cut; })) << "cut at " << cut;
        one.drop();
    }
}

TEST(handshake, works_byte_by_byte) {
    std::string all = protocol::make_upgrade_request("127.0.0.1", "/", "dGhlIHNhbXBsZSBub25jZQ==");
    all += client::frame(protocol::encode_package(package_type::handshake, "{}").value());
    all += client::frame(protocol::handshake_ack_package);
    all += client::frame(protocol::encode_package(package_type::data, "hello").value());
    house here;
    auto& one = here.connect();
    for (const char byte : all) {
        const auto before = here.counts().bytes_in;
        one.write({&byte, 1});
        ASSERT_TRUE(here.until([&] { return here.counts().bytes_in == before + 1; }));
    }
    EXPECT_THAT(here.events.data, ElementsAre("hello"));
}

TEST(http, plain_request_is_answered_and_closed) {
    house here;
    auto& one = here.connect();
    one.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.http_answer, StartsWith("HTTP/1.1 426"));
    EXPECT_THAT(one.http_answer, HasSubstr("Connection: close"));
    EXPECT_FALSE(one.is_reset);
}

TEST(http, is_answered_even_when_the_client_has_ended_its_output) {
    house here;
    auto& one = here.connect();
    one.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    one.end_output();
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.http_answer, StartsWith("HTTP/1.1 405"));
    EXPECT_TRUE(here.until([&] { return here.counts().connections == 0; }));
}

TEST(http, a_head_without_end_is_cut_off) {
    house here;
    auto& one = here.connect();
    one.write("GET / HTTP/1.1\r\nX: " + std::string(protocol::max_http_head_bytes, 'x'));
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_THAT(one.http_answer, StartsWith("HTTP/1.1 431"));
}

TEST(http, what_is_neither_http_nor_a_package_is_closed) {
    house here;
    for (const std::string_view bytes :
         {std::string_view("\x00\x01", 2), std::string_view("\x06"),
          std::string_view("\x16\x03\x01"), std::string_view("get")}) {
        auto& one = here.connect();
        one.write(bytes);
        ASSERT_TRUE(here.until([&] { return one.is_ended; }));
        one.write(bytes);
        here.settle();
    }
    EXPECT_EQ(here.protocol_errors(), 4U) << "once each";
}

} // namespace
} // namespace shaddock::net::testing
