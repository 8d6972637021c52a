#include "raw_frames.hpp"

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

using namespace testing;
using kind = websocket_event_kind;

TEST(websocket_encoder, writes_server_frames_of_every_length_form) {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65535U, 65536U}) {
        const std::string payload(size, 'x');
        std::string out = "kept";
        append_websocket_frame(out, websocket_opcode::binary, payload);
        EXPECT_EQ(out, "kept" + server_frame(fin | binary_frame, payload)) << size;
        std::string header;
        append_websocket_header(header, websocket_opcode::binary, size);
        EXPECT_EQ(header.size(), websocket_header_bytes(size));
        EXPECT_TRUE(out.substr(4).starts_with(header));
    }
}

TEST(websocket_encoder, writes_client_frames_that_the_server_half_reads) {
    for (const std::size_t size : {0U, 1U, 3U, 8U, 13U, 125U, 126U, 65535U, 65536U}) {
        std::string payload(size, '\0');
        for (std::size_t i = 0; i < size; ++i) {
            payload[i] = static_cast<char>(i * 31);
        }
        std::string out = client_frame(fin | ping_frame, "");
        append_masked_websocket_frame(out, websocket_opcode::binary, payload,
                                      0xdeadbeef + static_cast<std::uint32_t>(size));
        EXPECT_EQ(events_of(out),
                  (std::vector<seen_event>{{kind::ping, ""}, {kind::binary, payload}}))
            << size;
    }
}

TEST(websocket_encoder, masks_with_the_bytes_it_is_given) {
    std::string out;
    append_masked_websocket_frame(out, websocket_opcode::text, "Hello", 0);
    EXPECT_TRUE(out.ends_with("Hello"));
    std::string masked;
    append_masked_websocket_frame(masked, websocket_opcode::text, "Hello", 0x01010101);
    EXPECT_TRUE(masked.ends_with("Idmmn"));
}

TEST(websocket_mask, agrees_with_the_definition_at_every_size_and_alignment) {
    const char mask[4] = {'\x37', '\xfa', '\x21', '\x3d'};
    for (std::size_t offset = 0; offset < 9; ++offset) {
        for (std::size_t size = 0; size < 40; ++size) {
            std::string bytes(offset + size + 9, 'z');
            std::string expected = bytes;
            for (std::size_t i = 0; i < size; ++i) {
                expected[offset + i] = static_cast<char>(expected[offset + i] ^ mask[i % 4]);
            }
            websocket_mask(bytes.data() + offset, size, mask);
            ASSERT_EQ(bytes, expected) << offset << ' ' << size;
        }
    }
}

TEST(websocket_close_payload, holds_code_and_reason) {
    using namespace std::string_view_literals;
    EXPECT_EQ(websocket_close_payload(1000), "\x03\xe8"sv);
    EXPECT_EQ(websocket_close_payload(1008, "no"), "\x03\xf0no"sv);
    EXPECT_EQ(websocket_close_payload(close_code::none, "x"), "");
}

TEST(websocket_close_payload, cuts_a_long_reason_between_characters) {
    EXPECT_EQ(websocket_close_payload(1000, std::string(123, 'x')).size(), 125U);
    EXPECT_EQ(websocket_close_payload(1000, std::string(124, 'x')).size(), 125U);
    // The character that would end at byte 124 is left out as a whole.
    const std::string payload =
        websocket_close_payload(1000, std::string(121, 'x') + "\xe4\xbd\xa0");
    EXPECT_EQ(payload.size(), 2U + 121U);
    EXPECT_EQ(events_of(client_frame(fin | close_frame, payload)),
              (std::vector<seen_event>{{kind::close, std::string(121, 'x'), 1000}}));
}

} // namespace
} // namespace shaddock::protocol
