#include "vector_cases.hpp"

#include <protocol/message.hpp>

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

using namespace testing;

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
    if (!vector["id"].IsUint()) {
        return false;
    }
    const auto* compress = find(vector, "compressRoute");
    if (compress == nullptr || compress->GetInt() == 0) {
        return true;
    }
    const auto& route = vector["route"];
    return route.IsUint() && route.GetUint() <= 0xffff;
}

/// Of a long body only the start is given: it is one byte again and again.
std::string body_of(const rapidjson::Value& vector) {
    const std::size_t length = vector["bodyLength"].GetUint();
    if (find(vector, "bodyHex") == nullptr && length > 0) {
        std::string hex = text_of(vector, "hex");
        if (!hex.ends_with("...")) {
            throw std::runtime_error("a body of which nothing is known");
        }
        hex.resize(hex.size() - 3);
        return std::string(length, from_hex(hex).back());
    }
    std::string body = from_hex(text_of(vector, "bodyHex"));
    EXPECT_EQ(body.size(), length);
    if (find(vector, "bodyUtf8") != nullptr) {
        EXPECT_EQ(body, text_of(vector, "bodyUtf8"));
    }
    return body;
}

std::string_view name_of(message_type type) {
    switch (type) {
    case message_type::request:
        return "request";
    case message_type::notify:
        return "notify";
    case message_type::response:
        return "response";
    case message_type::push:
        return "push";
    }
    return "";
}

owned_message message_of(const rapidjson::Value& vector) {
    owned_message message;
    message.value.type = static_cast<message_type>(vector["type"].GetUint());
    message.value.id = vector["id"].GetUint();
    const auto* compress = find(vector, "compressRoute");
    if (compress != nullptr && compress->GetInt() != 0) {
        message.value.route_code = static_cast<std::uint16_t>(vector["route"].GetUint());
    } else {
        message.route = text_of(vector, "route");
    }
    message.body = body_of(vector);
    if (vector.HasMember("typeName")) {
        EXPECT_EQ(text_of(vector, "typeName"), name_of(message.value.type));
    }
    return message;
}

/// Compares with a vector's hex, which may be cut off with "...".
void expect_bytes(const std::string& bytes, std::string hex) {
    if (hex.ends_with("...")) {
        hex.resize(hex.size() - 3);
        EXPECT_EQ(to_hex(bytes.substr(0, hex.size() / 2)), hex);
        return;
    }
    EXPECT_EQ(to_hex(bytes), hex);
}

void expect_as_written(const message& read, const message& written) {
    EXPECT_EQ(read.type, written.type);
    const bool has_id =
        written.type == message_type::request || written.type == message_type::response;
    EXPECT_EQ(read.id, has_id ? written.id : 0);
    const bool has_route = written.type != message_type::response;
    EXPECT_EQ(read.route_code, has_route ? written.route_code : 0);
    EXPECT_EQ(read.route, has_route ? written.route : "");
    EXPECT_EQ(read.body, written.body);
}

/// What the original reads, where it reads back what it wrote.
void expect_as_original(const message& read, const rapidjson::Value& decoded) {
    EXPECT_EQ(static_cast<unsigned>(read.type), decoded["type"].GetUint());
    EXPECT_EQ(read.id, decoded["id"].GetUint());
    const auto* route = find(decoded, "route");
    if (read.type != message_type::response) {
        EXPECT_EQ(read.route_code != 0, decoded["compressRoute"].GetInt() != 0);
        ASSERT_NE(route, nullptr);
        if (route->IsUint()) {
            EXPECT_EQ(read.route_code, route->GetUint());
        } else {
            EXPECT_EQ(read.route, text_of(decoded, "route"));
        }
    } else {
        EXPECT_EQ(route, nullptr);
    }
    EXPECT_EQ(read.body.size(), decoded["bodyLength"].GetUint());
    if (find(decoded, "bodyHex") != nullptr) {
        EXPECT_EQ(to_hex(read.body), text_of(decoded, "bodyHex"));
    }
}

void expect_read(const rapidjson::Value& vector, const std::string& bytes, const message& written) {
    const auto read = decode_message(bytes);
    ASSERT_TRUE(read);
    expect_as_written(*read, written);
    const auto* decoded = find(vector, "decoded");
    const bool is_sound = vector["roundtrip"].GetBool();
    EXPECT_EQ(is_sound, find(vector, "recommendedHex") == nullptr);
    if (is_sound && decoded != nullptr) {
        expect_as_original(*read, *decoded);
    }
}

/// As it goes over TCP.
void expect_in_stream(const std::string& bytes) {
    const std::string stream = encode_package(package_type::data, bytes).value();
    const auto [packages, end] = cut_all(stream, max_package_body_bytes);
    ASSERT_EQ(packages.size(), 1U);
    EXPECT_TRUE(packages.front().body == bytes);
    expect_same_at_every_split(stream, max_package_body_bytes);
}

bool judge(const rapidjson::Value& vector) {
    const bool is_refused = find(vector, "encodeError") != nullptr;
    if (!can_say(vector)) {
        return is_refused;
    }
    const owned_message owned = message_of(vector);
    std::string bytes;
    const auto appended = append_message(bytes, owned.view());
    if (is_refused) {
        EXPECT_FALSE(appended);
        EXPECT_TRUE(bytes.empty());
        return true;
    }
    const bool has_better = find(vector, "recommendedHex") != nullptr;
    const std::string given = text_of(vector, has_better ? "recommendedHex" : "hex");
    if (given.empty()) {
        return false;
    }
    EXPECT_TRUE(appended);
    EXPECT_EQ(bytes.size(), message_bytes(owned.view()));
    std::string hex = given;
    if (vector["compressGzip"].GetInt() != 0) {
        EXPECT_EQ(hex[0], '1'); // the gzip bit: never set by us, and nothing when it is read
        hex[0] = '0';
    }
    expect_bytes(bytes, hex);
    if (!has_better) {
        EXPECT_EQ(bytes.size(), vector["length"].GetUint());
    }
    expect_read(vector, bytes, owned.view());
    if (!given.ends_with("...")) {
        expect_read(vector, from_hex(given), owned.view());
    }
    expect_in_stream(bytes);
    return true;
}

TEST(vector, message) {
    each_case("message.json", judge);
}

} // namespace
} // namespace shaddock::protocol
