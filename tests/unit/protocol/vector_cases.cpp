#include "vector_cases.hpp"

#include "split_stream.hpp"

#include <shaddock/detail/json_text.hpp>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace shaddock::protocol::testing {

void each_case(std::string_view file_name,
               const std::function<bool(const rapidjson::Value&)>& judge) {
    const auto vectors = read_vectors(file_name);
    int cases = 0;
    for (const auto& vector : vectors.GetArray()) {
        ++cases;
        const std::string name =
            "case " + std::to_string(cases) + ": " +
            (vector.IsObject() ? text_of(vector, "name") : std::string("no object"));
        const ::testing::ScopedTrace trace(__FILE__, __LINE__, name);
        try {
            EXPECT_TRUE(vector.IsObject() && judge(vector)) << "nothing in it can be judged";
        } catch (const std::exception& failed) {
            ADD_FAILURE() << failed.what();
        }
    }
    std::printf("%d cases\n", cases);
}

const rapidjson::Value* find(const rapidjson::Value& object, const char* member) {
    const auto found = object.FindMember(member);
    return found == object.MemberEnd() || found->value.IsNull() ? nullptr : &found->value;
}

std::string to_json(const rapidjson::Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
}

bool is_same_json(std::string_view left, std::string_view right) {
    rapidjson::Document documents[2];
    for (std::size_t i = 0; i < 2; ++i) {
        const std::string_view text = i == 0 ? left : right;
        documents[i].Parse<rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
        if (documents[i].HasParseError()) {
            throw std::runtime_error("not JSON: " + std::string(text));
        }
    }
    return documents[0] == documents[1];
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex.push_back(digits[byte >> 4U]);
        hex.push_back(digits[byte & 15U]);
    }
    return hex;
}

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string from_utf16_hex(std::string_view units) {
    std::string cesu8;
    while (!units.empty()) {
        unsigned unit = 0;
        const auto read = std::from_chars(units.data(), units.data() + units.size(), unit, 16);
        if (read.ptr != units.data() + 4 || (units.size() > 4 && units[4] != ' ')) {
            throw std::runtime_error("vectors: not UTF-16 units: " + std::string(units));
        }
        shaddock::detail::append_utf8(cesu8, unit);
        units.remove_prefix(units.size() == 4 ? 4 : 5);
    }
    std::string text;
    for (std::string_view rest = cesu8; !rest.empty();) {
        const auto next = shaddock::detail::whole_character(rest);
        shaddock::detail::append_utf8(text, next.code.value());
        rest.remove_prefix(next.size);
    }
    return text;
}

std::pair<std::vector<plain_package>, cut_status> cut_all(std::string_view in, std::size_t limit) {
    std::vector<plain_package> packages;
    while (true) {
        const package_cut cut = cut_package(in, limit);
        if (cut.status != cut_status::ok) {
            return {packages, cut.status};
        }
        packages.push_back({cut.type, std::string(cut.body)});
        in.remove_prefix(cut.size);
    }
}

void expect_same_at_every_split(std::string_view stream, std::size_t limit) {
    EXPECT_EQ(split_complaint(stream, limit), "");
}

} // namespace shaddock::protocol::testing
