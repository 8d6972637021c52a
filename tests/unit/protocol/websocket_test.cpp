#include "raw_frames.hpp"

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

using namespace testing;
using kind = websocket_event_kind;

std::vector<seen_event> one_error(std::uint16_t code) {
    return {{kind::error, "", code}};
}

TEST(websocket_decoder, reads_the_frames_of_the_rfc) {
    using namespace std::string_view_literals;
    EXPECT_EQ(events_of("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv),
              (std::vector<seen_event>{{kind::text, "Hello"}}));
    feeder client(websocket_peer::server);
    client.feed("\x81\x05\x48\x65\x6c\x6c\x6f"sv);
    client.feed("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"sv);
    client.feed("\x89\x05\x48\x65\x6c\x6c\x6f"sv);
    EXPECT_EQ(client.events(),
              (std::vector<seen_event>{
                  {kind::text, "Hello"}, {kind::text, "Hello"}, {kind::ping, "Hello"}}));
}

TEST(websocket_decoder, reads_payloads_of_every_length_form) {
    for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 125U, 126U, 127U, 65535U, 65536U, 100000U}) {
        std::string payload(size, '\0');
        for (std::size_t i = 0; i < size; ++i) {
            payload[i] = static_cast<char>(i * 7);
        }
        EXPECT_EQ(events_of(client_frame(fin | binary_frame, payload)),
                  (std::vector<seen_event>{{kind::binary, payload}}))
            << size;
    }
}

TEST(websocket_decoder, does_not_copy_a_message_in_one_frame) {
    std::string bytes = client_frame(fin | binary_frame, "payload");
    websocket_decoder decoder(websocket_peer::client, 100);
    const auto event = decoder.next(bytes.data(), bytes.size());
    EXPECT_EQ(event.payload, "payload");
    EXPECT_EQ(event.payload.data(), bytes.data() + 6);
    EXPECT_EQ(event.used, bytes.size());
}

TEST(websocket_decoder, takes_one_event_at_a_time) {
    std::string bytes =
        client_frame(fin | binary_frame, "one") + client_frame(fin | ping_frame, "two") + "\x82";
    websocket_decoder decoder(websocket_peer::client, 100);
    const auto first = decoder.next(bytes.data(), bytes.size());
    EXPECT_EQ(first.kind, kind::binary);
    EXPECT_EQ(first.used, 9U);
    const auto second = decoder.next(bytes.data() + 9, bytes.size() - 9);
    EXPECT_EQ(second.kind, kind::ping);
    EXPECT_EQ(second.payload, "two");
    EXPECT_EQ(second.used, 9U);
    const auto third = decoder.next(bytes.data() + 18, 1);
    EXPECT_EQ(third.kind, kind::need_more);
    EXPECT_EQ(third.used, 0U);
    EXPECT_EQ(third.wanted, 2U);
}

TEST(websocket_decoder, leaves_an_incomplete_frame_untouched) {
    const std::string whole = client_frame(fin | binary_frame, "0123456789");
    std::string bytes = whole.substr(0, whole.size() - 1);
    websocket_decoder decoder(websocket_peer::client, 100);
    EXPECT_EQ(decoder.next(bytes.data(), bytes.size()).used, 0U);
    EXPECT_EQ(bytes, whole.substr(0, whole.size() - 1));
}

TEST(websocket_decoder, says_how_many_bytes_it_wants) {
    const std::string frame = client_frame(fin | binary_frame, std::string(1000, 'x'));
    const std::vector<std::size_t> wanted = {2, 2, 8, 8, 1008, 1008};
    for (std::size_t size = 0; size < wanted.size(); ++size) {
        feeder feeder(websocket_peer::client);
        feeder.feed(std::string_view(frame).substr(0, size));
        EXPECT_EQ(feeder.wanted(), wanted[size]) << size;
    }
}

TEST(websocket_decoder, gathers_fragments_with_control_frames_between) {
    const std::string bytes = client_frame(binary_frame, "a") +
                              client_frame(fin | ping_frame, "p") + client_frame(0, "") +
                              client_frame(fin | pong_frame, "") + client_frame(0, "bc") +
                              client_frame(fin, "d") + client_frame(text_frame, "") +
                              client_frame(fin, "t") + client_frame(fin | binary_frame, "next");
    EXPECT_EQ(events_of(bytes), (std::vector<seen_event>{{kind::ping, "p"},
                                                         {kind::pong, ""},
                                                         {kind::binary, "abcd"},
                                                         {kind::text, "t"},
                                                         {kind::binary, "next"}}));
}

