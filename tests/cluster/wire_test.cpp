#include "cluster.hpp"

#include <fstream>
#include <functional>
#include <sstream>

/// What clients and a frontend agree on in the handshake, and what they then send each other.
namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;
using namespace std::string_view_literals;

constexpr auto chat_proto =
    R"({"onChat":{"required string msg":1,"required string from":2,"required string target":3}})";

std::shared_ptr<const protocol::protos> protos_of(std::string_view server,
                                                  std::string_view client = "{}") {
    auto made = std::make_shared<protocol::protos>();
    made->server = *protocol::proto_set::parse(server);
    made->client = *protocol::proto_set::parse(client);
    made->version = protocol::protos_version(made->client, made->server, true);
    return made;
}
std::shared_ptr<const protocol::route_dictionary> dictionary_of(std::vector<std::string> extra) {
    auto made = protocol::route_dictionary::build(
        {"gate.gateHandler.queryEntry", "connector.entryHandler.enter", "chat.chatHandler.send"},
        extra);
    return std::make_shared<protocol::route_dictionary>(std::move(*made));
}

/// The chat as the original demo is set up.
system::shape demo(std::vector<std::string> extra = {}) {
    return {.adjust = [extra](server::server_options& options) {
        options.protos = protos_of(chat_proto);
        if (options.self.type == "connector") {
            options.listener->heartbeat = 3s;
            options.dictionary = dictionary_of(extra);
        }
    }};
}

TEST(wire_forms, speak_the_original_demos_dictionary_and_protobuf) {
    system all(demo());
    auto& alice = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.last_handshake,
              R"({"code":200,"sys":{"heartbeat":3,"dict":{"chat.chatHandler.send":1,)"
              R"("connector.entryHandler.enter":2,"gate.gateHandler.queryEntry":3},)"
              R"("routeToCode":{"chat.chatHandler.send":1,"connector.entryHandler.enter":2,)"
              R"("gate.gateHandler.queryEntry":3},"codeToRoute":{"1":"chat.chatHandler.send",)"
              R"("2":"connector.entryHandler.enter","3":"gate.gateHandler.queryEntry"},)"
              R"("dictVersion":"s2r1qfKDrbhWCkA6uf+PTA==","useDict":true,"protos":{"server":)"
              R"({"onChat":{"msg":{"option":"required","type":"string","tag":1},"from":{"option":)"
              R"("required","type":"string","tag":2},"target":{"option":"required","type":)"
              R"("string","tag":3},"__messages":{},"__tags":{"1":"msg","2":"from",)"
              R"("3":"target"}}},"client":{},"version":"2zWPnSlRsRxjqgcU215Uxg=="},)"
              R"("useProto":true}})");
    auto& bob = all.connect("connector-server-2");
    std::string by_code;
    ASSERT_TRUE(protocol::append_message_package(
        by_code,
        {.id = 1, .route_code = 2, .route = {}, .body = R"({"username":"bob","rid":"room"})"}));
    bob.next_id = 2;
    bob.link->write_frame(by_code);
    EXPECT_EQ(all.answer(bob, 1), R"({"users":["alice","bob"]})");
    EXPECT_EQ(all.pushes(alice, 1), texts{R"(onAdd {"route":"onAdd","user":"bob"})"});

    EXPECT_EQ(all.say(alice, "hi 你好"), "{}");
    const auto heard = texts{"onChat \x0a\x09hi 你好\x12\x05"
                             "alice\x1a\x01*"};
    EXPECT_EQ(all.pushes(bob, 1), heard);
    EXPECT_EQ(all.pushes(alice, 1), heard);
}

