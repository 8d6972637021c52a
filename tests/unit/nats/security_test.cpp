#include "client.hpp"
#include "nkey.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <optional>

namespace shaddock::test {

namespace {

/// A key pair of the example in the documentation of NATS.
constexpr auto nkey = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
constexpr auto nkey_seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

class nats_security : public testing::Test {
protected:
    loop in;

    static std::filesystem::path write(const nats_server& beside, const std::string& name,
                                       std::string_view text) {
        const auto file = beside.folder() / name;
        std::ofstream(file) << text;
        return file;
    }
    /// `NAME.pem` and `NAME.key` in the server's folder, signed by `ca`.
    static void certify(const nats_server& beside, std::string_view name, std::string_view alt) {
        const auto folder = beside.folder().string();
        const auto run = [&](const std::string& command) {
            ASSERT_EQ(std::system(fmt::format("cd {} && {} 2>/dev/null", folder, command).c_str()),
                      0)
                << command;
        };
        if (!std::filesystem::exists(beside.folder() / "ca.pem")) {
            run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                "-subj /CN=ca -keyout ca.key -out ca.pem");
        }
        run(fmt::format("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
                        "/CN={0} -keyout {0}.key -out {0}.csr",
                        name));
        write(beside, "alt", fmt::format("subjectAltName={}\n", alt));
        run(fmt::format("openssl x509 -req -days 2 -in {0}.csr -CA ca.pem -CAkey ca.key "
                        "-CAcreateserial -extfile alt -out {0}.pem",
                        name));
    }
    static std::string tls_of(const nats_server& server, std::string_view more) {
        return fmt::format(
            "tls {{ cert_file: \"{0}/server.pem\", key_file: \"{0}/server.key\"{1} }}",
            server.folder().string(), more);
    }
    bool gets_in(const nats::options& wanted) {
        client one(in, wanted);
        const auto started = one.to.start();
        EXPECT_TRUE(started) << started.error().text();
        EXPECT_TRUE(in.runs_until([&] { return one.to.is_up() || !one.to.trouble().empty(); }));
        EXPECT_EQ(one.to.trouble().find("secret"), std::string::npos) << one.to.trouble();
        return one.to.is_up();
    }
    bool answers(const nats::options& wanted) {
        client one(in, wanted);
        std::string heard;
        EXPECT_TRUE(one.to.start());
        const auto at =
            one.to.subscribe("a", [&](nats::message got) { heard = std::move(got.bytes); });
        EXPECT_TRUE(in.runs_until([&] { return one.to.is_up(); })) << one.to.trouble();
        const std::string big(300 * 1000, 'x');
        EXPECT_TRUE(one.to.publish("a", {}, big));
        return in.runs_until([&] { return heard == big; });
    }
};

} // namespace

TEST_F(nats_security, speaks_tls_with_a_server_that_shows_a_certificate_of_its_name) {
    nats_server server({.has_jetstream = false});
    certify(server, "server", "IP:127.0.0.1");
    server.stop();
    server.start_with(tls_of(server, ""));
    auto wanted = options_for(server);
    wanted.tls.is_on = true;
    EXPECT_FALSE(gets_in(wanted)) << "the system does not know who signed it";
    wanted.tls.ca = server.folder() / "ca.pem";
    EXPECT_TRUE(answers(wanted));
    wanted.tls.server_name = "somebody.else";
    EXPECT_FALSE(gets_in(wanted));
    wanted.tls = {};
    wanted.tls.is_on = true;
    wanted.tls.is_verified = false;
    EXPECT_TRUE(answers(wanted));
    wanted.servers = {"tls://127.0.0.1:" + std::to_string(server.port())};
    wanted.tls = {};
    wanted.tls.ca = server.folder() / "ca.pem";
    EXPECT_TRUE(answers(wanted));
}

TEST_F(nats_security, shows_a_certificate_where_the_server_asks_for_one) {
    nats_server server({.has_jetstream = false});
    certify(server, "server", "IP:127.0.0.1");
    certify(server, "client", "DNS:client");
    server.stop();
    server.start_with(tls_of(
        server, fmt::format(", ca_file: \"{}/ca.pem\", verify: true", server.folder().string())));
    auto wanted = options_for(server);
    wanted.tls.ca = server.folder() / "ca.pem";
    wanted.tls.is_on = true;
    EXPECT_FALSE(gets_in(wanted));
    wanted.tls.certificate = server.folder() / "client.pem";
    wanted.tls.key = server.folder() / "client.key";
    EXPECT_TRUE(answers(wanted));
}

TEST_F(nats_security, is_known_by_a_user_a_token_or_an_nkey) {
    nats_server server({.has_jetstream = false,
                        .config = "authorization { user: shaddock, password: \"deep secret\" }"});
    const auto plain = options_for(server);
    EXPECT_FALSE(gets_in(plain));
    auto wanted = plain;
    wanted.who.user = "shaddock";
    wanted.who.password = "wrong secret";
    EXPECT_FALSE(gets_in(wanted));
    wanted.who.password = "deep secret";
    EXPECT_TRUE(answers(wanted));

    server.stop();
    server.start_with("authorization { token: \"deep secret\" }");
    EXPECT_FALSE(gets_in(wanted));
    wanted = plain;
    wanted.who.token = "deep secret";
    EXPECT_TRUE(answers(wanted));

    server.stop();
    server.start_with(fmt::format("authorization {{ users: [ {{ nkey: {} }} ] }}", nkey));
    EXPECT_FALSE(gets_in(wanted));
    wanted = plain;
    wanted.who.nkey_seed = write(server, "seed", nkey_seed);
    EXPECT_TRUE(answers(wanted));
}

TEST(nats_nkey, is_found_by_its_seed) {
    const std::string seed = nkey_seed;
    for (const auto& text :
         {seed, seed + "\n", "-----BEGIN USER NKEY SEED-----\n" + seed + "\n------END------\n"}) {
        const auto found = nats::public_nkey(text);
        ASSERT_TRUE(found) << found.error().text();
        EXPECT_EQ(*found, nkey);
    }
    auto damaged = seed;
    std::swap(damaged[20], damaged[21]);
    for (const auto& text : {std::string(), damaged, seed + "A", "A" + seed, seed.substr(0, 57),
                             "SA" + seed.substr(2), std::string(58, 'S')}) {
        EXPECT_TRUE(nats::public_nkey(text).has_error()) << text;
    }
}

TEST_F(nats_security, needs_no_more_than_what_is_under_its_own_root) {
    nats_server server({.has_jetstream = false, .config = R"(authorization { users: [
        { user: one, password: p, permissions: { publish: "shaddock.prod.>", subscribe: "shaddock.prod.>" } } ] })"});
    auto wanted = options_for(server);
    wanted.who.user = "one";
    wanted.who.password = "p";
    wanted.inbox_prefix = "shaddock.prod.inbox";
    client one(in, wanted);
    ASSERT_TRUE(one.to.start());
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
    nats::connection* to = &one.to;
    const auto at = one.to.subscribe("shaddock.prod.echo", [to](nats::message asked) {
        EXPECT_TRUE(to->publish(asked.reply, {}, asked.bytes));
    });
    std::optional<result<std::string>> answer;
    one.to.request("shaddock.prod.echo", "x", 5s,
                   [&](result<std::string> what) { answer = std::move(what); });
    ASSERT_TRUE(in.runs_until([&] { return answer.has_value(); }));
    ASSERT_TRUE(*answer) << answer->error().text();
    EXPECT_EQ(**answer, "x");
    EXPECT_TRUE(one.to.trouble().empty()) << one.to.trouble();
}

} // namespace shaddock::test
