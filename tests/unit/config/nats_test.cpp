#include "environment.hpp"
#include "folder.hpp"

#include <cstdlib>

namespace shaddock::config {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Set as long as it lives.
class variable {
public:
    variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;
    ~variable() { unsetenv(name_); }

private:
    const char* name_;
};

TEST(environment, replaces_variables_once) {
    const variable one("SHADDOCK_TEST_ONE", "1.2.3.4");
    const variable nested("SHADDOCK_TEST_NESTED", "${SHADDOCK_TEST_ONE}");
    const variable empty("SHADDOCK_TEST_EMPTY", "");
    EXPECT_EQ(expand("a-${SHADDOCK_TEST_ONE}-b").text, "a-1.2.3.4-b");
    EXPECT_EQ(expand("${SHADDOCK_TEST_NESTED}").text, "${SHADDOCK_TEST_ONE}");
    EXPECT_EQ(expand("${SHADDOCK_TEST_EMPTY}x").text, "x");
    EXPECT_EQ(expand("${SHADDOCK_TEST_EMPTY:-other}").text, "other");
    EXPECT_EQ(expand("${SHADDOCK_TEST_ABSENT:-other}").text, "other");
    EXPECT_EQ(expand("${SHADDOCK_TEST_ABSENT}").unset, "SHADDOCK_TEST_ABSENT");
    for (const char* text : {"", "$", "$HOME", "${", "${}", "${1x}", "${a b}", "a}b", "${a"}) {
        EXPECT_EQ(expand(text).text, text);
        EXPECT_FALSE(expand(text).unset);
    }
    EXPECT_TRUE(is_variable("${A_1}"));
    EXPECT_FALSE(is_variable("x${A}") || is_variable("${A:-b}") || is_variable("${A}${B}"));
}

constexpr std::string_view whole = R"(
bus:
  kind: nats
  nats:
    servers: [nats://10.0.0.4:4222, "tls://${SHADDOCK_TEST_NATS}"]
    cluster: chat-1
    local_pairs: nats
    host_lost: 4 s
    machine_lost: 0
    replicas: 3
    user: shaddock
    password: ${SHADDOCK_TEST_PASSWORD}
    tls_ca: ca.pem
)";

TEST(nats, has_servers_a_cluster_and_a_way_to_log_in) {
    const variable nats("SHADDOCK_TEST_NATS", "nats.internal:4222");
    const variable password("SHADDOCK_TEST_PASSWORD", "s3cret");
    const auto read = system_folder("{}", whole).load();
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->host.bus.kind, bus_kind::nats);
    const auto& found = read->host.bus.nats;
    EXPECT_THAT(found.servers, ElementsAre("nats://10.0.0.4:4222", "tls://nats.internal:4222"));
    EXPECT_EQ(found.cluster, "chat-1");
    EXPECT_EQ(found.local_pairs, local_way::nats);
    EXPECT_EQ(found.host_lost, 4s);
    EXPECT_EQ(found.machine_lost, 0s);
    EXPECT_EQ(found.replicas, 3U);
    EXPECT_EQ(found.user, "shaddock");
    EXPECT_EQ(found.password.reveal(), "s3cret");
    EXPECT_EQ(found.tls_ca, "ca.pem");
}

TEST(nats, takes_a_secret_from_a_file) {
    system_folder files("{}", "bus: {kind: nats, nats: {servers: ['nats://a:1'], cluster: c, "
                              "token_file: nats.token}}");
    EXPECT_THAT(files.load_error(), HasSubstr("nats.token"));
    files.write("nats.token", "abc\n");
    const auto read = files.load();
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->host.bus.nats.token.reveal(), "abc");
    files.write("nats.token", "\n");
    EXPECT_THAT(files.load_error(), HasSubstr("bus.nats.token_file: found nothing in it"));
}

