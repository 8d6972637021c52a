#include <protocol/protobuf.hpp>

#include "vectors.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shaddock::protocol {

namespace {

using testing::from_hex;

const std::string all_types =
    R"({"r":{"optional uInt32 u":1,"optional sInt32 s":2,"optional int32 i":3,"optional float f":4,)"
    R"("optional double d":5,"optional string t":6,"optional N n":7,"repeated uInt32 us":8,"repeated string ts":9,"repeated N ns":10,)"
    R"("repeated double ds":11,"repeated float fs":12,"repeated int32 is":13,"optional L l":14,)"
    R"("optional string \u00e9\"":40,"optional uInt32 far":536870911},)"
    R"("message N":{"required uInt32 x":1,"optional N n":2},)"
    R"("message L":{"optional L l":1,"repeated L ls":2,"repeated uInt32 us":3,"optional uInt32 u":4}})";

std::string to_hex(std::string_view bytes) {
    std::string hex;
    for (const char byte : bytes) {
        constexpr std::string_view digits = "0123456789abcdef";
        hex += digits[static_cast<unsigned char>(byte) >> 4U];
        hex += digits[static_cast<unsigned char>(byte) & 15U];
    }
    return hex;
}

proto_set parsed(std::string_view file) {
    const auto set = proto_set::parse(file);
    if (!set) {
        throw std::runtime_error(set.error().path + ": " + set.error().text);
    }
    return *set;
}

/// Hex, or what is wrong.
std::string encoded(std::string_view json, std::string_view file = all_types) {
    const auto set = parsed(file);
    std::string out = "before";
    const auto done = json_to_protobuf(out, *set.find("r"), json);
    if (!done) {
        EXPECT_EQ(out, "before") << "appended in spite of the error";
        EXPECT_EQ(done.error().code(), errc::bad_request);
        return done.error().text();
    }
    EXPECT_EQ(out.substr(0, 6), "before");
    return to_hex(out.substr(6));
}

/// JSON, or what is wrong.
std::string decoded(std::string_view hex, std::string_view file = all_types) {
    const auto set = parsed(file);
    std::string out = "before";
    const auto done = protobuf_to_json(out, *set.find("r"), from_hex(hex));
    if (!done) {
        EXPECT_EQ(out, "before") << "appended in spite of the error";
        EXPECT_EQ(done.error().code(), errc::bad_request);
        return done.error().text();
    }
    EXPECT_EQ(out.substr(0, 6), "before");
    return out.substr(6);
}

/// Of the file's `l` in `l`: `levels` messages, the outermost included.
std::string nested_json(int levels) {
    std::string json;
    for (int i = 1; i < levels; ++i) {
        json += R"({"l":)";
    }
    json += R"({"u":1})";
    return json.append(static_cast<std::size_t>(levels) - 1, '}');
}

const std::string list_file =
    R"({"r":{"optional L l":1,"repeated L ls":2,"repeated uInt32 us":3,"optional uInt32 u":4},)"
    R"("message L":{"optional L l":1,"repeated L ls":2,"repeated uInt32 us":3,"optional uInt32 u":4}})";

TEST(protobuf_encode, writes_integers_as_varints) {
    EXPECT_EQ(encoded(R"({"u":0})"), "0800");
    EXPECT_EQ(encoded(R"({"u":127})"), "087f");
    EXPECT_EQ(encoded(R"({"u":128})"), "088001");
    EXPECT_EQ(encoded(R"({"u":9007199254740992})"), "088080808080808010");
    EXPECT_EQ(encoded(R"({"u":-0})"), "0800");
    EXPECT_EQ(encoded(R"({"far":1})"), "f8ffffff0f01");
}