TEST(websocket_decoder, finds_the_same_events_at_every_split_point) {
    const std::string bytes = client_frame(fin | text_frame, "h\xc3\xa9llo") +
                              client_frame(text_frame, "\xe4\xbd") +
                              client_frame(fin | ping_frame, "ping") + client_frame(fin, "\xa0") +
                              client_frame(fin | binary_frame, std::string(130, 'b')) +
                              client_frame(fin | binary_frame, "") +
                              client_frame(fin | close_frame, "\x03\xe8"
                                                              "bye");
    const std::vector<seen_event> expected = {
        {kind::text, "h\xc3\xa9llo"},          {kind::ping, "ping"}, {kind::text, "\xe4\xbd\xa0"},
        {kind::binary, std::string(130, 'b')}, {kind::binary, ""},   {kind::close, "bye", 1000}};
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        feeder feeder(websocket_peer::client);
        feeder.feed(bytes.substr(0, split));
        feeder.feed(bytes.substr(split));
        EXPECT_EQ(feeder.events(), expected) << "split at " << split;
        EXPECT_EQ(feeder.left(), 0U);
    }
    feeder by_byte(websocket_peer::client);
    for (const char byte : bytes) {
        by_byte.feed(std::string_view(&byte, 1));
    }
    EXPECT_EQ(by_byte.events(), expected);
}

TEST(websocket_decoder, refuses_masks_and_their_absence_on_the_wrong_side) {
    EXPECT_EQ(events_of(server_frame(fin | binary_frame, "x")), one_error(1002));
    feeder client(websocket_peer::server);
    client.feed(client_frame(fin | binary_frame, "x"));
    EXPECT_EQ(client.events(), one_error(1002));
}

TEST(websocket_decoder, refuses_each_reserved_bit) {
    for (const unsigned bit : {0x40U, 0x20U, 0x10U}) {
        EXPECT_EQ(events_of(client_frame(fin | bit | binary_frame, "x")), one_error(1002));
        EXPECT_EQ(events_of(client_frame(fin | bit | ping_frame, "x")), one_error(1002));
    }
}

TEST(websocket_decoder, refuses_each_unknown_opcode) {
    for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
        EXPECT_EQ(events_of(client_frame(fin | opcode, "")), one_error(1002)) << opcode;
    }
}

TEST(websocket_decoder, refuses_control_frames_that_are_long_or_fragmented) {
    for (const unsigned opcode : {close_frame, ping_frame, pong_frame}) {
        EXPECT_EQ(events_of(client_frame(opcode, "")), one_error(1002)) << opcode;
        EXPECT_EQ(events_of(client_frame(fin | opcode, std::string(126, 'x'))), one_error(1002));
    }
    EXPECT_EQ(events_of(client_frame(fin | ping_frame, std::string(125, 'x'))),
              (std::vector<seen_event>{{kind::ping, std::string(125, 'x')}}));
}

TEST(websocket_decoder, refuses_lengths_that_are_not_in_the_shortest_form) {
    using namespace std::string_view_literals;
    EXPECT_EQ(events_of("\x82\xfe\x00\x7d"sv), one_error(1002));
    EXPECT_EQ(events_of("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff"sv), one_error(1002));
    EXPECT_EQ(events_of("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00"sv), one_error(1002));
    EXPECT_EQ(events_of("\x82\xfe\x00\x7e"sv), std::vector<seen_event>{});
}

TEST(websocket_decoder, refuses_fragments_out_of_order) {
    EXPECT_EQ(events_of(client_frame(fin, "x")), one_error(1002));
    EXPECT_EQ(events_of(client_frame(0, "x")), one_error(1002));
    EXPECT_EQ(events_of(client_frame(binary_frame, "x") + client_frame(fin | binary_frame, "y")),
              one_error(1002));
    EXPECT_EQ(events_of(client_frame(text_frame, "x") + client_frame(text_frame, "y")),
              one_error(1002));
    // After a whole message a continuation is out of order again.
    EXPECT_EQ(events_of(client_frame(binary_frame, "x") + client_frame(fin, "y") +
                        client_frame(fin, "z")),
              (std::vector<seen_event>{{kind::binary, "xy"}, {kind::error, "", 1002}}));
}

