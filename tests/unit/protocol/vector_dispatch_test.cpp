#include "vector_cases.hpp"

#include <shaddock/dispatch.hpp>
#include <shaddock/json.hpp>

#include <gtest/gtest.h>

#include <charconv>

namespace shaddock {
namespace {

using namespace protocol::testing;

/// Each byte as the character of its number, so that the dispatch hash is that of the bytes.
std::string widened(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        detail::append_utf8(text, static_cast<unsigned char>(c));
    }
    return text;
}

void expect_hash(const rapidjson::Value& vector, std::int32_t crc) {
    EXPECT_EQ(crc, vector["crc32Signed"].GetInt());
    EXPECT_EQ(std::abs(std::int64_t{crc}), vector["abs"].GetInt64());
    if (find(vector, "crc32Hex") != nullptr) {
        const auto unsigned_crc = static_cast<std::uint32_t>(crc);
        std::string bytes;
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            bytes += static_cast<char>(static_cast<unsigned char>(unsigned_crc >> shift & 0xffU));
        }
        EXPECT_EQ(to_hex(bytes), text_of(vector, "crc32Hex"));
    }
}

/// Our keys are texts: a message in which something else stands is refused before. What the
/// original makes of numbers is what it makes of the empty text.
void expect_refused(const rapidjson::Value& vector) {
    const auto read = json::decode<std::string>(text_of(vector, "input"));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), errc::bad_request);
    if (find(vector, "crc32Signed") != nullptr) {
        expect_hash(vector, dispatch_crc32(""));
    } else {
        EXPECT_NE(find(vector, "throws"), nullptr);
    }
}

bool judge(const rapidjson::Value& vector) {
    if (find(vector, "uid") == nullptr) {
        const auto* other = find(vector, "nonString");
        const bool is_other = other != nullptr && other->IsTrue();
        if (is_other) {
            expect_refused(vector);
        }
        return is_other;
    }
    const std::string uid = text_of(vector, "uid");
    if (find(vector, "utf16") != nullptr) {
        EXPECT_EQ(from_utf16_hex(text_of(vector, "utf16")), uid);
    }
    expect_hash(vector, dispatch_crc32(uid));
    if (find(vector, "inputBytesHex") != nullptr) {
        EXPECT_EQ(dispatch_crc32(widened(from_hex(text_of(vector, "inputBytesHex")))),
                  dispatch_crc32(uid));
    }
    if (const auto* is_standard = find(vector, "sameAsStandardCrc32OfUtf8")) {
        EXPECT_EQ(dispatch_crc32(widened(uid)) == dispatch_crc32(uid), is_standard->GetBool());
    }
    bool has_mod = false;
    for (const auto& mod : vector["mod"].GetObject()) {
        std::size_t count = 0;
        const char* digits = mod.name.GetString();
        std::from_chars(digits, digits + mod.name.GetStringLength(), count);
        EXPECT_EQ(dispatch_index(uid, count), mod.value.GetUint()) << "of " << count;
        has_mod = true;
    }
    return has_mod;
}

TEST(vector, dispatch_crc32) {
    each_case("dispatch-crc32.json", judge);
}

} // namespace
} // namespace shaddock