TEST(protobuf_encode, writes_both_signed_types_zig_zag) {
    EXPECT_EQ(encoded(R"({"s":-1,"i":-1})"), "10011801");
    EXPECT_EQ(encoded(R"({"s":-64,"i":64})"), "107f188001");
    EXPECT_EQ(encoded(R"({"s":-3000000000})"), "10fff782ad16");
    EXPECT_EQ(encoded(R"({"s":-0.5})"), "1000");
}

TEST(protobuf_encode, truncates_numbers_as_parse_int_does) {
    EXPECT_EQ(encoded(R"({"u":3.7})"), "0803");
    EXPECT_EQ(encoded(R"({"i":-3.7})"), "1805");
    EXPECT_EQ(encoded(R"({"u":1e2})"), "0864");
    EXPECT_EQ(encoded(R"({"u":12.5e1})"), "087d");
    EXPECT_EQ(encoded(R"({"u":0.0000015})"), "0800");
    // JavaScript writes them 1e+21, 5e-7 and -2.5e-7, and parseInt stops at the letter.
    EXPECT_EQ(encoded(R"({"u":1e21})"), "0801");
    EXPECT_EQ(encoded(R"({"u":0.0000005})"), "0805");
    EXPECT_EQ(encoded(R"({"i":-0.00000025})"), "1803");
}

TEST(protobuf_encode, takes_numeric_texts_where_integers_stand) {
    EXPECT_EQ(encoded(R"({"u":"12"})"), "080c");
    EXPECT_EQ(encoded(R"({"u":" \t+12.9apples"})"), "080c");
    EXPECT_EQ(encoded(R"({"u":"\u0031\u0032"})"), "080c");
    EXPECT_EQ(encoded(R"({"i":"-12"})"), "1817");
    EXPECT_EQ(encoded(R"({"u":"0x1F"})"), "081f");
    EXPECT_EQ(encoded(R"({"u":"1e3"})"), "0801");
    for (const char* text : {"", "-", "apples", "0x", "0xg", "NaN", "Infinity"}) {
        EXPECT_EQ(encoded(R"({"u":")" + std::string(text) + "\"}"),
                  "protobuf: `u`: found no whole number up to 2^53");
    }
}

TEST(protobuf_encode, refuses_integers_that_do_not_fit) {
    EXPECT_EQ(encoded(R"({"u":-1})"), "protobuf: `u`: found -1, expected no negative number");
    EXPECT_EQ(encoded(R"({"us":[1,"-7"]})"),
              "protobuf: `us`: found -7, expected no negative number");
    for (const char* number : {"9007199254740994", "1e20", "123456789012345678901234567890e-12",
                               "1e999", "-1e999", "\"9007199254740993\""}) {
        EXPECT_EQ(encoded(R"({"s":)" + std::string(number) + "}"),
                  "protobuf: `s`: found no whole number up to 2^53")
            << number;
    }
}

TEST(protobuf_encode, refuses_values_of_another_kind) {
    EXPECT_EQ(encoded(R"({"u":true})"), "protobuf: `u`: found true, expected a number");
    EXPECT_EQ(encoded(R"({"s":[1]})"), "protobuf: `s`: found an array, expected a number");
    EXPECT_EQ(encoded(R"({"d":{}})"), "protobuf: `d`: found an object, expected a number");
    EXPECT_EQ(encoded(R"({"t":5})"), "protobuf: `t`: found a number, expected a text");
    EXPECT_EQ(encoded(R"({"t":false})"), "protobuf: `t`: found false, expected a text");
    EXPECT_EQ(encoded(R"({"n":"x"})"), "protobuf: `n`: found a text, expected an object");
    EXPECT_EQ(encoded(R"({"us":5})"), "protobuf: `us`: found a number, expected an array");
    EXPECT_EQ(encoded(R"({"ns":[{"x":1},2]})"),
              "protobuf: `ns`: found a number, expected an object");
    EXPECT_EQ(encoded("[]"), "protobuf: found an array, expected an object");
    EXPECT_EQ(encoded("null"), "protobuf: found null, expected an object");
}

