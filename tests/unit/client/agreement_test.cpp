#include "client/agreement.hpp"

#include <protocol/dictionary.hpp>
#include <protocol/handshake.hpp>

#include <gmock/gmock.h>

namespace shaddock::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::string_view server_protos = R"({
  "onChat": {"required string msg": 1, "optional uInt32 at": 2},
  "a.b.c": {"repeated message_of_all all": 1, "message inner": {"required double x": 1},
            "repeated inner own": 2},
  "message message_of_all": {"required sInt32 n": 1}
})";
constexpr std::string_view client_protos = R"({"a.b.c": {"required string name": 1}})";

/// What a frontend with everything answers.
std::string whole_answer() {
    const auto dictionary =
        *protocol::route_dictionary::build({"a.b.c", "a.b.d"}, {"onChat", "a.b.c"});
    const auto server = *protocol::proto_set::parse(server_protos);
    const auto client = *protocol::proto_set::parse(client_protos);
    protocol::handshake_response answer;
    answer.heartbeat_s = 3;
    answer.use_dict = true;
    answer.dictionary = dictionary.parts();
    answer.use_proto = true;
    const auto version = protocol::protos_version(client, server, true);
    answer.protos = {server.parsed_json(), client.parsed_json(), version};
    answer.user = R"({"name":"x"})";
    return protocol::handshake_success(answer);
}

agreement whole() {
    auto read = agreement::parse(whole_answer());
    EXPECT_TRUE(read) << read.error().text();
    return *read;
}

TEST(client_agreement, reads_all_that_a_handshake_says) {
    const auto agreed = whole();
    EXPECT_EQ(agreed.heartbeat_s(), 3U);
    EXPECT_THAT(agreed.dictionary(),
                ElementsAre(Pair("a.b.c", 4), Pair("a.b.d", 2), Pair("onChat", 3)));
    EXPECT_THAT(agreed.server_protos(), ElementsAre("onChat", "a.b.c"));
    EXPECT_THAT(agreed.client_protos(), ElementsAre("a.b.c"));
    EXPECT_EQ(agreed.user(), R"({"name":"x"})");
    EXPECT_EQ(
        agreed.dictionary_version(),
        protocol::route_dictionary::build({"a.b.c", "a.b.d"}, {"onChat", "a.b.c"})->version());
}

TEST(client_agreement, writes_codes_and_the_dialect) {
    std::string package;
    ASSERT_TRUE(whole().append_package(package, 7, "a.b.c", R"({"name":"ada"})"));
    const auto cut = protocol::cut_package(package, 1000);
    const auto said = protocol::decode_message(cut.body);
    ASSERT_TRUE(said);
    EXPECT_EQ(said->type, protocol::message_type::request);
    EXPECT_EQ(said->id, 7U);
    EXPECT_EQ(said->route_code, 4);
    EXPECT_EQ(said->body, "\x0a\x03"
                          "ada");
}

TEST(client_agreement, writes_routes_without_a_code_as_text_and_json) {
    std::string package;
    ASSERT_TRUE(whole().append_package(package, 0, "x.y.z", "[1]"));
    const auto said = protocol::decode_message(protocol::cut_package(package, 1000).body);
    EXPECT_EQ(said->type, protocol::message_type::notify);
    EXPECT_EQ(said->route, "x.y.z");
    EXPECT_EQ(said->body, "[1]");
}

TEST(client_agreement, refuses_what_does_not_fit) {
    std::string package;
    const auto written = whole().append_package(package, 1, "a.b.c", R"({"nam":"ada"})");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().text(), HasSubstr("a.b.c: the body does not fit the proto"));
    EXPECT_THAT(written.error().text(), HasSubstr("name"));
    EXPECT_FALSE(whole().append_package(package, 1, std::string(256, 'a'), "{}"));
    EXPECT_THAT(package, IsEmpty());
}

TEST(client_agreement, reads_answers_in_the_dialect_with_nested_messages) {
    const auto agreed = whole();
    // all: [{n: -1}], own: [{x: 0}]
    const std::string bytes("\x0a\x02\x08\x01\x12\x09\x09\0\0\0\0\0\0\0\0", 15);
    const auto body = agreed.read_answer("a.b.c", bytes);
    ASSERT_TRUE(body) << body.error().text();
    EXPECT_EQ(*body, R"({"all":[{"n":-1}],"own":[{"x":0}]})");
    EXPECT_EQ(*agreed.read_answer("a.b.d", "{}"), "{}");
    EXPECT_FALSE(agreed.read_answer("a.b.c", "\xff"));
}

protocol::message push_of(std::uint16_t code, std::string_view route, std::string_view body) {
    return {.type = protocol::message_type::push, .route_code = code, .route = route, .body = body};
}

TEST(client_agreement, reads_pushes_by_code_and_by_text) {
    const auto agreed = whole();
    const auto coded = agreed.read_push(push_of(3, "", "\x0a\x02hi"));
    ASSERT_TRUE(coded);
    EXPECT_EQ(coded->route, "onChat");
    EXPECT_EQ(coded->body, R"({"msg":"hi"})");
    EXPECT_EQ(agreed.read_push(push_of(1, "", "\x0a\x02\x08\x01"))->route, "a.b.c")
        << "a route's first code is understood, too";
    EXPECT_EQ(agreed.read_push(push_of(0, "onAdd", "{}"))->body, "{}");
    EXPECT_THAT(agreed.read_push(push_of(9, "", "")).error().text(), HasSubstr("the code 9"));
}

TEST(client_agreement, takes_a_handshake_without_anything) {
    const auto agreed = agreement::parse(R"({"code":200,"sys":{}})");
    ASSERT_TRUE(agreed);
    EXPECT_EQ(agreed->heartbeat_s(), 0U);
    EXPECT_THAT(agreed->dictionary(), IsEmpty());
    EXPECT_TRUE(agreement::parse(R"({"code":200})"));
    EXPECT_EQ(agreement::parse(R"({"code":200,"sys":{"dict":{"a.b.c":5}}})")->dictionary().size(),
              1U)
        << "old servers send nothing but dict";
}

TEST(client_agreement, says_why_it_cannot_be) {
    const auto text_of = [](std::string_view body) {
        const auto read = agreement::parse(body);
        return read ? std::string() : read.error().text();
    };
    EXPECT_THAT(text_of(R"({"code":500})"), HasSubstr("the code 500, expected 200"));
    EXPECT_THAT(text_of(R"({"code":501})"), HasSubstr("wants another client"));
    EXPECT_THAT(text_of("{}"), HasSubstr("without a code"));
    EXPECT_THAT(text_of("no json"), HasSubstr("without a code"));
    EXPECT_THAT(text_of(R"({"code":200,"sys":{"protos":{"server":{"r":{"f":{"option":"required",)"
                        R"("type":"uInt64","tag":1}}}}}})"),
                HasSubstr("protos of the server"));
}

} // namespace
} // namespace shaddock::client
