#include "vectors.hpp"

#include <protocol/message.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace shaddock::protocol {
namespace {

using testing::from_hex;

TEST(message_decoder, views_into_its_input) {
    const std::string bytes = from_hex("000105612e622e637b7d");
    const auto read = decode_message(bytes).value();
    EXPECT_EQ(read.route.data(), bytes.data() + 3);
    EXPECT_EQ(read.body.data(), bytes.data() + 8);
}

TEST(message_decoder, takes_ids_up_to_32_bits_in_up_to_5_bytes) {
    const auto id_of = [](std::string_view hex) {
        return decode_message(from_hex(hex)).value().id;
    };
    EXPECT_EQ(id_of("0400"), 0U);
    EXPECT_EQ(id_of("048100"), 1U); // not the shortest form
    EXPECT_EQ(id_of("048180808000"), 1U);
    EXPECT_EQ(id_of("04ffffffff0f"), std::numeric_limits<std::uint32_t>::max());
    EXPECT_FALSE(decode_message(from_hex("04ffffffff10")));
    EXPECT_FALSE(decode_message(from_hex("04818080808000")));
    EXPECT_FALSE(decode_message(from_hex("04ffffffff")));
}

TEST(message_decoder, refuses_every_header_that_is_cut_off) {
    for (const auto* hex : {"00ff01056f6e412e62", "01ff010002", "0201610000", "04ff01", "060161"}) {
        SCOPED_TRACE(hex);
        std::string bytes = from_hex(hex);
        std::string_view header = bytes;
        ASSERT_TRUE(decode_message(header));
        header.remove_suffix(decode_message(header)->body.size());
        for (std::size_t size = 0; size < header.size(); ++size) {
            EXPECT_FALSE(decode_message(header.substr(0, size))) << size;
        }
        EXPECT_TRUE(decode_message(header));
    }
}

TEST(message_decoder, reads_code_0_as_the_empty_route) {
    const auto bytes = from_hex("010100007b7d");
    const auto read = decode_message(bytes).value();
    EXPECT_EQ(read.route_code, 0U);
    EXPECT_EQ(read.route, "");
    EXPECT_EQ(read.body, "{}");
}

TEST(message_package, is_the_message_behind_a_header) {
    std::string response;
    ASSERT_TRUE(append_response_package(response, 2, R"({"users":["alice"]})"));
    EXPECT_EQ(response, from_hex("0400001504027b227573657273223a5b22616c696365225d7d"));

    std::string push = "kept";
    ASSERT_TRUE(append_push_package(push, "onAdd", R"({"route":"onAdd","user":"bob"})"));
    EXPECT_EQ(push, "kept" + from_hex("0400002506056f6e4164647b22726f757465223a226f6e416464222c2275"
                                      "736572223a22626f62227d"));

    std::string coded;
    ASSERT_TRUE(append_push_package(coded, 0x0102, "{}"));
    EXPECT_EQ(coded, from_hex("040000050701027b7d"));
}

TEST(message_package, announces_its_size_before_it_is_written) {
    for (const auto type : {message_type::request, message_type::notify, message_type::response,
                            message_type::push}) {
        for (const std::uint32_t id : {0U, 127U, 128U, 0xffffffffU}) {
            for (const std::uint16_t code : {std::uint16_t{0}, std::uint16_t{7}}) {
                const message value{
                    .type = type, .id = id, .route_code = code, .route = "a.b.c", .body = "{}"};
                std::string out;
                ASSERT_TRUE(append_message_package(out, value));
                EXPECT_EQ(out.size(), package_header_bytes + message_bytes(value));
                const auto cut = cut_package(out, 100);
                ASSERT_EQ(cut.status, cut_status::ok);
                EXPECT_EQ(cut.type, package_type::data);
                EXPECT_EQ(decode_message(cut.body).value().body, "{}");
            }
        }
    }
}

TEST(message_package, appends_nothing_when_it_refuses) {
    std::string out = "kept";
    EXPECT_FALSE(append_push_package(out, std::string(256, 'r'), "{}"));
    EXPECT_FALSE(append_response_package(out, 1, std::string(max_package_body_bytes - 1, 'b')));
    EXPECT_EQ(out, "kept");
    // Flag and id take 2 bytes.
    EXPECT_TRUE(append_response_package(out, 1, std::string(max_package_body_bytes - 2, 'b')));
    // A route that is not written does not matter.
    EXPECT_TRUE(append_message_package(
        out, {.type = message_type::response, .route = std::string(300, 'r'), .body = {}}));
}

} // namespace
} // namespace shaddock::protocol