TEST(protobuf_encode, refuses_null_but_for_an_array) {
    for (const char* field : {"u", "s", "i", "f", "d", "t", "n"}) {
        EXPECT_EQ(encoded(R"({")" + std::string(field) + R"(":null})")
                      .find("protobuf: `" + std::string(field) + "`: found null"),
                  0U);
    }
    EXPECT_EQ(encoded(R"({"us":[null]})"), "protobuf: `us`: found null, expected a number");
    EXPECT_EQ(encoded(R"({"us":null,"ts":null,"ns":null,"u":1})"), "0801");
}

TEST(protobuf_encode, writes_floats_and_doubles_little_endian) {
    EXPECT_EQ(encoded(R"({"f":1.1,"d":-0.125})"), "25cdcc8c3f29000000000000c0bf");
    EXPECT_EQ(encoded(R"({"f":-0,"d":1e999})"), "250000008029000000000000f07f");
    EXPECT_EQ(encoded(R"({"f":1e300,"d":-1e-999})"), "250000807f290000000000000080");
}

TEST(protobuf_encode, reads_texts_and_truth_as_floats) {
    EXPECT_EQ(encoded(R"({"f":true})"), "250000803f");
    EXPECT_EQ(encoded(R"({"d":false})"), "290000000000000000");
    EXPECT_EQ(encoded(R"({"f":" 1.5 "})"), "250000c03f");
    EXPECT_EQ(encoded(R"({"f":""})"), "2500000000");
    EXPECT_EQ(encoded(R"({"f":"0x10"})"), "2500008041");
    EXPECT_EQ(encoded(R"({"f":"-Infinity"})"), "25000080ff");
    EXPECT_EQ(encoded(R"({"f":"-.5"})"), "25000000bf");
    for (const char* text : {"apples", "1.5x", "0x", "nan", "inf", "--1", "+", "1 2"}) {
        EXPECT_EQ(encoded(R"({"f":")" + std::string(text) + "\"}").substr(0, 8), "250000c0")
            << text;
    }
}

TEST(protobuf_encode, writes_strings_as_utf8) {
    EXPECT_EQ(encoded(R"({"t":""})"), "3200");
    EXPECT_EQ(encoded(R"({"t":"\"\\\/\b\f\n\r\t\u0000"})"), "3209225c2f080c0a0d0900");
    EXPECT_EQ(encoded("{\"t\":\"\u4f60\u597d\"}"), "3206e4bda0e5a5bd");
    EXPECT_EQ(encoded(R"({"t":"\u4f60\u00e9x"})"), "3206e4bda0c3a978");
    EXPECT_EQ(encoded("{\"t\":\"\U0001f600\"}"), "3204f09f9880");
    EXPECT_EQ(encoded(R"({"t":"a\uD83d\uDe00b"})"), "320661f09f988062");
}

TEST(protobuf_encode, mends_surrogates_and_stray_bytes) {
    EXPECT_EQ(encoded("{\"t\":\"\xed\xa0\xbd\xed\xb8\x80\"}"), "3204f09f9880");
    EXPECT_EQ(encoded("{\"t\":\"\\ud83d\xed\xb8\x80\"}"), "3204f09f9880");
    EXPECT_EQ(encoded(R"({"t":"\ud83d"})"), "3203efbfbd");
    EXPECT_EQ(encoded(R"({"t":"\ud83dx"})"), "3204efbfbd78");
    EXPECT_EQ(encoded(R"({"t":"\ude00"})"), "3203efbfbd");
    EXPECT_EQ(encoded(R"({"t":"\ud83d\ud83d\ude00"})"), "3207efbfbdf09f9880");
    EXPECT_EQ(encoded("{\"t\":\"\xff\xc3\"}"), "3206efbfbdefbfbd");
}

