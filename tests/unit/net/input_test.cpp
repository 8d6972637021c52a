#include "client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace shaddock::net::testing {
namespace {

using protocol::websocket_opcode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A frame of a fragmented message, made by hand: masked with zeros.
std::string fragment(websocket_opcode opcode, bool is_last, std::string_view payload) {
    std::string out;
    out.push_back(static_cast<char>((is_last ? 0x80U : 0U) | static_cast<unsigned>(opcode)));
    out.push_back(static_cast<char>(0x80U | payload.size()));
    out.append(4, '\0');
    out.append(payload);
    return out;
}

TEST(input, several_packages_in_one_frame_are_taken) {
    house here;
    auto& one = here.working();
    one.write_frame(data_package("a") + data_package("") + data_package("c"));
    ASSERT_TRUE(here.until([&] { return here.events.data.size() == 3; }));
    EXPECT_THAT(here.events.data, ElementsAre("a", "", "c"));
}

TEST(input, many_frames_in_one_write_are_taken_in_order_and_answered_by_one_send) {
    house here;
    here.events.data_hook = [](connection& from, std::string_view message) {
        from.send_package(data_package(message));
        return true;
    };
    auto& one = here.working();
    std::string all;
    for (int i = 0; i < 100; ++i) {
        all += client::frame(data_package(std::to_string(i)));
    }
    const auto before = here.counts().sends;
    one.write(all);
    ASSERT_TRUE(here.until([&] { return one.packages.size() == 100; }));
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(one.packages[static_cast<std::size_t>(i)].body, std::to_string(i));
    }
    EXPECT_EQ(one.frames, 101U) << "one package per frame, with the answer to the handshake";
    EXPECT_EQ(here.counts().sends, before + 1);
}

TEST(input, text_frames_are_treated_like_binary_ones) {
    house here;
    auto& one = here.working();
    one.write_frame(data_package("text"), websocket_opcode::text);
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty(); }));
    EXPECT_THAT(here.events.data, ElementsAre("text"));
}

TEST(input, fragments_are_put_together_with_pings_between) {
    house here;
    auto& one = here.working();
    const auto package = data_package("in three parts");
    one.write(fragment(websocket_opcode::binary, false, package.substr(0, 2)));
    one.write(fragment(websocket_opcode::ping, true, "still there?"));
    one.write(fragment(websocket_opcode::continuation, false, package.substr(2, 6)));
    one.write(fragment(websocket_opcode::continuation, true, package.substr(8)));
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty() && !one.pongs.empty(); }));
    EXPECT_THAT(here.events.data, ElementsAre("in three parts"));
    EXPECT_THAT(one.pongs, ElementsAre("still there?"));
}

TEST(input, a_stream_cut_at_every_byte_gives_the_same) {
    const std::string all = client::frame(data_package("one")) +
                            client::frame("?", websocket_opcode::ping) +
                            client::frame(data_package(std::string(200, 'x'))) +
                            client::frame(data_package("two") + data_package("three"));
    house here;
    auto& one = here.working();
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        here.events.data.clear();
        const auto before = here.counts().bytes_in;
        one.write(std::string_view(all).substr(0, cut));
        ASSERT_TRUE(here.until([&] { return here.counts().bytes_in == before + cut; }));
        one.write(std::string_view(all).substr(cut));
        ASSERT_TRUE(here.until([&] { return here.events.data.size() == 4; })) << cut;
        ASSERT_THAT(here.events.data, ElementsAre("one", std::string(200, 'x'), "two", "three"));
    }
}

