#include "protobuf_bodies.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shaddock::protocol {

namespace {

using testing::all_types;
using testing::decoded;
using testing::encoded;
using testing::from_hex;
using testing::list_file;
using testing::nested_json;
using testing::parsed;
using testing::to_hex;

TEST(protobuf_decode, makes_an_object_of_no_bytes) {
    EXPECT_EQ(decoded(""), "{}");
    EXPECT_EQ(decoded("7200"), R"({"l":{}})");
}

TEST(protobuf_decode, reads_every_type) {
    EXPECT_EQ(decoded("08ac021001180225cdcc8c3f29000000000000c0bf320161"),
              R"({"u":300,"s":-1,"i":1,"f":1.100000023841858,"d":-0.125,"t":"a"})");
    EXPECT_EQ(decoded("f8ffffff0f05"), R"({"far":5})");
    EXPECT_EQ(decoded("c2020178"), "{\"\u00e9\\\"\":\"x\"}");
}

TEST(protobuf_decode, ignores_wire_types) {
    for (const char* head : {"08", "09", "0a", "0b", "0c", "0d", "0e", "0f"}) {
        EXPECT_EQ(decoded(std::string(head) + "05"), R"({"u":5})");
    }
    EXPECT_EQ(decoded("300161"), R"({"t":"a"})");
}

TEST(protobuf_decode, keeps_the_order_in_which_fields_come) {
    EXPECT_EQ(decoded("320161"
                      "0801"
                      "1002"),
              R"({"t":"a","u":1,"s":1})");
}

TEST(protobuf_decode, writes_numbers_beyond_json_as_null) {
    EXPECT_EQ(decoded("250000c07f"), R"({"f":null})");
    EXPECT_EQ(decoded("250000807f"), R"({"f":null})");
    EXPECT_EQ(decoded("29000000000000f0ff"), R"({"d":null})");
    EXPECT_EQ(decoded("2500000080"), R"({"f":0})");
}

TEST(protobuf_decode, reads_integers_up_to_2_to_the_53) {
    EXPECT_EQ(decoded("088080808080808010"), R"({"u":9007199254740992})");
    EXPECT_EQ(decoded("088180808080808010"), "protobuf: `u`: a number is over 2^53");
    // Of signed ones the zig-zag number, as clients hold it in a double, too.
    EXPECT_EQ(decoded("10ffffffffffffff0f"), R"({"s":-4503599627370496})");
    EXPECT_EQ(decoded("108080808080808010"), R"({"s":4503599627370496})");
    EXPECT_EQ(decoded("108180808080808010"), "protobuf: `s`: a number is over 2^53");
    EXPECT_EQ(decoded("10ffffffffffffff3f"), "protobuf: `s`: a number is over 2^53");
    EXPECT_EQ(decoded("08ffffffffffffffffff01"), "protobuf: `u`: a number is over 8 bytes");
    EXPECT_EQ(decoded("08808080808080808000"), "protobuf: `u`: a number is over 8 bytes");
    // Longer than need be.
    EXPECT_EQ(decoded("088180808080808000"), R"({"u":1})");
    EXPECT_EQ(decoded("888080800005"), R"({"u":5})");
}

TEST(protobuf_decode, puts_cesu8_pairs_together) {
    EXPECT_EQ(decoded("3206eda0bdedb880"), R"({"t":"\ud83d\ude00"})");
    EXPECT_EQ(decoded("3204f09f9880"), R"({"t":"\ud83d\ude00"})");
    EXPECT_EQ(decoded("3202c328"), "{\"t\":\"\ufffd(\"}");
    EXPECT_EQ(decoded("3203eda0bd"), "{\"t\":\"\ufffd\"}");
    EXPECT_EQ(decoded("3203220a5c"), R"({"t":"\"\n\\"})");
}

TEST(protobuf_decode, reads_repeated_fields) {
    EXPECT_EQ(decoded("400301ac02f0a204"), R"({"us":[1,300,70000]})");
    EXPECT_EQ(decoded("4000"), R"({"us":[]})");
    EXPECT_EQ(decoded("65020000003f000000c0"), R"({"fs":[0.5,-2]})");
    EXPECT_EQ(decoded("4a01614a004a0162"), R"({"ts":["a","","b"]})");
    EXPECT_EQ(decoded("5202080152020802"), R"({"ns":[{"x":1},{"x":2}]})");
}

TEST(protobuf_decode, gathers_what_is_repeated_at_the_place_of_the_first) {
    EXPECT_EQ(decoded("4a0161"
                      "0801"
                      "4a0162"),
              R"({"ts":["a","b"],"u":1})");
    EXPECT_EQ(decoded("40020102"
                      "0801"
                      "4000"
                      "400103"),
              R"({"us":[1,2,3],"u":1})");
    EXPECT_EQ(decoded("4000"
                      "4000"
                      "0801"),
              R"({"us":[],"u":1})");
    EXPECT_EQ(decoded("4000"
                      "400105"),
              R"({"us":[5]})");
    EXPECT_EQ(decoded("52020801"
                      "4a0161"
                      "52020802"
                      "4a0162"),
              R"({"ns":[{"x":1},{"x":2}],"ts":["a","b"]})");
    // The same field under other wire bits.
    EXPECT_EQ(decoded("4a0161"
                      "480162"),
              R"({"ts":["a","b"]})");
}