TEST(protobuf_encode, counts_long_strings_in_bytes) {
    const std::string plain(200, 'x');
    EXPECT_EQ(encoded(R"({"t":")" + plain + "\"}"), "32c801" + to_hex(plain));
    std::string chinese;
    for (int i = 0; i < 6000; ++i) {
        chinese += "\u4f60";
    }
    EXPECT_EQ(encoded(R"({"t":")" + chinese + "\"}"), "32d08c01" + to_hex(chinese));
}

/// Plain text is read 8 bytes at a time.
TEST(protobuf_encode, sees_every_byte_of_a_string) {
    for (std::size_t size = 1; size <= 20; ++size) {
        const std::string plain(size, 'x');
        EXPECT_EQ(encoded(R"({"t":")" + plain + R"(","zzzzzzzz":"zzzzzzzz","u":1})"),
                  "32" + to_hex(std::string(1, static_cast<char>(size)) + plain) + "0801");
        for (std::size_t at = 0; at < size; ++at) {
            const auto with = [&](std::string_view text) {
                return plain.substr(0, at) + std::string(text) + plain.substr(at + 1);
            };
            const auto body = [&](std::string_view text) {
                return R"({"t":")" + with(text) + R"(","zzzzzzzz":1})";
            };
            EXPECT_EQ(encoded(body("\\\"")),
                      "32" + to_hex(std::string(1, static_cast<char>(size)) + with("\"")));
            EXPECT_EQ(encoded(body("\u00e9")),
                      "32" + to_hex(std::string(1, static_cast<char>(size + 1)) + with("\u00e9")));
            for (const char* refused : {"\n", "\x1f", "\"", "\\z"}) {
                EXPECT_NE(encoded(body(refused)).find("not JSON"), std::string::npos)
                    << size << " " << at;
            }
        }
    }
}

TEST(protobuf_encode, counts_the_elements_of_numbers) {
    EXPECT_EQ(encoded(R"({"us":[1,300,70000]})"), "400301ac02f0a204");
    EXPECT_EQ(encoded(R"({"is":[0,-1]})"), "68020001");
    EXPECT_EQ(encoded(R"({"fs":[0.5]})"), "65010000003f");
    EXPECT_EQ(encoded(R"({"ds":[2]})"), "59010000000000000040");
    std::string many = "0";
    for (int i = 1; i < 130; ++i) {
        many += ",0";
    }
    EXPECT_EQ(encoded(R"({"us":[)" + many + "]}"), "408201" + std::string(260, '0'));
    EXPECT_EQ(encoded(R"({"us":[],"u":1})"), "0801");
}

TEST(protobuf_encode, gives_each_string_and_message_its_tag) {
    EXPECT_EQ(encoded(R"({"ts":["a","","b"]})"), "4a01614a004a0162");
    EXPECT_EQ(encoded(R"({"ns":[{"x":1},{"x":2}]})"), "520208015202"
                                                      "0802");
    EXPECT_EQ(encoded(R"({"ts":[],"ns":[],"u":1})"), "0801");
}

TEST(protobuf_encode, writes_nested_messages_with_their_length) {
    EXPECT_EQ(encoded(R"({"n":{"x":1,"n":{"x":2}}})"), "3a060801"
                                                       "12020802");
    EXPECT_EQ(encoded(R"({"l":{}})"), "7200");
    const std::string text(200, 'x');
    EXPECT_EQ(encoded(R"({"m":{"t":")" + text + "\"}}",
                      R"({"r":{"required M m":1},"message M":{"required string t":1}})"),
              "0acb010ac801" + to_hex(text));
}

TEST(protobuf_encode, keeps_the_order_of_the_keys) {
    EXPECT_EQ(encoded(R"({"t":"x","s":-5,"u":7})"), "32017810090807");
}

TEST(protobuf_encode, leaves_unknown_keys_out) {
    EXPECT_EQ(
        encoded(R"({"a":1,"b":[{"c":[],"d":{}},"\u00e9",true,false,null,-1.5e+3],"u":1,"z":{}})"),
        "0801");
    EXPECT_EQ(encoded(R"( { "u" : 1 , "toString" : "x" , "__tags" : 1 } )"), "0801");
}