TEST(input, the_longest_package_passes_and_one_byte_more_does_not) {
    house here({.host = {}, .package_limit = 200'000});
    auto& one = here.working();
    const auto longest = client::frame(data_package(std::string(200'000, 'x')));
    for (std::size_t sent = 0; sent < longest.size();) {
        sent += one.write(std::string_view(longest).substr(sent));
        here.loop.poll();
        here.loop.restart();
    }
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty(); }));
    EXPECT_EQ(here.events.data[0].size(), 200'000U);

    one.write(
        std::string_view(client::frame(data_package(std::string(200'001, 'x')))).substr(0, 20));
    ASSERT_TRUE(here.until([&] { return one.is_ended; })) << "the header is enough";
    EXPECT_EQ(one.close_code, 1009);
    EXPECT_EQ(here.protocol_errors(), 1U);
}

struct bad_input {
    const char* name;
    std::string bytes;
    std::uint16_t code;
    friend std::ostream& operator<<(std::ostream& out, const bad_input& input) {
        return out << input.name;
    }
};

class hostile_input : public ::testing::TestWithParam<bad_input> {};

TEST_P(hostile_input, closes_that_connection_with_its_code_and_no_other) {
    house here;
    auto& neighbour = here.working();
    auto& one = here.working();
    auto* neighbours = here.events.ready[0];
    one.write(GetParam().bytes);
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(one.close_code, GetParam().code);
    EXPECT_FALSE(one.is_reset);
    EXPECT_FALSE(one.is_broken);
    EXPECT_THAT(here.events.data, IsEmpty());
    EXPECT_EQ(here.protocol_errors(), 1U);
    ASSERT_EQ(here.events.closed.size(), 1U);
    EXPECT_NE(here.events.closed[0].first, neighbours);
    neighbour.write_package(package_type::data, "fine");
    EXPECT_TRUE(here.until([&] { return !here.events.data.empty(); }));
}

INSTANTIATE_TEST_SUITE_P(
    all, hostile_input,
    ::testing::Values(
        bad_input{"kick", client::frame(std::string_view("\x05\0\0\0", 4)), 1002},
        bad_input{"type_0", client::frame(std::string_view("\0\0\0\0", 4)), 1002},
        bad_input{"type_6", client::frame(std::string_view("\x06\0\0\0", 4)), 1002},
        bad_input{"no_package", client::frame(""), 1002},
        bad_input{"half_a_head", client::frame(std::string_view("\x04\0", 2)), 1002},
        bad_input{"body_longer_than_frame", client::frame(std::string_view("\x04\0\0\x09xx", 6)),
                  1002},
        bad_input{"body_over_limit", client::frame(std::string_view("\x04\x02\0\0x", 5)), 1009},
        bad_input{"rest_after_package", client::frame(std::string_view("\x03\0\0\0\x04", 5)), 1002},
        bad_input{"unmasked", std::string("\x82\x04\x03\0\0\0", 6), 1002},
        bad_input{"reserved_bit", std::string("\xc2\x80\0\0\0\0", 6), 1002},
        bad_input{"unknown_opcode", std::string("\x83\x80\0\0\0\0", 6), 1002},
        bad_input{"continuation_of_nothing", fragment(websocket_opcode::continuation, true, "x"),
                  1002},
        bad_input{"fragmented_ping", fragment(websocket_opcode::ping, false, "x"), 1002},
        bad_input{"text_that_is_not_utf8", client::frame("\xff\xfe", websocket_opcode::text), 1007},
        bad_input{"close_code_of_one_byte", client::frame("\x03", websocket_opcode::close), 1002}),
    [](const auto& one) { return one.param.name; });

TEST(input, a_message_that_the_server_calls_malformed_closes) {
    house here;
    int calls = 0;
    here.events.data_hook = [&](connection&, std::string_view) { return ++calls < 2; };
    auto& one = here.working();
    one.write_frame(data_package("good") + data_package("bad") + data_package("never seen"));
    ASSERT_TRUE(here.until([&] { return one.is_ended; }));
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(here.counts().packages_in, 4U) << "handshake, ack, good, bad";
    EXPECT_EQ(one.close_code, 1002);
    EXPECT_EQ(here.protocol_errors(), 1U);
}

TEST(input, a_client_that_never_stops_does_not_keep_others_waiting) {
    house here;
    auto& busy = here.working();
    auto& modest = here.working();
    auto* busy_one = here.events.ready[0];
    const auto frame = client::frame(data_package(std::string(1000, 'x')));
    std::string flood;
    while (flood.size() < 2'000'000) {
        flood += frame;
    }
    std::size_t at = 0;
    const auto refill = [&](std::size_t bytes) {
        at += busy.write(std::string_view(flood).substr(at, bytes));
        at = at == flood.size() ? 0 : at;
    };
    std::size_t from_busy = 0;
    std::size_t before_modest = 0;
    here.events.data_hook = [&](connection& from, std::string_view) {
        if (&from != busy_one) {
            before_modest = from_busy;
        } else if (before_modest == 0 && ++from_busy < 30'000) {
            // Whatever was read is there again: reading until nothing is left would not end.
            refill(frame.size());
        }
        return true;
    };
    // The kernel takes more and more from who sends much.
    ASSERT_TRUE(here.until([&] {
        refill(flood.size());
        return from_busy > 10'000;
    }));
    from_busy = 0;
    refill(flood.size());
    modest.write_package(package_type::data, "me too");
    ASSERT_TRUE(here.until([&] { return before_modest > 0; }));
    EXPECT_LT(before_modest, 1000U) << "a turn of the busy one is 4 * 64 KiB";
}

} // namespace
} // namespace shaddock::net::testing
