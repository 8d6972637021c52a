#include "vectors.hpp"

#include <protocol/message.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace shaddock::protocol {
namespace {

using testing::from_hex;
using testing::read_vectors;
using testing::text_of;

/// A message with the bytes that its views need.
struct owned_message {
    message value;
    std::string route;
    std::string body;

    message view() const {
        message seen = value;
        seen.route = route;
        seen.body = body;
        return seen;
    }
};

/// False for what our types cannot even say: negative ids, codes over 16 bits, text as a code.
bool can_say(const rapidjson::Value& vector) {
    const auto& id = vector["id"];
    if (!id.IsUint()) {
        return false;
    }
    if (!vector.HasMember("compressRoute") || vector["compressRoute"].GetInt() == 0) {
        return true;
    }
    const auto& route = vector["route"];
    return route.IsUint() && route.GetUint() <= 0xffff;
}

owned_message message_of(const rapidjson::Value& vector) {
    owned_message message;
    message.value.type = static_cast<message_type>(vector["type"].GetUint());
    message.value.id = vector["id"].GetUint();
    if (vector["compressRoute"].GetInt() != 0) {
        message.value.route_code = static_cast<std::uint16_t>(vector["route"].GetUint());
    } else {
        message.route = text_of(vector, "route");
    }
    const bool is_long = !vector.HasMember("bodyHex") && vector["bodyLength"].GetUint() > 0;
    message.body = is_long ? std::string(vector["bodyLength"].GetUint(), 'b')
                           : from_hex(text_of(vector, "bodyHex"));
    return message;
}

/// Compares with a vector's hex, which may be cut off with "...".
void expect_bytes(const std::string& bytes, std::string hex) {
    if (hex.ends_with("...")) {
        hex.resize(hex.size() - 3);
        const std::string head = from_hex(hex);
        EXPECT_EQ(bytes.substr(0, head.size()), head);
        return;
    }
    EXPECT_EQ(bytes, from_hex(hex));
}

void expect_same(const message& read, const message& written) {
    EXPECT_EQ(read.type, written.type);
    const bool has_id =
        written.type == message_type::request || written.type == message_type::response;
    EXPECT_EQ(read.id, has_id ? written.id : 0);
    const bool has_route = written.type != message_type::response;
    EXPECT_EQ(read.route_code, has_route ? written.route_code : 0);
    EXPECT_EQ(read.route, has_route ? written.route : "");
    EXPECT_EQ(read.body, written.body);
}

TEST(message_vectors, are_written_as_the_original_or_better) {
    int written = 0;
    int refused = 0;
    const auto vectors = read_vectors("message.json");
    for (const auto& vector : vectors.GetArray()) {
        SCOPED_TRACE(text_of(vector, "name"));
        if (!can_say(vector)) {
            EXPECT_TRUE(vector.HasMember("encodeError"));
            continue;
        }
        const owned_message owned = message_of(vector);
        std::string bytes;
        const auto appended = append_message(bytes, owned.view());
        if (vector.HasMember("encodeError")) {
            EXPECT_FALSE(appended);
            EXPECT_TRUE(bytes.empty());
            ++refused;
            continue;
        }
        ASSERT_TRUE(appended);
        EXPECT_EQ(bytes.size(), message_bytes(owned.view()));
        const bool has_better = vector.HasMember("recommendedHex");
        std::string hex = text_of(vector, has_better ? "recommendedHex" : "hex");
        if (vector["compressGzip"].GetInt() != 0) {
            ASSERT_EQ(hex[0], '1'); // the gzip bit, which we never set
            hex[0] = '0';
        }
        expect_bytes(bytes, hex);
        if (!has_better) {
            EXPECT_EQ(bytes.size(), vector["length"].GetUint());
        }
        ++written;
    }
    EXPECT_GE(written, 38);
    EXPECT_EQ(refused, 3);
}

TEST(message_vectors, are_read) {
    int checked = 0;
    const auto vectors = read_vectors("message.json");
    for (const auto& vector : vectors.GetArray()) {
        SCOPED_TRACE(text_of(vector, "name"));
        if (!can_say(vector) || vector.HasMember("encodeError")) {
            continue;
        }
        std::string hex =
            text_of(vector, vector.HasMember("recommendedHex") ? "recommendedHex" : "hex");
        const owned_message owned = message_of(vector);
        if (hex.ends_with("...")) {
            std::string bytes;
            ASSERT_TRUE(append_message(bytes, owned.view()));
            expect_same(decode_message(bytes).value(), owned.view());
        } else {
            const std::string bytes = from_hex(hex);
            const auto read = decode_message(bytes);
            ASSERT_TRUE(read);
            expect_same(*read, owned.view());
        }
        ++checked;
    }
    EXPECT_GE(checked, 38);
}

TEST(message_vectors, malformed_bytes_are_refused_or_read_as_expected) {
    int checked = 0;
    const auto vectors = read_vectors("invalid.json");
    for (const auto& vector : vectors.GetArray()) {
        if (text_of(vector, "layer") != "message") {
            continue;
        }
        SCOPED_TRACE(text_of(vector, "name"));
        ++checked;
        const std::string bytes = from_hex(text_of(vector, "hex"));
        const auto& expect = vector["expect"];
        const auto read = decode_message(bytes);
        if (text_of(expect, "result") == "error") {
            ASSERT_FALSE(read);
            EXPECT_EQ(read.error().code(), errc::bad_request);
            continue;
        }
        ASSERT_EQ(text_of(expect, "result"), "ok");
        ASSERT_TRUE(read);
        if (expect.HasMember("id")) {
            EXPECT_EQ(read->id, expect["id"].GetUint());
        }
        if (expect.HasMember("route")) {
            EXPECT_EQ(read->route, text_of(expect, "route"));
        }
        if (expect.HasMember("routeHex")) {
            EXPECT_EQ(read->route, from_hex(text_of(expect, "routeHex")));
        }
    }
    EXPECT_GE(checked, 20);
}

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
                EXPECT_EQ(out.size(), message_package_bytes(value));
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