TEST(websocket_decoder, checks_text_across_fragments) {
    EXPECT_EQ(events_of(client_frame(fin | text_frame, "\xff")), one_error(1007));
    EXPECT_EQ(events_of(client_frame(fin | text_frame, "\xe4\xbd")), one_error(1007));
    EXPECT_EQ(events_of(client_frame(text_frame, "\xe4\xbd") + client_frame(fin, "")),
              one_error(1007));
    // Found in the fragment that breaks it, not at the end.
    EXPECT_EQ(events_of(client_frame(text_frame, "\xe4\xbd") + client_frame(0, "x")),
              one_error(1007));
    // Binary may hold anything, also after text.
    EXPECT_EQ(
        events_of(client_frame(fin | text_frame, "a") + client_frame(fin | binary_frame, "\xff")),
        (std::vector<seen_event>{{kind::text, "a"}, {kind::binary, "\xff"}}));
    EXPECT_EQ(events_of(client_frame(binary_frame, "\xff") + client_frame(fin, "\xfe")),
              (std::vector<seen_event>{{kind::binary, "\xff\xfe"}}));
}

TEST(websocket_decoder, bounds_a_message_and_all_its_fragments) {
    EXPECT_EQ(events_of(client_frame(fin | binary_frame, "12345"), 5),
              (std::vector<seen_event>{{kind::binary, "12345"}}));
    EXPECT_EQ(events_of(client_frame(fin | binary_frame, "123456"), 5), one_error(1009));
    EXPECT_EQ(events_of(client_frame(binary_frame, "123") + client_frame(fin, "456"), 5),
              one_error(1009));
    const auto twice = client_frame(binary_frame, "123") + client_frame(fin, "45");
    EXPECT_EQ(events_of(twice + twice, 5),
              (std::vector<seen_event>{{kind::binary, "12345"}, {kind::binary, "12345"}}));
    // Control frames do not count.
    EXPECT_EQ(events_of(client_frame(fin | ping_frame, "123456"), 5),
              (std::vector<seen_event>{{kind::ping, "123456"}}));
    // The header alone is enough.
    EXPECT_EQ(events_of(client_frame(fin | binary_frame, std::string(70000, 'x')).substr(0, 10), 5),
              one_error(1009));
}

TEST(websocket_decoder, reads_a_close_with_and_without_code) {
    EXPECT_EQ(events_of(client_frame(fin | close_frame, "")),
              (std::vector<seen_event>{{kind::close, "", close_code::none}}));
    EXPECT_EQ(events_of(client_frame(fin | close_frame, "\x03\xe9")),
              (std::vector<seen_event>{{kind::close, "", 1001}}));
    EXPECT_EQ(events_of(client_frame(fin | close_frame, "\x0f\xa0why")),
              (std::vector<seen_event>{{kind::close, "why", 4000}}));
}

TEST(websocket_decoder, refuses_a_malformed_close) {
    EXPECT_EQ(events_of(client_frame(fin | close_frame, "\x03")), one_error(1002));
    EXPECT_EQ(events_of(client_frame(fin | close_frame, "\x03\xe8\xff")), one_error(1007));
    for (const unsigned code :
         {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65535U}) {
        const std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
        EXPECT_EQ(events_of(client_frame(fin | close_frame, payload)), one_error(1002)) << code;
    }
    for (const unsigned code : {1000U, 1003U, 1007U, 1011U, 1014U, 3000U, 4999U}) {
        const std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
        EXPECT_EQ(events_of(client_frame(fin | close_frame, payload)),
                  (std::vector<seen_event>{{kind::close, "", static_cast<std::uint16_t>(code)}}));
    }
}

TEST(websocket_decoder, swallows_what_follows_a_close_or_an_error) {
    for (const auto& last : {client_frame(fin | close_frame, ""), client_frame(fin, "wrong")}) {
        feeder feeder(websocket_peer::client);
        EXPECT_FALSE(feeder.is_finished());
        feeder.feed(last + client_frame(fin | binary_frame, "late"));
        feeder.feed("\xff\xff\xff");
        EXPECT_EQ(feeder.events().size(), 1U);
        EXPECT_EQ(feeder.left(), 0U);
        EXPECT_TRUE(feeder.is_finished());
    }
}

TEST(websocket_decoder, closes_in_the_middle_of_fragments) {
    EXPECT_EQ(events_of(client_frame(binary_frame, "x") + client_frame(fin | close_frame, "")),
              (std::vector<seen_event>{{kind::close, "", close_code::none}}));
}

} // namespace
} // namespace shaddock::protocol