TEST(wire_forms, tell_versions_only_to_those_who_do_not_have_them) {
    system all(demo());
    all.connect("connector-server-1", R"({"sys":{"protoVersion":"2zWPnSlRsRxjqgcU215Uxg==",)"
                                      R"("dictVersion":"s2r1qfKDrbhWCkA6uf+PTA=="}})");
    EXPECT_EQ(all.last_handshake,
              R"({"code":200,"sys":{"heartbeat":3,"useDict":true,"useProto":true}})");
    all.connect("gate-server-1", R"({"sys":{"protoVersion":"2zWPnSlRsRxjqgcU215Uxg=="}})");
    EXPECT_EQ(all.last_handshake, R"({"code":200,"sys":{"useProto":true}})");
    all.connect("connector-server-1", R"({"sys":{"protoVersion":"old","dictVersion":"old"}})");
    EXPECT_NE(all.last_handshake.find("dictVersion"), std::string::npos);
    EXPECT_NE(all.last_handshake.find("protos"), std::string::npos);
}

TEST(wire_forms, push_with_codes_and_refuse_unknown_ones) {
    system all(demo({"onChat", "onAdd"}));
    auto& alice = all.enter("connector-server-1", "alice", "room");
    all.enter("connector-server-2", "bob", "room");
    EXPECT_EQ(all.pushes(alice, 1), texts{R"(#5 {"route":"onAdd","user":"bob"})"});
    std::string unknown;
    ASSERT_TRUE(protocol::append_message_package(
        unknown, {.id = 900, .route_code = 77, .route = {}, .body = "{}"}));
    alice.link->write_frame(unknown);
    EXPECT_EQ(all.answer(alice, 900), R"({"code":500})");
}

TEST(wire_forms, new_protos_are_for_those_who_come_later) {
    system all(demo());
    auto& alice = all.enter("connector-server-1", "alice", "room");
    all.at("connector-server-1")
        .use_protos(protos_of(R"({"onChat":{"required string from":1,"required string msg":9}})"));
    auto& bob = all.enter("connector-server-1", "bob", "room");
    EXPECT_NE(all.last_handshake.find(R"("tag":9)"), std::string::npos);
    (void)all.pushes(alice, 1);
    EXPECT_EQ(all.say(bob, "hi"), "{}");
    EXPECT_EQ(all.pushes(alice, 1), texts{"onChat \x0a\x02hi\x12\x03"
                                          "bob\x1a\x01*"});
    EXPECT_EQ(all.pushes(bob, 1), texts{"onChat \x4a\x02hi\x0a\x03"
                                        "bob"});
}

TEST(wire_forms, requests_in_protobuf_arrive_as_json_and_malformed_ones_are_answered) {
    system all({.adjust = [](server::server_options& options) {
        options.protos = protos_of(
            "{}",
            R"({"chat.chatHandler.send":{"required string content":1,"required string target":2}})");
    }});
    auto& alice = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.ask(alice, "chat.chatHandler.send", "\x0a\x02hi\x12\x01*"), "{}");
    EXPECT_EQ(all.pushes(alice, 1), texts{R"(onChat {"msg":"hi","from":"alice","target":"*"})"});
    // Without its fields the request is refused, as with JSON.
    EXPECT_EQ(all.ask(alice, "chat.chatHandler.send", ""), R"({"code":500})");
    EXPECT_EQ(all.ask(alice, "chat.chatHandler.send", "\x0a\x7fhi"), R"({"code":500})");
    alice.send("chat.chatHandler.send", "\x0a\x7fhi", protocol::message_type::notify);
    EXPECT_EQ(all.ask(alice, "chat.chatHandler.send", "\x0a\x02ho\x12\x01*"), "{}");
}

