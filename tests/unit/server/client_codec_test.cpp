#include "client_codec.hpp"

#include "base/log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace shaddock::server {
namespace {

using protocol::message_type;

std::shared_ptr<const protocol::protos> protos_of(std::string_view server,
                                                  std::string_view client = "{}") {
    auto made = std::make_shared<protocol::protos>();
    made->server = *protocol::proto_set::parse(server);
    made->client = *protocol::proto_set::parse(client);
    made->version = "v";
    return made;
}
std::shared_ptr<const protocol::route_dictionary> dictionary() {
    auto made = protocol::route_dictionary::build({"chat.chatHandler.send"}, {"onChat"});
    return std::make_shared<protocol::route_dictionary>(std::move(*made));
}
/// The message in a data package.
protocol::message message_in(std::string_view package) {
    return protocol::decode_message(package.substr(protocol::package_header_bytes)).value();
}

constexpr auto chat_proto = R"({"onChat":{"required string msg":1}})";
const agreement plain{};

TEST(client_codec, reads_a_text_route_and_json_as_they_are) {
    const client_codec codec(nullptr);
    client_request got;
    codec.read({.id = 7, .route = "a.b.c", .body = "{\"x\":1}"}, plain, got);
    EXPECT_EQ(got.id, 7u);
    EXPECT_EQ(got.route, "a.b.c");
    EXPECT_EQ(got.body, "{\"x\":1}");
    EXPECT_FALSE(got.refused);
}

TEST(client_codec, gives_a_notify_no_id) {
    const client_codec codec(nullptr);
    client_request got;
    codec.read({.type = message_type::notify, .id = 7, .route = "a.b.c", .body = {}}, plain, got);
    EXPECT_EQ(got.id, 0u);
}

TEST(client_codec, turns_codes_into_routes_and_refuses_unknown_ones) {
    const client_codec codec(dictionary());
    client_request known;
    codec.read({.id = 1, .route_code = 1, .route = {}, .body = "{}"}, plain, known);
    EXPECT_EQ(known.route, "chat.chatHandler.send");
    EXPECT_FALSE(known.refused);
    client_request unknown;
    codec.read({.id = 1, .route_code = 3, .route = {}, .body = "{}"}, plain, unknown);
    ASSERT_TRUE(unknown.refused);
    EXPECT_EQ(unknown.refused->code(), errc::unknown_route);
    client_request without;
    client_codec(nullptr).read({.id = 1, .route_code = 1, .route = {}, .body = "{}"}, plain,
                               without);
    EXPECT_TRUE(without.refused);
}

TEST(client_codec, reads_a_body_by_the_client_proto_of_its_route) {
    const client_codec codec(dictionary());
    const agreement agreed{protos_of("{}", R"({"chat.chatHandler.send":{"required uInt32 n":1}})"),
                           std::nullopt};
    client_request got;
    // Wire type 2 for an integer, as the browser client labels it.
    codec.read({.id = 1, .route_code = 1, .route = {}, .body = "\x0a\x05"}, agreed, got);
    EXPECT_EQ(got.body, R"({"n":5})");
    client_request other;
    codec.read({.id = 1, .route = "a.b.c", .body = "{\"n\":6}"}, agreed, other);
    EXPECT_EQ(other.body, "{\"n\":6}");
    client_request malformed;
    codec.read({.id = 1, .route_code = 1, .route = {}, .body = "\x12\x05"}, agreed, malformed);
    EXPECT_TRUE(malformed.is_misread);
    ASSERT_TRUE(malformed.refused);
    EXPECT_EQ(malformed.refused->code(), errc::bad_request);
    EXPECT_EQ(malformed.id, 1U);
}

TEST(client_codec, answers_in_json_unless_the_request_has_a_server_proto) {
    const client_codec codec(dictionary());
    std::string package;
    codec.write_response(package, plain, 300, "a.b.c", door::body("{\"x\":1}"));
    EXPECT_EQ(package, std::string("\x04\0\0\x0a\x04\xac\x02{\"x\":1}", 14));
    codec.write_response(package, plain, 1, "a.b.c", door::body(""));
    EXPECT_EQ(message_in(package).body, "{}");
    codec.write_response(package, plain, 1, "a.b.c", error(errc::refused, "no", 403));
    EXPECT_EQ(message_in(package).body, R"({"code":403})");

    const agreement agreed{
        protos_of(R"({"a.b.c":{"optional uInt32 code":1,"optional string x":2}})"), std::nullopt};
    codec.write_response(package, agreed, 1, "a.b.c", door::body(R"({"x":"y"})"));
    EXPECT_EQ(message_in(package).body, "\x12\x01y");
    codec.write_response(package, agreed, 1, "a.b.c", error(errc::no_server, "none"));
    EXPECT_EQ(message_in(package).body, "\x08\xf4\x03");
    codec.write_response(package, agreed, 1, "a.b.d", door::body(R"({"x":"y"})"));
    EXPECT_EQ(message_in(package).body, R"({"x":"y"})");
}

TEST(client_codec, answers_500_where_an_answer_does_not_fit_a_package) {
    std::string package;
    client_codec(nullptr).write_response(
        package, plain, 1, "a.b.c", door::body(std::string(protocol::max_package_body_bytes, ' ')));
    EXPECT_EQ(message_in(package).body, R"({"code":500})");
}

TEST(client_codec, pushes_with_a_code_where_the_dictionary_has_one) {
    const client_codec codec(dictionary());
    std::string package;
    ASSERT_TRUE(codec.write_push(package, nullptr, "onChat", "{}"));
    EXPECT_EQ(message_in(package).route_code, 2);
    ASSERT_TRUE(codec.write_push(package, nullptr, "onAdd", "{}"));
    EXPECT_EQ(message_in(package).route, "onAdd");
    EXPECT_FALSE(codec.write_push(package, nullptr, std::string(256, 'r'), "{}"));
}

TEST(client_codec, pushes_an_empty_body_where_the_proto_does_not_fit) {
    const client_codec codec(nullptr);
    const auto protos = protos_of(chat_proto);
    std::string package;
    ASSERT_TRUE(
        codec.write_push(package, protos->server.find("onChat"), "onChat", R"({"from":"x"})"));
    EXPECT_EQ(package, std::string("\x04\0\0\x08\x06\x06onChat", 12));
}

// Every request of a client can end in an error that the proto of its answer cannot say.
TEST(client_codec, logs_what_does_not_fit_ever_more_rarely) {
    std::string folder = ::testing::TempDir() + "client_codec_XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    base::log::options wanted;
    wanted.file = folder + "/log";
    wanted.console = false;
    base::log::start("test", wanted);

    const client_codec codec(nullptr);
    const agreement agreed{
        protos_of(R"({"a.b.c":{"required string x":1},"a.b.d":{"required string x":1}})"),
        std::nullopt};
    std::string package;
    for (int i = 0; i < 100; ++i) {
        codec.write_response(package, agreed, 1, "a.b.c", error(errc::bad_request, "no"));
    }
    codec.write_response(package, agreed, 1, "a.b.d", error(errc::bad_request, "no"));
    EXPECT_EQ(message_in(package).body, "");

    base::log::start("test", {});
    std::ifstream file(wanted.file);
    std::vector<std::string> told;
    for (std::string line; std::getline(file, line);) {
        told.push_back(line.substr(line.find('\'')));
    }
    std::filesystem::remove_all(folder);
    ASSERT_EQ(told.size(), 4u);
    EXPECT_TRUE(told[0].starts_with("'a.b.c'") && told[0].ends_with("(1 times so far)")) << told[0];
    EXPECT_TRUE(told[1].ends_with("(10 times so far)")) << told[1];
    EXPECT_TRUE(told[2].ends_with("(100 times so far)")) << told[2];
    EXPECT_TRUE(told[3].starts_with("'a.b.d'")) << told[3];
}

TEST(push_forms, make_each_form_once) {
    const client_codec codec(nullptr);
    std::string scratch;
    push_forms forms(codec, "onChat", R"({"msg":"hi"})", scratch);
    const agreement old{protos_of(chat_proto), std::nullopt};
    const agreement now{protos_of(R"({"onChat":{"required string msg":2}})"), std::nullopt};
    const agreement silent{protos_of("{}"), std::nullopt};

    const auto* first = forms.form_for(old);
    const auto* second = forms.form_for(now);
    const auto* third = forms.form_for(plain);
    EXPECT_TRUE(first->bytes.ends_with("onChat\x0a\x02hi"));
    EXPECT_TRUE(second->bytes.ends_with("onChat\x12\x02hi"));
    EXPECT_TRUE(third->bytes.ends_with(R"(onChat{"msg":"hi"})"));
    EXPECT_EQ(forms.form_for(old), first);
    EXPECT_EQ(forms.form_for(now), second);
    EXPECT_EQ(forms.form_for(silent), third) << "no proto of this route: JSON, as without protos";
}

TEST(push_forms, are_none_where_the_push_cannot_be_sent) {
    const client_codec codec(nullptr);
    std::string scratch;
    const std::string route(256, 'r');
    push_forms forms(codec, route, "{}", scratch);
    EXPECT_EQ(forms.form_for(plain), nullptr);
    EXPECT_EQ(forms.form_for(plain), nullptr);
}

} // namespace
} // namespace shaddock::server
