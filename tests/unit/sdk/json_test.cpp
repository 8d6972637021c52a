#include <shaddock/json.hpp>

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

namespace json = shaddock::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct base {
    int id = 0;
};
BOOST_DESCRIBE_STRUCT(base, (), (id))

struct user : base {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(user, (base), (name))

struct letter {
    std::string content;
    std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(letter, (), (content, note))

struct group {
    std::vector<user> users;
    std::map<std::string, double> scores;
    std::variant<std::string, std::int64_t> key;
    colour tint = colour::red;
    shaddock::raw_json extra;
};
BOOST_DESCRIBE_STRUCT(group, (), (users, scores, key, tint, extra))

template <class T>
std::string problem(std::string_view text) {
    const auto decoded = json::decode<T>(text);
    if (decoded) {
        return "(decoded)";
    }
    EXPECT_EQ(decoded.error().code(), shaddock::errc::bad_request);
    return decoded.error().text();
}

TEST(json_decode, fills_structs_with_inherited_members_and_containers) {
    const auto decoded = json::decode<group>(
        R"({"users":[{"name":"ann","id":7}],"scores":{"a":1.5},"key":12,"tint":"green","extra":{"b":[1.0,null]},"unknown":[]})");
    ASSERT_TRUE(decoded) << decoded.error().text();
    EXPECT_EQ(decoded->users.at(0).name, "ann");
    EXPECT_EQ(decoded->users.at(0).id, 7);
    EXPECT_EQ(decoded->scores.at("a"), 1.5);
    EXPECT_EQ(std::get<std::int64_t>(decoded->key), 12);
    EXPECT_EQ(decoded->tint, colour::green);
    EXPECT_EQ(decoded->extra.text, R"({"b":[1,null]})");
}

TEST(json_decode, names_the_path_of_what_is_wrong) {
    EXPECT_EQ(problem<letter>(R"({"content":3})"), "content: expected string, found number 3");
    EXPECT_EQ(problem<letter>("{}"), "content: missing");
    using lists = std::map<std::string, std::vector<user>>;
    EXPECT_EQ(problem<lists>(R"({"users":[{"id":1,"name":"a"},{"id":1,"name":"b"},{"id":1}]})"),
              "users[2].name: missing");
    EXPECT_EQ(problem<letter>("[1]"), "body: expected object, found array");
    EXPECT_EQ(problem<letter>(R"({"content":null})"), "content: expected string, found null");
    EXPECT_EQ(problem<group>(R"({"users":[],"scores":{},"key":"k","tint":"blue","extra":1})"),
              "tint: expected one of red, green, found string \"blue\"");
    EXPECT_EQ(problem<std::vector<bool>>(R"(["long text that goes on and on and on and on"])"),
              "[0]: expected true or false, found string \"long text that goes on and on an\"...");
}

TEST(json_decode, takes_an_absent_and_a_null_optional_as_empty) {
    EXPECT_EQ(json::decode<letter>(R"({"content":"a"})")->note, std::nullopt);
    EXPECT_EQ(json::decode<letter>(R"({"content":"a","note":null})")->note, std::nullopt);
    EXPECT_EQ(json::decode<letter>(R"({"content":"a","note":"b"})")->note, "b");
}

TEST(json_decode, checks_the_range_of_integers) {
    EXPECT_EQ(json::decode<int>("3.0").value(), 3);
    EXPECT_EQ(json::decode<std::uint64_t>("18446744073709551615").value(), 18446744073709551615U);
    EXPECT_EQ(json::decode<std::int64_t>("-9223372036854775808").value(),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(problem<std::int8_t>("300"),
              "body: expected integer from -128 to 127, found number 300");
    EXPECT_THAT(problem<unsigned>("-1"), HasSubstr("found number -1"));
    EXPECT_EQ(problem<int>("3.5"), "body: expected integer, found number 3.5");
    EXPECT_EQ(problem<int>("\"3\""), "body: expected integer, found string \"3\"");
    EXPECT_EQ(problem<int>("true"), "body: expected integer, found true");
}

TEST(json_decode, takes_the_last_of_equal_keys) {
    EXPECT_EQ(json::decode<letter>(R"({"content":"a","note":"n","content":"b"})")->content, "b");
}

TEST(json_decode, takes_what_is_not_json_from_a_client_as_an_empty_object) {
    struct {
        std::string text;
    } bodies[] = {{"{"}, {"notjson"}, {""}, {"\xff"}};
    for (const auto& body : bodies) {
        EXPECT_TRUE(json::decode_client_body<shaddock::nothing>(body.text)) << body.text;
        const auto refused = json::decode_client_body<letter>(body.text);
        EXPECT_THAT(refused.error().text(), HasSubstr("; taken as {}: content: missing"));
    }
    EXPECT_EQ(json::decode_client_body<letter>(R"({"content":"a"})")->content, "a");
    EXPECT_FALSE(json::decode_client_body<shaddock::nothing>("[1]"));
}

TEST(json_decode, refuses_what_is_not_json) {
    EXPECT_EQ(problem<letter>(""), "body: expected JSON, found nothing");
    EXPECT_THAT(problem<letter>("{"), StartsWith("body: not JSON at byte 1"));
    EXPECT_THAT(problem<letter>(R"({"content":"a"} x)"), StartsWith("body: not JSON at byte 16"));
    EXPECT_THAT(problem<letter>(std::string("{\"content\":\"a\"}\0x", 17)), HasSubstr("zero byte"));
    EXPECT_THAT(problem<letter>("{\"content\":\"\xff\"}"), HasSubstr("not UTF-8"));
    EXPECT_THAT(problem<letter>("{\"content\":\"\xc0\xaf\"}"), HasSubstr("not UTF-8"));
}

TEST(json_decode, stops_at_64_levels) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(json::decode<shaddock::raw_json>(nested(64)));
    EXPECT_EQ(problem<shaddock::raw_json>(nested(65)), "body: deeper than 64 levels");
    EXPECT_EQ(problem<shaddock::raw_json>(nested(100000)), "body: deeper than 64 levels");
}

TEST(json_decode, puts_the_surrogate_pairs_of_javascript_clients_together) {
    const std::string cesu = "\xed\xa0\xbd\xed\xb8\x80";
    EXPECT_EQ(json::decode<std::string>("\"" + cesu + "\"").value(), "\xf0\x9f\x98\x80");
    EXPECT_EQ(json::decode<std::string>("\"\\ud83d\\ude00\"").value(), "\xf0\x9f\x98\x80");
    EXPECT_EQ(json::decode<std::string>("\"" + cesu.substr(0, 3) + "x\"").value(), "\xef\xbf\xbdx");
    EXPECT_EQ(json::decode<std::string>("\"" + cesu.substr(3) + "\"").value(), "\xef\xbf\xbd");
}

TEST(json_decode, reads_texts_longer_than_its_stack_buffer) {
    const std::string longer(100000, 'x');
    EXPECT_EQ(json::decode<std::string>("\"" + longer + "\"").value(), longer);
    for (std::size_t size = 2040; size < 2056; ++size) {
        EXPECT_EQ(json::decode<std::string>("\"" + std::string(size, 'y') + "\"").value().size(),
                  size);
    }
}

struct found : base {
    std::string text;
    int limit = 20;
    static constexpr shaddock::defaults defaults{"limit", "id"};
};
BOOST_DESCRIBE_STRUCT(found, (base), (text, limit))

TEST(json_decode, does_without_members_that_have_a_default) {
    EXPECT_EQ(json::decode<found>(R"({"text":"a","id":1})")->limit, 20);
    EXPECT_EQ(json::decode<found>(R"({"text":"a","limit":3})")->limit, 3);
    EXPECT_EQ(problem<found>(R"({"limit":3})"), "text: missing");
    EXPECT_EQ(problem<found>(R"({"text":"a","limit":null})"),
              "limit: expected integer, found null");
    EXPECT_EQ(json::encode(found{}), R"({"id":0,"text":"","limit":20})") << "always written";
}

struct kept {
    int count = 7;
    std::string name = "none";
    std::vector<letter> letters;
    std::optional<int> last = 5;
    std::map<std::string, user> users;
    std::variant<letter, user> owner;
};
BOOST_DESCRIBE_STRUCT(kept, (), (count, name, letters, last, users, owner))

TEST(json_decode_tolerant, keeps_the_initialisers_of_absent_members_wherever_they_are) {
    const auto empty = json::decode_tolerant<kept>("{}");
    EXPECT_EQ(empty->count, 7);
    EXPECT_EQ(empty->name, "none");
    EXPECT_EQ(empty->last, std::nullopt) << "so an empty one was written";
    const auto some = json::decode_tolerant<kept>(
        R"({"letters":[{"note":"n"}],"users":{"a":{"id":3}},"owner":{"id":4},"gone":[1]})");
    ASSERT_TRUE(some) << some.error().text();
    EXPECT_EQ(some->letters.at(0).note, "n");
    EXPECT_EQ(some->users.at("a").id, 3);
    EXPECT_EQ(some->users.at("a").name, "");
    EXPECT_EQ(std::get<letter>(some->owner).content, "") << "no alternative fits whole";
    const auto whole = json::decode_tolerant<kept>(R"({"owner":{"id":4,"name":"ann"}})");
    EXPECT_EQ(std::get<user>(whole->owner).name, "ann") << "what fits whole comes first";
}

TEST(json_decode_tolerant, refuses_what_is_of_another_type) {
    EXPECT_EQ(json::decode_tolerant<kept>(R"({"letters":[{"content":1}]})", "rooms").error().text(),
              "letters[0].content: expected string, found number 1");
    EXPECT_EQ(json::decode_tolerant<kept>("[]", "rooms").error().text(),
              "rooms: expected object, found array");
    EXPECT_THAT(json::decode_tolerant<kept>("{").error().text(), StartsWith("body: not JSON"));
}

TEST(json_map, has_keys_that_are_integers) {
    using counts = std::map<std::int32_t, std::string>;
    EXPECT_EQ(json::encode(counts{{-3, "a"}, {12, "b"}}), R"({"-3":"a","12":"b"})");
    EXPECT_EQ(json::decode<counts>(R"({"-3":"a","12":"b"})").value(),
              (counts{{-3, "a"}, {12, "b"}}));
    using big = std::unordered_map<std::uint64_t, bool>;
    EXPECT_EQ(json::decode<big>(R"({"18446744073709551615":true})").value(),
              (big{{18446744073709551615ULL, true}}));
    for (const auto* key : {"x", "1x", " 1", "1.0", "2147483648"}) {
        EXPECT_EQ(problem<counts>(std::string("{\"") + key + "\":\"a\"}"),
                  std::string(key) + ": expected integer from -2147483648 to 2147483647 as key");
    }
}

TEST(json_encode, writes_what_it_reads) {
    group full;
    full.users.push_back({{3}, "ann"});
    full.scores["a"] = 2;
    full.key = "k";
    full.extra.text = "[1]";
    EXPECT_EQ(
        json::encode(full),
        R"({"users":[{"id":3,"name":"ann"}],"scores":{"a":2},"key":"k","tint":"red","extra":[1]})");
    EXPECT_EQ(json::encode(letter{"a", std::nullopt}), R"({"content":"a"})");
    EXPECT_EQ(json::encode(shaddock::nothing{}), "{}");
    EXPECT_EQ(json::encode(std::tuple(1, std::string("b"), true)), R"([1,"b",true])");
}

TEST(json_encode, escapes_controls_quotes_and_characters_old_clients_misread) {
    EXPECT_EQ(json::encode(std::string("a\"b\\c\n\x01/")), R"("a\"b\\c\n\u0001/")");
    EXPECT_EQ(json::encode(std::string("\xe4\xb8\xad")), "\"\xe4\xb8\xad\"");
    EXPECT_EQ(json::encode(std::string("\xf0\x9f\x98\x80")), R"("\ud83d\ude00")");
    EXPECT_EQ(json::encode(std::string("a\xff")), "\"a\xef\xbf\xbd\"");
    EXPECT_EQ(json::encode(std::string("\xed\xa0\xbd\xed\xb8\x80")), R"("\ud83d\ude00")");
}

TEST(json_session_ref, survives_the_way_there_and_back) {
    const shaddock::session_ref ref{"connector-server-1",
                                    shaddock::incarnation{1700000000123456789},
                                    shaddock::session_id{5}, "a*r"};
    EXPECT_EQ(json::decode<shaddock::session_ref>(json::encode(ref)).value(), ref);
}

} // namespace