TEST(wire_forms, ids_come_back_as_they_were_and_larger_ones_close) {
    system all;
    auto& client = all.connect("gate-server-1");
    const auto write = [&](std::string_view bytes_of_id) {
        std::string message("\x00", 1);
        message.append(bytes_of_id);
        message += "\x1bgate.gateHandler.queryEntry{\"uid\":\"a\"}";
        client.link->write_package(protocol::package_type::data, message);
    };
    for (const std::uint32_t id : {1U, 127U, 128U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
        std::string package;
        ASSERT_TRUE(protocol::append_message_package(
            package, {.id = id, .route = "gate.gateHandler.queryEntry", .body = R"({"uid":"a"})"}));
        client.link->write_frame(package);
        EXPECT_TRUE(all.answer(client, id).starts_with(R"({"code":200)")) << id;
    }
    client.answers.clear();
    write("\x81\x80\x80\x80\x00"sv); // 1, in more bytes than it needs
    EXPECT_TRUE(all.answer(client, 1).starts_with(R"({"code":200)"));
    client.answers.clear();
    const auto served = all.at("gate-server-1").now().requests;
    write("\x00"sv); // a notify
    EXPECT_TRUE(all.until([&] { return all.at("gate-server-1").now().requests > served; }));
    all.settle();
    EXPECT_TRUE(client.answers.empty());
    EXPECT_FALSE(client.link->is_ended);
    write("\x80\x80\x80\x80\x10"sv); // 2^32
    EXPECT_TRUE(all.until([&] { return client.link->is_ended; }));
    EXPECT_EQ(client.link->close_code, 1002);
}

TEST(wire_forms, signed_bodies_reach_handlers_and_others_are_refused) {
    // A key pair and a signature of the original's own making.
    std::ifstream file(std::string(SHADDOCK_TEST_SOURCE_DIR) + "/tests/vectors/handshake.json");
    std::stringstream text;
    text << file.rdbuf();
    const auto member = [&](std::string_view name) {
        const auto at = text.str().find(fmt::format("\"{}\":", name)) + name.size() + 3;
        const auto begin = text.str().find('"', at) + 1;
        return text.str().substr(begin, text.str().find('"', begin) - begin);
    };
    const auto rsa =
        fmt::format(R"({{"sys":{{"rsa":{{"rsa_n":"{}","rsa_e":65537}}}}}})", member("rsa_n"));
    const auto signature = member("signatureHex");
    system all({.adjust = [](server::server_options& options) { options.crypto = true; }});

    auto& client = all.connect("gate-server-1", rsa);
    const auto ask = [&](std::string_view body) {
        return all.ask(client, "gate.gateHandler.queryEntry", body);
    };
    const auto signed_body = fmt::format(R"({{"a":1,"b":"x","__crypto__":"{}"}})", signature);
    // Reaches the handler, which misses a uid; what is not signed does not even get there.
    EXPECT_EQ(ask(signed_body), R"({"code":500})");
    EXPECT_EQ(all.at("gate-server-1").now().requests, 1U);
    EXPECT_EQ(ask(R"({"a":1,"b":"x"})"), R"({"code":500})");
    EXPECT_EQ(ask(fmt::format(R"({{"a":2,"b":"x","__crypto__":"{}"}})", signature)),
              R"({"code":500})");
    EXPECT_EQ(all.at("gate-server-1").now().requests, 1U);

    auto& keyless = all.open("gate-server-1");
    EXPECT_EQ(all.shake(keyless, R"({"sys":{"rsa":{}}})"), R"({"code":500})");
    EXPECT_TRUE(all.until([&] { return keyless.is_ended; }));
}

// ---- hooks of plugins ----

/// A frontend that keeps who asks waiting until the test has an answer.
struct doorkeeper final : door::plugin, door::handshake_hook {
    result<bool> accepts(const door::client_info& client) noexcept override {
        if (client.type == "broken") {
            return error(errc::internal, "cannot tell");
        }
        return client.version >= "1.0";
    }
    void shake_hands(const door::client_info& client,
                     std::unique_ptr<door::completion> done) noexcept override {
        seen.emplace_back(client.user);
        waiting.push_back(std::move(done));
    }
    std::vector<std::string> seen;
    std::vector<std::unique_ptr<door::completion>> waiting;
};
doorkeeper* keeper = nullptr;

const door::plugin_door& keeper_door() {
    static const door::plugin_door door{
        sizeof(door::plugin_door),
        door::sdk_abi,
        "",
        "probe",
        "1",
        "b",
        nullptr,
        [](door::host&, door::registration& into, std::string*) -> door::plugin* {
            keeper = new doorkeeper;
            into.handshake(keeper);
            return keeper;
        },
        [](door::plugin*) { delete std::exchange(keeper, nullptr); }};
    return door;
}

struct handshake_hooks : testing::Test {
    system all{system::shape{
        .connectors = 1, .chats = 1, .probe = &keeper_door(), .is_probe_frontend = true}};

    net::testing::client& asking(std::string_view user) {
        auto& link = all.open("probe-server-1");
        link.write_package(
            protocol::package_type::handshake,
            fmt::format(R"({{"sys":{{"type":"t","version":"1.0"}},"user":{}}})", user));
        const auto before = keeper->waiting.size();
        EXPECT_TRUE(all.until([&] { return keeper->waiting.size() > before; }));
        return link;
    }
    std::string answer(net::testing::client& link, result<door::body> word) {
        keeper->waiting.back()->done(std::move(word));
        EXPECT_TRUE(all.until([&] { return !link.packages.empty(); }));
        return link.packages.front().body;
    }
};

TEST_F(handshake_hooks, give_clients_user_data) {
    auto& link = asking(R"({"token":"t"})");
    EXPECT_EQ(keeper->seen.back(), R"({"token":"t"})");
    EXPECT_TRUE(link.packages.empty()) << "nobody has decided yet";
    EXPECT_EQ(answer(link, door::body(R"({"name":"ann"})")),
              R"({"code":200,"sys":{},"user":{"name":"ann"}})");
    for (const auto* falsy : {"", "null", "false", "0", "\"\""}) {
        EXPECT_EQ(answer(asking("1"), door::body(falsy)), R"({"code":200,"sys":{}})") << falsy;
    }
}

TEST_F(handshake_hooks, refuse_clients) {
    auto& banned = asking("1");
    EXPECT_EQ(answer(banned, error(errc::application, "no")), R"({"code":500})");
    EXPECT_TRUE(all.until([&] { return banned.is_ended; }));
    EXPECT_EQ(answer(asking("1"), error(errc::application, "no", 501)), R"({"code":501})");
    EXPECT_EQ(answer(asking("1"), error(errc::application, "no", 200)), R"({"code":500})");
    EXPECT_EQ(all.shake(all.open("probe-server-1"), R"({"sys":{"version":"0.9"}})"),
              R"({"code":501})");
    EXPECT_EQ(all.shake(all.open("probe-server-1"), R"({"sys":{"type":"broken"}})"),
              R"({"code":500})");
}

TEST(handshake_greetings, are_bounded_also_when_their_clients_have_gone) {
    system all({.connectors = 1,
                .chats = 1,
                .probe = &keeper_door(),
                .is_probe_frontend = true,
                .adjust = [](server::server_options& options) {
                    if (options.listener) {
                        options.listener->connections_limit = 3;
                    }
                }});
    constexpr auto hello = R"({"sys":{"type":"t","version":"1.0"}})";
    for (std::size_t i = 1; i <= 3; ++i) {
        auto& impatient = all.open("probe-server-1");
        impatient.write_package(protocol::package_type::handshake, hello);
        ASSERT_TRUE(all.until([&] { return keeper->waiting.size() == i; }));
        impatient.drop();
        ASSERT_TRUE(all.until([&] { return all.at("probe-server-1").now().connections == 0; }));
    }
    EXPECT_EQ(all.shake(all.open("probe-server-1"), hello), R"({"code":500})");
    keeper->waiting.pop_back(); // a hook ends
    auto& next = all.open("probe-server-1");
    next.write_package(protocol::package_type::handshake, hello);
    EXPECT_TRUE(all.until([&] { return keeper->waiting.size() == 3; }));
}

TEST_F(handshake_hooks, that_never_answer_are_answered_for) {
    auto& link = asking("1");
    keeper->waiting.clear();
    ASSERT_TRUE(all.until([&] { return !link.packages.empty(); }));
    EXPECT_EQ(link.packages.front().body, R"({"code":500})");
    // One that still thinks when the server stops is left alone; nothing may break.
    asking("1");
}

} // namespace
} // namespace shaddock::cluster_test