TEST(nats, names_what_is_missing_or_too_much_and_shows_no_secret) {
    const auto error_of = [](std::string nats) {
        return system_folder("{}", "bus: {kind: nats, nats: {" + nats + "}}\n").load_error();
    };
    const std::string good = "servers: ['nats://a:1'], cluster: c";
    EXPECT_EQ(error_of(good), "no error");
    EXPECT_THAT(error_of("cluster: c"), HasSubstr("bus.nats: found bus.kind nats without servers"));
    EXPECT_THAT(error_of("servers: ['nats://a:1']"), HasSubstr("found no cluster"));
    EXPECT_THAT(error_of("servers: ['nats://a:1'], cluster: a.b"), HasSubstr("found 'a.b'"));
    const std::string longest(55, 'c');
    EXPECT_EQ(error_of("servers: ['nats://a:1'], cluster: " + longest), "no error");
    EXPECT_THAT(error_of("servers: ['nats://a:1'], cluster: c" + longest),
                HasSubstr("expected cluster: a name of 1 to 55 letters"));
    EXPECT_THAT(error_of("servers: ['http://a'], cluster: c"),
                HasSubstr("found 'http://a', expected a server of NATS"));
    EXPECT_THAT(error_of("servers: ['nats://me:hunter2@a'], cluster: c"),
                AllOf(HasSubstr("a user or password in an address"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(
        error_of(good + ", user: me, password: hunter2"),
        AllOf(HasSubstr("a password in the file, expected a variable"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(
        error_of(good + ", user: me, password: '${SHADDOCK_TEST_ABSENT}'"),
        HasSubstr("the variable SHADDOCK_TEST_ABSENT of the environment, which is not set"));
    EXPECT_THAT(error_of(good + ", user: me"), HasSubstr("a user without a password"));
    EXPECT_THAT(error_of(good + ", nkey: a.nk, credentials: b.creds"),
                HasSubstr("found credentials, nkey, expected one way to log in"));
    EXPECT_THAT(error_of(good + ", tls_key: a.pem"),
                HasSubstr("one of tls_certificate and tls_key"));
    EXPECT_THAT(error_of(good + ", host_lost: 1 s"), HasSubstr("2 s to 10 min"));
    EXPECT_EQ(error_of(good + ", host_lost: 3 s, machine_lost: 3 s"), "no error");
    EXPECT_THAT(error_of(good + ", host_lost: 2999 ms"),
                HasSubstr("bus.nats.host_lost: found a host_lost of 2999 ms with a bus.heartbeat of "
                          "1000 ms, expected a host_lost of at least three heartbeats"));
    EXPECT_THAT(error_of(good + ", machine_lost: 9 s"),
                HasSubstr("bus.nats.machine_lost: found a machine_lost of 9000 ms with a host_lost "
                          "of 10000 ms, expected a machine_lost at least as long as host_lost"));
    EXPECT_THAT(error_of(good + ", server: x"), HasSubstr("nearest known key: 'servers'"));
    EXPECT_THAT(system_folder("{}", "bus: {kind: nats}").load_error(),
                HasSubstr("bus.kind: found bus.kind nats without servers"));
}

TEST(nats, links_servers_of_other_machines) {
    const auto read =
        system_folder(R"({"chat": [{"id": "a", "host": "127.0.0.1", "port": 1},
                                   {"id": "b", "host": "203.0.113.7", "port": 1}]})",
                      "bus: {kind: nats, nats: {servers: ['nats://a:1'], cluster: c}}")
            .load();
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_TRUE(read->find("a")->is_here);
    EXPECT_FALSE(read->find("b")->is_here);
}

TEST(servers_of_an_environment, have_its_ids_addresses_and_ports) {
    const variable pod("SHADDOCK_TEST_POD", "connector-7");
    const variable port("SHADDOCK_TEST_PORT", "4242");
    const system_folder files(
        R"({"connector": [{"id": "${SHADDOCK_TEST_POD}", "host": "127.0.0.1", "frontend": true,
             "clientHost": "${SHADDOCK_TEST_POD}.example", "clientPort": "${SHADDOCK_TEST_PORT}",
             "note": "${SHADDOCK_TEST_POD}"}],
            "chat": [{"id": "${SHADDOCK_TEST_ABSENT}", "host": "127.0.0.1", "port": 1}]})");
    const auto read = files.load();
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->servers.size(), 1U);
    const auto& one = read->servers.front();
    EXPECT_EQ(one.id, "connector-7");
    EXPECT_EQ(one.client_host, "connector-7.example");
    EXPECT_EQ(one.client_port, 4242);
    EXPECT_THAT(one.json, AllOf(HasSubstr(R"("id":"connector-7")"),
                                HasSubstr(R"("note":"${SHADDOCK_TEST_POD}")")));
    ASSERT_EQ(read->warnings.size(), 1U);
    EXPECT_THAT(read->warnings.front(),
                HasSubstr("the server is left out: the variable SHADDOCK_TEST_ABSENT"));
}

/// Such as `host add` makes: it is no file of this machine's environment.
TEST(servers_of_a_master, have_nothing_of_the_environment) {
    const variable host("SHADDOCK_TEST_HOST", "10.9.8.7");
    const system_folder files("{}");
    files.write("add.json", R"({"chat": [{"id": "chat-9", "host": "127.0.0.1", "port": 1,
                                          "clientHost": "${SHADDOCK_TEST_HOST}"}]})");
    load_options wanted;
    wanted.folder = files.path();
    wanted.env = "development";
    wanted.servers_file = files.path() / "add.json";
    const auto read = load(wanted);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->find("chat-9")->client_host, "${SHADDOCK_TEST_HOST}");
}

} // namespace
} // namespace shaddock::config