TEST(protobuf_encode, reads_escaped_keys) {
    EXPECT_EQ(encoded(R"({"\u0075":1})"), "0801");
    EXPECT_EQ(encoded("{\"\u00e9\\\"\":\"x\"}"), "c2020178");
    EXPECT_EQ(encoded(R"({"\u00e9\u0022":"x"})"), "c2020178");
}

TEST(protobuf_encode, lets_the_last_of_a_key_twice_count_at_the_place_of_the_first) {
    EXPECT_EQ(encoded(R"({"u":1,"s":1,"u":300})"), "08ac021002");
    EXPECT_EQ(encoded(R"({"u":1,"s":1,"u":2,"t":"x","s":-1,"u":3})"), "08031001320178");
    EXPECT_EQ(encoded(R"({"us":[1,2],"u":1,"us":[3]})"), "4001030801");
    EXPECT_EQ(encoded(R"({"us":[1,2],"u":1,"us":[]})"), "0801");
    EXPECT_EQ(encoded(R"({"l":{"u":1,"u":2},"u":5})"), "720220020805");
}

TEST(protobuf_encode, refuses_a_missing_required_field) {
    const std::string file =
        R"({"r":{"required uInt32 a":1,"optional P p":2,"repeated P ps":3},"message P":{"required string b":1}})";
    EXPECT_EQ(encoded(R"({"p":{"b":""}})", file), "protobuf: `a`: the required field is missing");
    EXPECT_EQ(encoded(R"({"a":1,"p":{}})", file), "protobuf: `p.b`: the required field is missing");
    EXPECT_EQ(encoded(R"({"a":1,"ps":[{"b":""},{"c":1}]})", file),
              "protobuf: `ps.b`: the required field is missing");
    EXPECT_EQ(encoded(R"({"a":null})", file), "protobuf: `a`: found null, expected a number");
    EXPECT_EQ(encoded(R"({"a":1,"ps":[{"b":""}]})", file), "0801"
                                                           "1a020a00");
}

TEST(protobuf_encode, knows_required_fields_beyond_the_first_64) {
    std::string file = R"({"r":{)";
    std::string body = "{";
    for (int i = 1; i <= 150; ++i) {
        const std::string number = std::to_string(i);
        file += (i == 1 ? "\"required uInt32 f" : ",\"required uInt32 f") + number + "\":" + number;
        body += (i == 1 ? "\"f" : ",\"f") + number + "\":" + number;
    }
    file += "}}";
    EXPECT_EQ(encoded(body + R"(,"f150":1,"f65":2})", file).size(),
              2 * (15 * 2 + 112 * 3 + 23 * 4U) - 2 * 1)
        << "150 fields; the doubled last one is a byte shorter";
    EXPECT_EQ(encoded(body + "}", file).find("protobuf"), std::string::npos);
    for (const char* missing : {"f64", "f65", "f150"}) {
        std::string other = body + "}";
        other[other.find("\"" + std::string(missing) + "\"") + 1] = 'g';
        EXPECT_EQ(encoded(other, file),
                  "protobuf: `" + std::string(missing) + "`: the required field is missing");
    }
}

TEST(protobuf_encode, refuses_to_write_nothing) {
    EXPECT_EQ(encoded("{}"), "protobuf: there is nothing to write");
    EXPECT_EQ(encoded(R"({"us":[],"zzz":1})"), "protobuf: there is nothing to write");
}

