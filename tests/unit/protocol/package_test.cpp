#include "vectors.hpp"

#include <protocol/package.hpp>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <vector>

namespace shaddock::protocol {
namespace {

using testing::from_hex;
using testing::read_vectors;
using testing::text_of;

struct plain_package {
    package_type type;
    std::string body;
    bool operator==(const plain_package&) const = default;
};

/// The body of one package of a vector; none if the vector only describes it.
std::string body_of(const rapidjson::Value& package) {
    if (package.HasMember("bodyRepeat")) {
        const auto& repeat = package["bodyRepeat"];
        return std::string(repeat["count"].GetUint(), from_hex(text_of(repeat, "byte")).front());
    }
    return from_hex(text_of(package, "bodyHex"));
}

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        hex.push_back(digits[digest[i] >> 4]);
        hex.push_back(digits[digest[i] & 15]);
    }
    return hex;
}

/// All packages of `in`, and the status after the last one.
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

std::vector<plain_package> packages_of(const rapidjson::Value& vector) {
    std::vector<plain_package> packages;
    for (const auto& package : vector["packages"].GetArray()) {
        packages.push_back(
            {static_cast<package_type>(package["type"].GetUint()), body_of(package)});
    }
    return packages;
}

bool has_known_types(const std::vector<plain_package>& packages) {
    for (const auto& package : packages) {
        if (package.type < package_type::handshake || package.type > package_type::kick) {
            return false;
        }
    }
    return true;
}

TEST(package_vectors, are_written_and_read_back) {
    int checked = 0;
    const auto vectors = read_vectors("package.json");
    for (const auto& vector : vectors.GetArray()) {
        SCOPED_TRACE(text_of(vector, "name"));
        if (!vector["roundtrip"].GetBool()) {
            continue; // the body over 24 bits, a test of its own below
        }
        const auto packages = packages_of(vector);
        std::string bytes;
        for (const auto& package : packages) {
            ASSERT_TRUE(append_package(bytes, package.type, package.body));
        }
        EXPECT_EQ(bytes.size(), vector["length"].GetUint());
        if (vector.HasMember("sha256")) {
            EXPECT_EQ(bytes.substr(0, 4), from_hex(text_of(vector, "headHex")));
            EXPECT_EQ(sha256_hex(bytes), text_of(vector, "sha256"));
        } else {
            EXPECT_EQ(bytes, from_hex(text_of(vector, "hex")));
        }
        const auto [read, end] = cut_all(bytes, max_package_body_bytes);
        if (has_known_types(packages)) {
            EXPECT_EQ(read, packages);
            EXPECT_EQ(end, cut_status::need_more);
        } else {
            EXPECT_TRUE(read.empty());
            EXPECT_EQ(end, cut_status::bad_type);
        }
        ++checked;
    }
    EXPECT_GE(checked, 20);
}

std::string_view name_of(cut_status status) {
    switch (status) {
    case cut_status::ok:
        return "ok";
    case cut_status::need_more:
        return "need_more";
    case cut_status::bad_type:
        return "bad_type";
    case cut_status::too_long:
        return "too_long";
    }
    return "?";
}

TEST(package_vectors, malformed_bytes_end_as_expected) {
    int checked = 0;
    const auto vectors = read_vectors("invalid.json");
    for (const auto& vector : vectors.GetArray()) {
        if (text_of(vector, "layer") != "package") {
            continue;
        }
        SCOPED_TRACE(text_of(vector, "name"));
        const std::string bytes = from_hex(text_of(vector, "hex"));
        const auto& expect = vector["expect"];
        const auto [read, end] = cut_all(bytes, max_package_body_bytes);
        EXPECT_EQ(read.size(), expect["packages"].GetUint());
        EXPECT_EQ(name_of(end), text_of(expect, "then"));
        if (expect.HasMember("withLimit65536")) {
            EXPECT_EQ(name_of(cut_all(bytes, 65536).second), text_of(expect, "withLimit65536"));
        }
        ++checked;
    }
    EXPECT_GE(checked, 9);
}

