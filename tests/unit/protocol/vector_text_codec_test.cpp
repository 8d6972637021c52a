#include "vector_cases.hpp"

#include <protocol/protobuf.hpp>

#include <shaddock/json.hpp>

#include <gtest/gtest.h>

#include <charconv>

namespace shaddock::protocol {
namespace {

using namespace testing;

/// How the original's browser client reads bytes: every character has three bytes at most, and
/// what is missing at the end is 0. (Source: pomelo-protocol, Protocol.strdecode, observed.)
std::vector<unsigned> read_as_old_browser(std::string_view bytes) {
    const auto byte = [&](std::size_t i) {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
    };
    std::vector<unsigned> units;
    for (std::size_t i = 0; i < bytes.size();) {
        if (byte(i) < 0x80) {
            units.push_back(byte(i));
            i += 1;
        } else if (byte(i) < 0xe0) {
            units.push_back((byte(i) & 0x1fU) << 6U | (byte(i + 1) & 0x3fU));
            i += 2;
        } else {
            units.push_back((byte(i) & 0xfU) << 12U | (byte(i + 1) & 0x3fU) << 6U |
                            (byte(i + 2) & 0x3fU));
            i += 3;
        }
    }
    return units;
}

std::string units_hex(const std::vector<unsigned>& units) {
    std::string text;
    for (const unsigned unit : units) {
        const char bytes[] = {static_cast<char>(unit >> 8U), static_cast<char>(unit & 0xffU)};
        text += (text.empty() ? "" : " ") + to_hex({bytes, 2});
    }
    return text;
}

/// JSON.parse of a quoted text.
std::vector<unsigned> unquoted(const std::vector<unsigned>& json) {
    std::vector<unsigned> units;
    for (std::size_t i = 1; i + 1 < json.size(); ++i) {
        if (json[i] != '\\') {
            units.push_back(json[i]);
            continue;
        }
        ++i;
        if (json[i] == 'u') {
            const std::string digits(json.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                     json.begin() + static_cast<std::ptrdiff_t>(i) + 5);
            unsigned unit = 0;
            std::from_chars(digits.data(), digits.data() + 4, unit, 16);
            units.push_back(unit);
            i += 4;
        } else {
            constexpr std::string_view letters = "bfnrt";
            constexpr std::string_view values = "\b\f\n\r\t";
            const auto at = letters.find(static_cast<char>(json[i]));
            units.push_back(at == std::string_view::npos ? json[i]
                                                         : static_cast<unsigned char>(values[at]));
        }
    }
    return units;
}

/// The units, with U+FFFD for half of a pair.
std::string repaired_units(std::string_view units) {
    const std::string text = from_utf16_hex(units);
    std::vector<unsigned> repaired;
    for (std::string_view rest = text; !rest.empty();) {
        const auto next = shaddock::detail::next_character(rest);
        const char32_t code = next.code.value();
        if (code < 0x10000) {
            repaired.push_back(code);
        } else {
            repaired.push_back(0xd800 + ((code - 0x10000) >> 10U));
            repaired.push_back(0xdc00 + ((code - 0x10000) & 0x3ffU));
        }
        rest.remove_prefix(next.size);
    }
    return units_hex(repaired);
}

void expect_json(const std::string& client_bytes, const std::string& text,
                 const std::string& units) {
    std::string quoted = "\"";
    for (const char c : client_bytes) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
        }
        quoted += c;
    }
    const auto read = json::decode<std::string>(quoted + '"');
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, text);

    EXPECT_EQ(units_hex(unquoted(read_as_old_browser(json::encode(text)))), units)
        << "an old browser client reads " << json::encode(text);
    EXPECT_EQ(json::decode<std::string>(json::encode(text)).value(), text);
}

void expect_protobuf(const std::string& client_bytes, const std::string& text,
                     const std::string& server_bytes) {
    const auto protos = proto_set::parse(R"({"r":{"required string s":1}})");
    ASSERT_TRUE(protos);
    const proto_message* proto = protos->find("r");
    const auto with_head = [](const std::string& bytes) {
        return "\x0a" + std::string(1, static_cast<char>(bytes.size())) + bytes;
    };
    ASSERT_NE(proto, nullptr);
    ASSERT_LT(client_bytes.size(), 128U) << "this test writes lengths of one byte";

    std::string body;
    const auto read = protobuf_to_json(body, *proto, with_head(client_bytes));
    ASSERT_TRUE(read) << read.error().text();
    rapidjson::Document value;
    value.Parse(body.data(), body.size());
    ASSERT_TRUE(value.IsObject()) << body;
    EXPECT_EQ(text_of(value, "s"), text);

    std::string bytes;
    ASSERT_TRUE(json_to_protobuf(bytes, *proto, R"({"s":)" + json::encode(text) + "}"));
    EXPECT_EQ(to_hex(bytes), to_hex(with_head(server_bytes)));
}

bool judge(const rapidjson::Value& vector) {
    const std::string units = text_of(vector, "utf16");
    if (find(vector, "clientBytesHex") == nullptr || find(vector, "serverBytesHex") == nullptr) {
        return false;
    }
    const std::string client_bytes = from_hex(text_of(vector, "clientBytesHex"));
    const std::string server_bytes = from_hex(text_of(vector, "serverBytesHex"));
    const std::string text = from_utf16_hex(units);
    if (find(vector, "text") != nullptr) {
        EXPECT_EQ(text_of(vector, "text"), text);
    }
    EXPECT_EQ(to_hex(text), to_hex(server_bytes));
    if (const auto* is_same = find(vector, "sameBytes")) {
        EXPECT_EQ(client_bytes == server_bytes, is_same->GetBool());
        if (is_same->GetBool() && find(vector, "serverReadsClientBytesAs") != nullptr) {
            EXPECT_EQ(text_of(vector, "serverReadsClientBytesAs"), text);
        }
    }
    if (find(vector, "clientReadsServerBytesAsUtf16") != nullptr) {
        EXPECT_EQ(units_hex(read_as_old_browser(server_bytes)),
                  text_of(vector, "clientReadsServerBytesAsUtf16"));
    }
    expect_json(client_bytes, text, repaired_units(units));
    expect_protobuf(client_bytes, text, server_bytes);
    return true;
}

TEST(vector, text_codec) {
    each_case("text-codec.json", judge);
}

} // namespace
} // namespace shaddock::protocol