TEST(protobuf_encode, refuses_what_is_no_json) {
    for (const std::string json : {"",
                                   "{",
                                   "{\"u\"",
                                   "{\"u\":",
                                   "{\"u\":1",
                                   "{\"u\":1,",
                                   "{\"u\":1,}",
                                   "{\"u\":1}x",
                                   "{\"u\":1}{}",
                                   "{u:1}",
                                   "{\"u\":01}",
                                   "{\"u\":-}",
                                   "{\"u\":1.}",
                                   "{\"u\":1e}",
                                   "{\"u\":+1}",
                                   "{\"t\":\"\\x\"}",
                                   "{\"t\":\"\\u12g4\"}",
                                   "{\"t\":\"\n\"}",
                                   "{\"t\":\"a}",
                                   "{\"t\":\"a\\",
                                   "{\"z\":[1,]}",
                                   "{\"z\":[1}",
                                   "{\"z\":{\"a\":1]}",
                                   "{\"z\":{1:2}}",
                                   "{\"z\":tru}",
                                   "{\"z\":nul}",
                                   "{\"z\":}",
                                   "{\"us\":[1,]}",
                                   "{\"us\":[1}",
                                   "{\"us\":[1 2]}",
                                   "{\"ts\":[\"a\"",
                                   "{\"z\":\"\\u00\"}",
                                   "{\"u\":1 \"s\":1}",
                                   "{\"u\":tru}",
                                   "{\"u\":nul}",
                                   "{\"us\":nul}"}) {
        EXPECT_EQ(encoded(json).find("protobuf: "), 0U) << json << " -> " << encoded(json);
    }
    EXPECT_EQ(encoded(std::string("{\"u\":1}\0", 8)).find("protobuf: not JSON"), 0U);
    EXPECT_EQ(encoded(R"({"u":1}x)"), "protobuf: not JSON, or nested over 64 levels, at byte 7");
}

TEST(protobuf_encode, refuses_every_cut_of_a_body) {
    const std::string json =
        R"({"u":1,"t":"a\u00e9\n","z":[{"a":"b"},1.5e3,true,null],"n":{"x":1},"us":[1,2],"ts":["a"],"d":1.5})";
    ASSERT_EQ(encoded(json).find("protobuf"), std::string::npos);
    for (std::size_t size = 0; size < json.size(); ++size) {
        EXPECT_EQ(encoded(json.substr(0, size)).find("protobuf: "), 0U) << size;
    }
}

TEST(protobuf_encode, goes_64_messages_deep) {
    EXPECT_EQ(encoded(nested_json(64), list_file).find("protobuf"), std::string::npos);
    EXPECT_NE(encoded(nested_json(65), list_file).find("nested over 64 levels"), std::string::npos);
    EXPECT_NE(encoded(nested_json(100000), list_file).find("nested over 64 levels"),
              std::string::npos);
    const auto unknown = [](std::size_t depth) {
        return R"({"u":1,"z":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    EXPECT_EQ(encoded(unknown(63)), "0801");
    EXPECT_NE(encoded(unknown(64)).find("nested over 64 levels"), std::string::npos);
    EXPECT_NE(encoded(unknown(1000000)).find("nested over 64 levels"), std::string::npos);
}

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
    EXPECT_EQ(decoded("10ffffffffffffff1f"), R"({"s":-9007199254740992})");
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

TEST(protobuf_encode, survives_random_changes) {
    const auto set = parsed(all_types);
    const std::string json =
        R"({"u":1,"t":"a\u00e9","z":[{"a":"b"},1.5e3],"n":{"x":1},"us":[1,2],"ts":["a"],"d":1.5})";
    std::mt19937 random(20130910);
    int written = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string changed = json;
        changed[random() % changed.size()] = "{}[]\",:\\01u\x80 "[random() % 14];
        std::string bytes;
        const auto done = json_to_protobuf(bytes, *set.find("r"), changed);
        ASSERT_EQ(done.has_value(), !bytes.empty());
        written += done ? 1 : 0;
    }
    EXPECT_GT(written, 1000);
    EXPECT_LT(written, 19000);
}

} // namespace

} // namespace shaddock::protocol