TEST(package_encoder, refuses_a_body_over_24_bits) {
    const std::string body(max_package_body_bytes + 1, 'a');
    std::string out = "before";
    const auto appended = append_package(out, package_type::data, body);
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code(), errc::bad_request);
    EXPECT_EQ(out, "before");
    EXPECT_FALSE(encode_package(package_type::data, body));
}

TEST(package_encoder, makes_the_packages_without_body) {
    EXPECT_EQ(encode_package(package_type::handshake_ack, "").value(), handshake_ack_package);
    EXPECT_EQ(encode_package(package_type::heartbeat, "").value(), heartbeat_package);
}

TEST(package_cutter, finds_the_same_packages_at_every_split_point) {
    const std::vector<plain_package> packages = {{package_type::handshake, R"({"sys":{}})"},
                                                 {package_type::handshake_ack, ""},
                                                 {package_type::data, std::string(300, 'x')},
                                                 {package_type::heartbeat, ""},
                                                 {package_type::data, "last"}};
    std::string stream;
    for (const auto& package : packages) {
        ASSERT_TRUE(append_package(stream, package.type, package.body));
    }
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        std::vector<plain_package> found;
        std::string waiting;
        for (const auto& piece : {stream.substr(0, split), stream.substr(split)}) {
            waiting += piece;
            const auto [read, end] = cut_all(waiting, 1000);
            ASSERT_EQ(end, cut_status::need_more) << "split at " << split;
            for (const auto& package : read) {
                found.push_back(package);
                waiting.erase(0, package_header_bytes + package.body.size());
            }
        }
        EXPECT_EQ(found, packages) << "split at " << split;
        EXPECT_TRUE(waiting.empty());
    }
}

TEST(package_cutter, finds_the_same_packages_byte_by_byte) {
    std::string stream(heartbeat_package);
    ASSERT_TRUE(append_package(stream, package_type::data, "abc"));
    std::string waiting;
    std::vector<plain_package> found;
    for (const char byte : stream) {
        waiting += byte;
        const auto cut = cut_package(waiting, 3);
        if (cut.status == cut_status::ok) {
            EXPECT_EQ(cut.size, waiting.size());
            found.push_back({cut.type, std::string(cut.body)});
            waiting.clear();
        } else {
            ASSERT_EQ(cut.status, cut_status::need_more);
            EXPECT_GT(cut.size, waiting.size());
        }
    }
    EXPECT_EQ(found, (std::vector<plain_package>{{package_type::heartbeat, ""},
                                                 {package_type::data, "abc"}}));
}

TEST(package_cutter, says_how_many_bytes_it_wants) {
    EXPECT_EQ(cut_package("", 100).size, 4U);
    EXPECT_EQ(cut_package("\x04", 100).size, 4U);
    EXPECT_EQ(cut_package(std::string_view("\x04\0\0\x05", 4), 100).size, 9U);
}

TEST(package_cutter, takes_a_body_at_the_limit_and_refuses_one_over_it) {
    const std::string at_limit = encode_package(package_type::data, std::string(10, 'x')).value();
    EXPECT_EQ(cut_package(at_limit, 10).status, cut_status::ok);
    EXPECT_EQ(cut_package(at_limit, 9).status, cut_status::too_long);
    // The header alone is enough to refuse it.
    EXPECT_EQ(cut_package(at_limit.substr(0, 4), 9).status, cut_status::too_long);
}

TEST(package_cutter, refuses_an_unknown_type_by_its_first_byte) {
    for (unsigned type = 0; type < 256; ++type) {
        const std::string in(1, static_cast<char>(type));
        const bool is_known = type >= 1 && type <= 5;
        EXPECT_EQ(cut_package(in, 10).status,
                  is_known ? cut_status::need_more : cut_status::bad_type)
            << type;
    }
}

} // namespace
} // namespace shaddock::protocol