TEST(protobuf_decode, lets_the_last_of_a_scalar_count_at_the_place_of_the_first) {
    EXPECT_EQ(decoded("08010802"), R"({"u":2})");
    EXPECT_EQ(decoded("0801"
                      "320161"
                      "0802"
                      "32026262"
                      "0803"),
              R"({"u":3,"t":"bb"})");
    EXPECT_EQ(decoded("3a020801"
                      "1002"
                      "3a020802"),
              R"({"n":{"x":2},"s":1})");
    EXPECT_EQ(decoded("3a0408010802"
                      "1002"),
              R"({"n":{"x":2},"s":1})");
}

TEST(protobuf_decode, follows_names_given_twice) {
    const std::string file = R"({"r":{"required string a":1,"optional uInt32 a":2}})";
    EXPECT_EQ(decoded("1005", file), R"({"a":5})");
    EXPECT_EQ(decoded("0805", file), R"({"a":5})");
    EXPECT_EQ(encoded(R"({"a":5})", file), "1005");
}

TEST(protobuf_decode, does_not_ask_for_required_fields) {
    EXPECT_EQ(decoded("3a00"), R"({"n":{}})");
}

TEST(protobuf_decode, refuses_unknown_tags) {
    EXPECT_EQ(decoded("7801"), "protobuf: the tag 15 is unknown");
    EXPECT_EQ(decoded("0001"), "protobuf: the tag 0 is unknown");
    EXPECT_EQ(decoded("f8ffffffff0101"), "protobuf: the tag 8589934591 is unknown");
    EXPECT_EQ(decoded("3a021801"), "protobuf: `n`: the tag 3 is unknown");
    EXPECT_EQ(decoded("8088808080808000"
                      "01"),
              "protobuf: the tag 128 is unknown");
}

TEST(protobuf_decode, refuses_what_is_cut_off_or_overrun) {
    EXPECT_EQ(decoded("80"), "protobuf: a number is cut off");
    EXPECT_EQ(decoded("08"), "protobuf: `u`: a number is cut off");
    EXPECT_EQ(decoded("0880"), "protobuf: `u`: a number is cut off");
    EXPECT_EQ(decoded("25000000"), "protobuf: `f`: a number is cut off");
    EXPECT_EQ(decoded("2900000000000000"), "protobuf: `d`: a number is cut off");
    EXPECT_EQ(decoded("320a6162"), "protobuf: `t`: the length is 10, but 2 bytes are left");
    EXPECT_EQ(decoded("32ffffffffffffff7f61"),
              "protobuf: `t`: the length is 72057594037927935, but 1 bytes are left");
    EXPECT_EQ(decoded("40030102"), "protobuf: `us`: the count is 3, but 2 bytes are left");
    EXPECT_EQ(decoded("590200000000000000000000"), "protobuf: `ds`: a number is cut off");
    EXPECT_EQ(decoded("3a0a0801"), "protobuf: `n`: the length is 10, but 2 bytes are left");
    // The content goes on behind the end of the nested message.
    EXPECT_EQ(decoded("3a01080801"), "protobuf: `n.x`: a number is cut off");
    EXPECT_EQ(decoded("520208015202"), "protobuf: `ns`: the length is 2, but 0 bytes are left");
}

TEST(protobuf_decode, goes_64_messages_deep) {
    const auto nested = [](int levels) {
        const auto set = parsed(list_file);
        std::string bytes = from_hex("2001");
        for (int i = 1; i < levels; ++i) {
            std::string outer = "\x0a";
            for (std::size_t size = bytes.size();; size >>= 7U) {
                outer += static_cast<char>(size >= 0x80 ? (size & 0x7fU) | 0x80U : size);
                if (size < 0x80) {
                    break;
                }
            }
            bytes = outer + bytes;
        }
        return decoded(to_hex(bytes), list_file);
    };
    EXPECT_EQ(nested(64), nested_json(64));
    EXPECT_NE(nested(65).find("nested over 64 levels"), std::string::npos);
    EXPECT_NE(nested(5000).find("nested over 64 levels"), std::string::npos);
}

/// Every prefix of good bytes decodes or is refused, and what decodes is a prefix of the fields.
TEST(protobuf_decode, refuses_every_cut_inside_a_field) {
    const std::string json =
        R"({"u":300,"s":-300,"i":1,"f":0.5,"d":0.1,"t":"text","n":{"x":1,"n":{"x":200}},"us":[1,300],)"
        R"("ts":["a","bb"],"ns":[{"x":1},{"x":2}],"ds":[1,2],"fs":[1],"is":[-1]})";
    const std::string bytes = from_hex(encoded(json));
    ASSERT_EQ(decoded(to_hex(bytes)), json);
    int whole = 0;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::string got = decoded(to_hex(bytes.substr(0, size)));
        if (got.find("protobuf: ") == 0) {
            continue;
        }
        ++whole;
        std::string open = got.substr(0, got.size() - 1);
        // Elements of their own may be missing from an array.
        if (open.ends_with(']')) {
            open.pop_back();
        }
        EXPECT_EQ(json.find(open), 0U) << got;
    }
    EXPECT_EQ(whole, 15); // 13 fields, two of them also with one of two elements, from 0 on
}

TEST(protobuf_decode, survives_random_bytes) {
    const auto set = parsed(all_types);
    std::mt19937 random(20130910);
    int read = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes) {
            const auto value = random();
            // Half of them likely heads, counts and lengths.
            byte = static_cast<char>((value & 256U) != 0 ? value & 0x7fU : value % 12 * 8);
        }
        std::string json;
        const auto done = protobuf_to_json(json, *set.find("r"), bytes);
        ASSERT_EQ(done.has_value(), !json.empty());
        read += done ? 1 : 0;
    }
    EXPECT_GT(read, 500);
    EXPECT_LT(read, 19500);
}

} // namespace

} // namespace shaddock::protocol
