#include "protobuf_bodies.hpp"

#include <gtest/gtest.h>

#include <random>

namespace shaddock::protocol {

namespace {

using testing::all_types;
using testing::encoded;
using testing::list_file;
using testing::nested_json;
using testing::parsed;
using testing::to_hex;

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

// Clients take the zig-zag number into a double before they unfold it.
TEST(protobuf_encode, refuses_signed_integers_that_clients_would_misread) {
    EXPECT_EQ(encoded(R"({"s":4503599627370496})"), "108080808080808010");
    EXPECT_EQ(encoded(R"({"s":-4503599627370496})"), "10ffffffffffffff0f");
    for (const char* number : {"4503599627370497", "-4503599627370497", "9007199254740992"}) {
        EXPECT_EQ(encoded(R"({"s":)" + std::string(number) + "}"),
                  "protobuf: `s`: found no whole number from -2^52 to 2^52");
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
