#include "vector_cases.hpp"

#include <protocol/package.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace shaddock::protocol {
namespace {

using testing::cut_all;
using testing::plain_package;

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
