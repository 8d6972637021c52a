#include <protocol/protos.hpp>

#include <gtest/gtest.h>

namespace shaddock::protocol {

namespace {

const std::string chat_file =
    R"({"onChat":{"required string msg":1,"required string from":2,"required string target":3}})";

/// Fails the test when the file is refused.
proto_set set_of(std::string_view json) {
    auto set = proto_set::parse(json);
    if (!set) {
        ADD_FAILURE() << set.error().path << ": " << set.error().text << "\n" << json;
        return {};
    }
    return *set;
}

proto_complaint complaint_about(std::string_view json) {
    const auto set = proto_set::parse(json);
    return set ? proto_complaint{"none", set->parsed_json()} : set.error();
}

/// `count` messages, each in the one before; the innermost at the depth of `count` + 1 in the file.
std::string nested_file(int count) {
    std::string json = "{";
    for (int i = 0; i < count; ++i) {
        json += i == 0 ? R"("r":{)" : R"("message M":{)";
    }
    return json.append(static_cast<std::size_t>(count) + 1, '}');
}

TEST(protos, of_the_chat_demo_are_written_as_the_handshake_has_them) {
    EXPECT_EQ(set_of(chat_file).parsed_json(),
              R"({"onChat":{"msg":{"option":"required","type":"string","tag":1},)"
              R"("from":{"option":"required","type":"string","tag":2},)"
              R"("target":{"option":"required","type":"string","tag":3},)"
              R"("__messages":{},"__tags":{"1":"msg","2":"from","3":"target"}}})");
}

TEST(protos, have_the_version_that_the_original_sends) {
    const auto server = set_of(chat_file);
    EXPECT_EQ(protos_version({}, server, true), "2zWPnSlRsRxjqgcU215Uxg==");
    EXPECT_NE(protos_version(server, {}, true), "2zWPnSlRsRxjqgcU215Uxg==");
    EXPECT_EQ(protos_version({}, server, false), "");
    // MD5 of "{}{}".
    EXPECT_EQ(protos_version({}, set_of("{}"), true), "xT9OvpsqULwrUv2IpdUD4Q==");
}

TEST(protos, are_found_by_the_whole_route) {
    const auto set = set_of(R"({"chat.chatHandler.send":{"required string rid":1},"onChat":{}})");
    EXPECT_NE(set.find("chat.chatHandler.send"), nullptr);
    EXPECT_NE(set.find("onChat"), nullptr);
    EXPECT_NE(set.find("onChat"), set.find("chat.chatHandler.send"));
    EXPECT_EQ(set.find("chat.chatHandler"), nullptr);
    EXPECT_EQ(set.find(""), nullptr);
}

TEST(protos, without_routes_are_empty) {
    EXPECT_TRUE(proto_set().is_empty());
    EXPECT_EQ(proto_set().parsed_json(), "{}");
    EXPECT_EQ(proto_set().find("onChat"), nullptr);
    EXPECT_TRUE(set_of(" { } ").is_empty());
    EXPECT_FALSE(set_of(R"({"r":{}})").is_empty());
    EXPECT_EQ(set_of(R"({"r":{}})").parsed_json(), R"({"r":{"__messages":{},"__tags":{}}})");
}

TEST(protos, stay_while_a_copy_does) {
    proto_set copy;
    const proto_message* message = nullptr;
    {
        const auto set = set_of(chat_file);
        message = set.find("onChat");
        copy = set;
    }
    EXPECT_EQ(copy.find("onChat"), message);
}

TEST(protos, know_their_parts_for_the_handshake) {
    const protos both{set_of(chat_file), set_of(R"({"a":{}})"), "v"};
    const auto parts = both.parts();
    EXPECT_EQ(parts.server, set_of(chat_file).parsed_json());
    EXPECT_EQ(parts.client, R"({"a":{"__messages":{},"__tags":{}}})");
    EXPECT_EQ(parts.version, "v");
}

TEST(protos, put_keys_into_the_order_of_javascript) {
    EXPECT_EQ(set_of(R"({"b":{"required string z":20,"optional int32 10":3,"repeated float 9":100,)"
                     R"("required string 01":1},"7":{}})")
                  .parsed_json(),
              R"({"7":{"__messages":{},"__tags":{}},)"
              R"("b":{"9":{"option":"repeated","type":"float","tag":100},)"
              R"("10":{"option":"optional","type":"int32","tag":3},)"
              R"("z":{"option":"required","type":"string","tag":20},)"
              R"("01":{"option":"required","type":"string","tag":1},)"
              R"("__messages":{},"__tags":{"1":"01","3":"10","20":"z","100":"9"}}})");
}

TEST(protos, keep_messages_under_their_names) {
    EXPECT_EQ(set_of(R"({"r":{"message P":{"required uInt32 x":1},"repeated P ps":2},)"
                     R"("message Shared":{"optional sInt32 y":1}})")
                  .parsed_json(),
              R"({"r":{"ps":{"option":"repeated","type":"P","tag":2},)"
              R"("__messages":{"P":{"x":{"option":"required","type":"uInt32","tag":1},)"
              R"("__messages":{},"__tags":{"1":"x"}}},"__tags":{"2":"ps"}},)"
              R"("message Shared":{"y":{"option":"optional","type":"sInt32","tag":1},)"
              R"("__messages":{},"__tags":{"1":"y"}}})");
}

TEST(protos, escape_names) {
    EXPECT_EQ(set_of(R"({"a\"b":{"required string \u00e9\n":1}})").parsed_json(),
              "{\"a\\\"b\":{\"\u00e9\\n\":{\"option\":\"required\",\"type\":\"string\",\"tag\":1},"
              "\"__messages\":{},\"__tags\":{\"1\":\"\u00e9\\n\"}}}");
}

TEST(protos, skip_keys_with_another_number_of_words) {
    const auto empty = set_of(R"({"r":{}})").parsed_json();
    for (const char* key : {"comment", "required string", "required string a b",
                            "required  string a", "message", "message A b", "message  A", ""}) {
        EXPECT_EQ(set_of(std::string(R"({"r":{")") + key + R"(":1}})").parsed_json(), empty) << key;
    }
}

TEST(protos, drop_a_field_whose_tag_is_taken) {
    EXPECT_EQ(set_of(R"({"r":{"required string a":1,"optional uInt32 b":1}})").parsed_json(),
              set_of(R"({"r":{"required string a":1}})").parsed_json());
    // Another message has its own tags.
    EXPECT_EQ(set_of(R"({"r":{"message M":{"required string a":1},"required string b":1}})")
                  .parsed_json(),
              R"({"r":{"b":{"option":"required","type":"string","tag":1},)"
              R"("__messages":{"M":{"a":{"option":"required","type":"string","tag":1},)"
              R"("__messages":{},"__tags":{"1":"a"}}},"__tags":{"1":"b"}}})");
}

TEST(protos, let_the_last_of_two_keys_count) {
    EXPECT_EQ(
        set_of(R"({"r":{"required string a":1},"s":{},"r":{"required string b":2}})").parsed_json(),
        set_of(R"({"r":{"required string b":2},"s":{}})").parsed_json());
    EXPECT_EQ(set_of(R"({"r":{"required string a":1,"required string a":5}})").parsed_json(),
              set_of(R"({"r":{"required string a":5}})").parsed_json());
}

TEST(protos, let_the_last_of_two_fields_of_one_name_count) {
    EXPECT_EQ(set_of(R"({"r":{"required string a":1,"optional uInt32 a":2}})").parsed_json(),
              R"({"r":{"a":{"option":"optional","type":"uInt32","tag":2},)"
              R"("__messages":{},"__tags":{"1":"a","2":"a"}}})");
}

TEST(protos, take_tags_up_to_29_bits) {
    EXPECT_NE(set_of(R"({"r":{"required string a":536870911,"required string b":1.0}})")
                  .parsed_json()
                  .find(R"("__tags":{"1":"b","536870911":"a"})"),
              std::string::npos);
}

TEST(protos, refuse_tags_that_are_no_whole_number_in_range) {
    for (const std::string tag :
         {"0", "-1", "1.5", "536870912", "1e300", "\"1\"", "null", "true", "{}", "[1]"}) {
        const auto complaint = complaint_about(R"({"r":{"required string a":)" + tag + "}}");
        EXPECT_EQ(complaint.path, "/r/required string a") << tag;
        EXPECT_NE(complaint.text.find("expected a whole number from 1 to 536870911"),
                  std::string::npos)
            << complaint.text;
    }
    EXPECT_EQ(complaint_about(R"({"r":{"required string a":0.5}})").text,
              "found the tag 0.5, expected a whole number from 1 to 536870911");
}

TEST(protos, refuse_types_that_the_original_cannot_write) {
    for (const std::string type : {"uInt64", "sInt64", "bool", "bytes", "String", "uint32", ""}) {
        const auto complaint = complaint_about(R"({"on/Chat~":{"required )" + type + R"( at":1}})");
        EXPECT_EQ(complaint.path, "/on~1Chat~0/required " + type + " at");
        EXPECT_EQ(complaint.text.find("found the type `" + type + "`, expected uInt32, sInt32"), 0U)
            << complaint.text;
    }
}

TEST(protos, refuse_unknown_options_and_reserved_names) {
    EXPECT_EQ(complaint_about(R"({"r":{"require string a":1}})").text,
              "found the option `require`, expected required, optional or repeated");
    EXPECT_EQ(complaint_about(R"({"r":{"require string a":1}})").path, "/r/require string a");
    EXPECT_EQ(complaint_about(R"({"r":{"required string __tags":1}})").path,
              "/r/required string __tags");
    EXPECT_EQ(complaint_about(R"({"r":{"required string __messages":1}})").path,
              "/r/required string __messages");
}

TEST(protos, look_types_up_in_the_enclosing_message_then_at_top_level) {
    EXPECT_NE(set_of(R"({"r":{"required P p":1},"message P":{"required uInt32 x":1}})").find("r"),
              nullptr);
    EXPECT_NE(set_of(R"({"r":{"message A":{"required A a":1}},"message A":{}})").find("r"),
              nullptr);
    // A grandparent's nested message is not seen, nor is a message of another route.
    EXPECT_EQ(complaint_about(R"({"r":{"message B":{},"message A":{"required B b":1}}})").path,
              "/r/message A/required B b");
    EXPECT_EQ(complaint_about(R"({"s":{"message B":{}},"r":{"required B b":1}})").path,
              "/r/required B b");
    EXPECT_EQ(complaint_about(R"({"r":{"required s b":1},"s":{}})").path, "/r/required s b");
}

TEST(protos, refuse_what_is_no_object_of_objects) {
    EXPECT_EQ(complaint_about("[]").text, "found an array, expected an object of routes");
    EXPECT_EQ(complaint_about("[]").path, "");
    EXPECT_EQ(complaint_about(R"({"r":"x"})").text,
              "found the text \"x\", expected an object of fields");
    EXPECT_EQ(complaint_about(R"({"r":"x"})").path, "/r");
    EXPECT_EQ(complaint_about(R"({"r":{"message M":3}})").text,
              "found 3, expected an object of fields");
    EXPECT_EQ(complaint_about(R"({"r":{"message M":null}})").path, "/r/message M");
}

TEST(protos, refuse_what_is_no_json) {
    for (const auto& json : {std::string(), std::string("{"), std::string("{}{}"),
                             std::string(R"({"r":{},})"), std::string("{}\0", 3)}) {
        const auto complaint = complaint_about(json);
        EXPECT_EQ(complaint.path, "") << json;
        EXPECT_EQ(complaint.text.find("found "), 0U) << complaint.text;
        EXPECT_NE(complaint.text.find("at byte"), std::string::npos) << complaint.text;
    }
}

TEST(protos, refuse_more_than_64_levels) {
    EXPECT_NE(set_of(nested_file(63)).find("r"), nullptr);
    EXPECT_EQ(complaint_about(nested_file(64)).text.find("found more than 64 levels"), 0U);
    const std::string deep(1000000, '[');
    EXPECT_EQ(complaint_about(deep).path, "");
    EXPECT_NE(complaint_about(nested_file(100000)).text.find("64 levels"), std::string::npos);
}

TEST(protos, refuse_every_cut_of_a_file) {
    for (std::size_t size = 0; size < chat_file.size(); ++size) {
        EXPECT_FALSE(proto_set::parse(chat_file.substr(0, size)).has_value()) << size;
    }
}

} // namespace

} // namespace shaddock::protocol
