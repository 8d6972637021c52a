#include <protocol/handshake.hpp>

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

TEST(handshake_request, reads_what_the_js_client_sends) {
    const auto request = parse_handshake_request(
        R"({"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":0},"user":{"a":[1,"}"]}})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->client_type, "js-websocket");
    EXPECT_EQ(request->client_version, "0.0.1");
    EXPECT_EQ(request->rsa, "{}");
    EXPECT_FALSE(request->proto_version);
    EXPECT_FALSE(request->dict_version);
    EXPECT_EQ(request->user, R"({"a":[1,"}"]})");
}

TEST(handshake_request, reads_cached_versions_in_any_order) {
    const auto request = parse_handshake_request(
        "\n{ \"user\" : null , \"sys\" : { \"dictVersion\" : \"d==\" , \"x\" : { \"type\" : 1 } ,\n"
        "\"protoVersion\" : \"\" , \"rsa\" : { \"rsa_n\" : \"ab\" , \"rsa_e\" : 65537 } } } ");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->dict_version, "d==");
    EXPECT_EQ(request->proto_version, "");
    EXPECT_EQ(request->rsa, R"({ "rsa_n" : "ab" , "rsa_e" : 65537 })");
    EXPECT_EQ(request->user, "null");
    EXPECT_EQ(request->client_type, "");
}

TEST(handshake_request, keeps_every_kind_of_user_as_it_was_written) {
    for (const std::string user : {"null", "true", "false", "0", "-1.50e+300", "\"a:\\\"b\\u4f60\"",
                                   "[]", "[ 1 , [ 2 ] ]", "{}", "{\"sys\":null}", "\": x\""}) {
        const auto before = parse_handshake_request("{\"user\": " + user + " ,\"sys\":{}}");
        ASSERT_TRUE(before) << user;
        EXPECT_EQ(before->user, user);
        const auto last =
            parse_handshake_request("{\"sys\":{\"rsa\":" + user + "},\"user\":" + user + "}");
        ASSERT_TRUE(last) << user;
        EXPECT_EQ(last->user, user);
        EXPECT_EQ(last->rsa, user);
    }
    EXPECT_EQ(parse_handshake_request(R"({"sys":{}})")->user, "");
}

TEST(handshake_request, takes_the_last_of_doubled_keys) {
    const auto request = parse_handshake_request(
        R"({"sys":{"type":"a","version":"1"},"user":1,"sys":{"type":"b"},"user":2})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->client_type, "b");
    EXPECT_EQ(request->client_version, "");
    EXPECT_EQ(request->user, "2");
    EXPECT_FALSE(parse_handshake_request(R"({"sys":{},"sys":null})"));
}

TEST(handshake_request, needs_an_object_sys) {
    for (const auto* body :
         {"{}", R"({"user":{"sys":{}}})", R"({"sys":null})", R"({"sys":false})", R"({"sys":0})",
          R"({"sys":-0.0e5})", R"({"sys":""})", "null", "[]", R"([{"sys":{}}])", "1", "\"sys\"",
          R"(["sys",{}])", R"({"sys":1})", R"({"sys":true})", R"({"sys":"x"})", R"({"sys":[]})",
          R"({"sys":[{}]})", R"({"sys":{},"sys":1})"}) {
        const auto request = parse_handshake_request(body);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().code(), errc::bad_request);
    }
    for (const auto* body : {R"({"sys":{}})", R"({"sys":{"type":[]}})", R"({"sys":1,"sys":{}})"}) {
        EXPECT_TRUE(parse_handshake_request(body)) << body;
    }
}

TEST(handshake_request, refuses_what_is_no_json) {
    using namespace std::string_view_literals;
    for (const auto body :
         {""sv, " "sv, "{"sv, R"({"sys":{})"sv, R"({"sys":{}}x)"sv, R"({"sys":{},})"sv,
          "{\"sys\":{}}\0"sv, "{\"sys\":{}}\0x"sv, "\0"sv, "\xef\xbb\xbf{\"sys\":{}}"sv,
          R"({'sys':{}})"sv, R"({"sys":{}} {"sys":{}})"sv}) {
        EXPECT_FALSE(parse_handshake_request(body)) << body;
    }
}

TEST(handshake_request, refuses_deep_nesting) {
    const auto nested = [](int depth) {
        std::string body = R"({"sys":{},"user":)";
        body += std::string(static_cast<std::size_t>(depth), '[');
        body += std::string(static_cast<std::size_t>(depth), ']');
        return body + '}';
    };
    EXPECT_TRUE(parse_handshake_request(nested(max_handshake_depth - 1)));
    EXPECT_FALSE(parse_handshake_request(nested(max_handshake_depth)));
    EXPECT_FALSE(parse_handshake_request(nested(60'000)));
    EXPECT_FALSE(parse_handshake_request(std::string(60'000, '{')));
}

TEST(handshake_response, leaves_out_what_does_not_apply) {
    EXPECT_EQ(handshake_success({}), R"({"code":200,"sys":{}})");
    handshake_response response;
    response.heartbeat_s = 30;
    response.user = R"({"x":1})";
    EXPECT_EQ(handshake_success(response), R"({"code":200,"sys":{"heartbeat":30},"user":{"x":1}})");
    EXPECT_EQ(handshake_failure(501), R"({"code":501})");
}

TEST(handshake_request_body, is_read_back) {
    handshake_request request;
    request.client_type = "load \"x\"";
    request.client_version = "1";
    EXPECT_EQ(handshake_request_body(request),
              R"({"sys":{"type":"load \"x\"","version":"1","rsa":{}}})");
    request.proto_version = "p";
    request.dict_version = "d";
    request.user = "[1]";
    request.rsa = R"({"rsa_e":3})";
    const auto read = parse_handshake_request(handshake_request_body(request)).value();
    EXPECT_EQ(read.client_type, request.client_type);
    EXPECT_EQ(read.client_version, request.client_version);
    EXPECT_EQ(read.proto_version, request.proto_version);
    EXPECT_EQ(read.dict_version, request.dict_version);
    EXPECT_EQ(read.user, request.user);
    EXPECT_EQ(read.rsa, request.rsa);
}

} // namespace
} // namespace shaddock::protocol
