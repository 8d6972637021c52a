#include "folder.hpp"

namespace shaddock::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string refusal_of(std::string_view servers) {
    return system_folder(servers).load_error();
}

std::vector<std::string> ids_of(const system& loaded) {
    std::vector<std::string> ids;
    for (const server_record& server : loaded.servers) {
        ids.push_back(server.id);
    }
    return ids;
}

TEST(servers, have_the_fields_of_their_record) {
    const system_folder f(
        R"({"connector": [{"id": "c-1", "host": "127.0.0.1", "port": 4050, "clientHost": "example.org",
        "clientPort": 3050, "frontend": true, "max-connections": 500}], "chat": [{"id": "chat-1", "host": "127.0.0.2"}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    const server_record& connector = loaded->servers[0];
    EXPECT_EQ(connector.id, "c-1");
    EXPECT_EQ(connector.type, "connector");
    EXPECT_EQ(connector.host, "127.0.0.1");
    EXPECT_EQ(connector.port, 4050);
    EXPECT_EQ(connector.client_host, "example.org");
    EXPECT_EQ(connector.client_port, 3050);
    EXPECT_TRUE(connector.frontend);
    EXPECT_EQ(connector.max_connections, 500u);
    const server_record& chat = loaded->servers[1];
    EXPECT_EQ(chat.port, 0);
    EXPECT_EQ(chat.client_port, 0);
    EXPECT_FALSE(chat.frontend);
    EXPECT_EQ(chat.max_connections, std::nullopt);
}

TEST(servers, have_a_name_and_a_port_for_clients) {
    const system_folder f(
        R"({"connector": [{"clusterCount": 2, "host": "0.0.0.0", "clientHost": "example.org",
        "clientPort": "3050++", "publicPort": "4430++", "frontend": true}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->servers[0].public_port, 4430);
    EXPECT_EQ(loaded->servers[1].public_port, 4431);
    EXPECT_EQ(loaded->servers[1].client_host, "example.org");
    EXPECT_THAT(loaded->servers[1].json, testing::HasSubstr(R"("publicPort":4431)"));
    EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST(servers, do_not_tell_clients_every_address) {
    EXPECT_EQ(refusal_of(R"({"connector": [
        {"id": "c", "host": "127.0.0.1", "clientHost": "::", "clientPort": 3050, "frontend": true}]})"),
              "servers.json:2: connector[0].clientHost: found the text '::', expected a name or "
              "an address that clients can reach");
    const system_folder f(
        R"({"gate": [{"id": "g", "host": "::", "clientPort": 1, "frontend": true}],
        "connector": [{"id": "c", "host": "0.0.0.0", "clientPort": 3050, "frontend": true}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->warnings.size(), 1u);
    EXPECT_EQ(f.without_path(loaded->warnings[0]),
              "servers.json:2: connector[0].host: clients cannot be told '0.0.0.0': the gate tells "
              "them the address at which they reached the gate; behind NAT, Docker or a proxy set "
              "clientHost");
}

TEST(servers, are_stopped_only_in_the_list_of_a_running_system) {
    constexpr std::string_view list =
        R"({"epoch": 4, "chat": [{"id": "chat-1", "host": "127.0.0.1", "stopped": true}]})";
    const system_folder f(list);
    const auto refused = f.load_error();
    EXPECT_THAT(refused, testing::HasSubstr("servers.json:1: epoch: found "));
    EXPECT_THAT(refusal_of("{" + std::string(list.substr(12))),
                testing::HasSubstr("chat[0].stopped: found true, expected no such key"));
    f.write("run.json", list);
    const auto running = config::load({f.path(), "development", f.path() / "run.json"});
    ASSERT_TRUE(running) << running.error().text();
    EXPECT_EQ(running->epoch, 4U);
    EXPECT_TRUE(running->servers[0].stopped);
}

TEST(servers, keep_the_order_of_the_file) {
    const system_folder f(
        R"({"b": [{"id": "z", "host": "::1"}, {"id": "a", "host": "::1"}], "a": [{"id": "m", "host": "::1"}]})");
    EXPECT_THAT(ids_of(f.load().value()), ElementsAre("z", "a", "m"));
}

TEST(servers, keep_custom_keys_in_their_json) {
    const system_folder f(
        R"({"chat": [{"weight": 1.50, "id": 7, "host": "::1", "port": "6050", "frontend": "false",
                              "zone": {"name": "北", "list": [1, null]}}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->servers[0].id, "7");
    EXPECT_EQ(loaded->servers[0].json,
              R"({"weight":1.50,"id":"7","host":"::1","port":6050,"frontend":false,)"
              R"("zone":{"name":"北","list":[1,null]},"serverType":"chat"})");
}

TEST(servers, take_the_text_true_for_a_frontend) {
    const system_folder f(
        R"({"gate": [{"id": "g", "host": "::1", "clientPort": "3014", "frontend": "true"}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_TRUE(loaded->servers[0].frontend);
    EXPECT_EQ(loaded->servers[0].client_port, 3014);
}

TEST(servers, are_those_of_the_envs_section) {
    const system_folder f(R"({"development": {"chat": [{"id": "d", "host": "::1"}]},
                              "production": {"chat": [{"id": "p", "host": "::1"}]}})");
    EXPECT_THAT(ids_of(f.load("development").value()), ElementsAre("d"));
    EXPECT_THAT(ids_of(f.load("production").value()), ElementsAre("p"));
}

TEST(servers, say_which_sections_there_are_when_the_env_has_none) {
    const system_folder f("{\n\"development\": {},\n\"production\": {}\n}");
    EXPECT_EQ(f.load_error("prodcution"), "servers.json:2: env: found 'prodcution', expected one "
                                          "of the file's sections: development, production; "
                                          "nearest known key: 'production'");
}

TEST(servers, multiply_by_cluster_count) {
    const system_folder f(R"({"connector": [
        {"clusterCount": 2, "host": "::1", "port": "4050++", "clientPort": "3050++", "frontend": true, "name": "C++"},
        {"clusterCount": "1", "host": "::1", "port": 5000, "number": "7++", "plus": "++"}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_THAT(ids_of(*loaded),
                ElementsAre("cluster-server-connector-0", "cluster-server-connector-1",
                            "cluster-server-connector-2"));
    EXPECT_EQ(loaded->servers[1].port, 4051);
    EXPECT_EQ(loaded->servers[1].client_port, 3051);
    EXPECT_EQ(
        loaded->servers[1].json,
        R"({"clusterCount":2,"host":"::1","port":4051,"clientPort":3051,"frontend":true,"name":"C++",)"
        R"("id":"cluster-server-connector-1","serverType":"connector"})");
    EXPECT_EQ(loaded->servers[2].json,
              R"({"clusterCount":"1","host":"::1","port":5000,"number":7,"plus":"++",)"
              R"("id":"cluster-server-connector-2","serverType":"connector"})");
}

TEST(servers, count_a_cluster_per_type) {
    const system_folder f(
        R"({"a": [{"clusterCount": 1, "host": "::1"}], "b": [{"clusterCount": 1, "host": "::1"}]})");
    EXPECT_THAT(ids_of(f.load().value()), ElementsAre("cluster-server-a-0", "cluster-server-b-0"));
}

TEST(servers_errors, wrong_cluster) {
    EXPECT_EQ(refusal_of("{\"a\": [\n{\"clusterCount\": 0, \"host\": \"h\"}]}"),
              "servers.json:2: a[0].clusterCount: found the number 0, expected a number of servers "
              "from 1 to 1000");
    EXPECT_EQ(refusal_of("{\"a\": [\n{\"clusterCount\": \"many\", \"host\": \"h\"}]}"),
              "servers.json:2: a[0].clusterCount: found the text 'many', expected a number of "
              "servers from 1 to 1000");
    EXPECT_EQ(refusal_of("{\"a\": [{\"clusterCount\": 2,\n\"id\": \"x\", \"host\": \"h\"}]}"),
              "servers.json:2: a[0].id: found the text 'x', expected no id beside clusterCount, "
              "which makes its own");
    EXPECT_EQ(
        refusal_of("{\"a\": [{\"clusterCount\": 2, \"host\": \"h\",\n\"port\": \"65535++\"}]}"),
        "servers.json:2: a[0].port: found the number 65536, expected a port from 1 to 65535");
    EXPECT_EQ(refusal_of("{\"a\": [{\"clusterCount\": 2, \"host\": \"h\",\n\"port\": \"x++\"}]}"),
              "servers.json:2: a[0].port: found the text 'x++', expected a port from 1 to 65535");
}

TEST(servers_errors, wrong_shape) {
    EXPECT_EQ(refusal_of("[]"), "servers.json:1: found a list, expected an object");
    EXPECT_EQ(refusal_of("{\"development\":\n5}"),
              "servers.json:2: development: found the number 5, expected an object");
    EXPECT_EQ(refusal_of("{\"development\": {\n\"chat\": {}}}"),
              "servers.json:2: development.chat: found an object, expected a list of the servers "
              "of this type");
    EXPECT_EQ(refusal_of("{\"chat\": [\n\"x\"]}"),
              "servers.json:2: chat[0]: found the text 'x', expected an object");
}

TEST(servers_errors, wrong_id) {
    const std::string rule = "expected 1 to 64 letters, digits, '.', '_' or '-'";
    EXPECT_EQ(refusal_of("{\"chat\": [\n{\"host\": \"h\"}]}"),
              "servers.json:2: chat[0].id: found nothing, " + rule);
    EXPECT_EQ(refusal_of("{\"chat\": [{\n\"id\": \"a/b\", \"host\": \"h\"}]}"),
              "servers.json:2: chat[0].id: found the text 'a/b', " + rule);
    EXPECT_EQ(refusal_of("{\"chat\": [{\n\"id\": null, \"host\": \"h\"}]}"),
              "servers.json:2: chat[0].id: found null, " + rule);
    EXPECT_EQ(
        refusal_of("{\"chat\": [{\n\"id\": \"" + std::string(65, 'x') + "\", \"host\": \"h\"}]}"),
        "servers.json:2: chat[0].id: found the text '" + std::string(60, 'x') + "...', " + rule);
}

TEST(servers_errors, missing_host_names_the_slip) {
    EXPECT_EQ(refusal_of("{\"chat\": [\n{\"id\": \"a\",\n\"hots\": \"h\"}]}"),
              "servers.json:2: chat[0].host: found nothing, expected an address such as "
              "'127.0.0.1'; key 'hots' on line "
              "3 may be meant");
    EXPECT_EQ(refusal_of("{\"chat\": [\n{\"id\": \"a\",\n\"host\": 127}]}"),
              "servers.json:3: chat[0].host: found the number 127, expected an address such as "
              "'127.0.0.1'");
    EXPECT_EQ(
        refusal_of("{\"chat\": [\n{\"id\": \"a\",\n\"host\": \"\"}]}"),
        "servers.json:3: chat[0].host: found the text '', expected an address such as '127.0.0.1'");
}

TEST(servers_errors, wrong_port) {
    for (const auto& [written, described] :
         std::vector<std::pair<std::string, std::string>>{{"0", "the number 0"},
                                                          {"65536", "the number 65536"},
                                                          {"-1", "the number -1"},
                                                          {"4050.0", "the number 4050.0"},
                                                          {"true", "true"},
                                                          {"\"x\"", "the text 'x'"},
                                                          {"[1]", "a list"}}) {
        EXPECT_EQ(refusal_of(
                      "{\"development\": {\"chat\": [{\"id\": \"a\", \"host\": \"h\",\n\"port\": " +
                      written + "}]}}"),
                  "servers.json:2: development.chat[0].port: found " + described +
                      ", expected a port from 1 to 65535");
    }
}

TEST(servers_errors, frontend_without_a_client_port) {
    EXPECT_EQ(refusal_of("{\"gate\": [\n{\"id\": \"g\", \"host\": \"h\", \"frontend\": "
                         "true,\n\"clientport\": 3014}]}"),
              "servers.json:2: gate[0].clientPort: found nothing, expected a port from 1 to 65535, "
              "because the server is a "
              "frontend; key 'clientport' on line 3 may be meant");
}

TEST(servers_errors, wrong_frontend_and_limit) {
    EXPECT_EQ(refusal_of("{\"gate\": [{\"id\": \"g\", \"host\": \"h\",\n\"frontend\": 1}]}"),
              "servers.json:2: gate[0].frontend: found the number 1, expected true or false");
    EXPECT_EQ(
        refusal_of("{\"gate\": [{\"id\": \"g\", \"host\": \"h\",\n\"max-connections\": -5}]}"),
        "servers.json:2: gate[0].max-connections: found the number -5, expected a number of "
        "connections (0 = no "
        "limit)");
}

TEST(servers_errors, names_that_every_object_of_javascript_has) {
    const std::string rule =
        ", expected another one, because every object of JavaScript has a member of this name";
    for (const std::string name :
         {"__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "__x"}) {
        EXPECT_EQ(refusal_of("{\"chat\": [{\n\"id\": \"" + name + "\", \"host\": \"h\"}]}"),
                  "servers.json:2: chat[0].id: found the text '" + name + "'" + rule);
        EXPECT_EQ(refusal_of("{\"" + name + "\": []}"),
                  "servers.json:1: " + name + ": found the type '" + name + "'" + rule);
    }
}

TEST(servers_errors, wrong_type_name) {
    EXPECT_EQ(
        refusal_of("{\n\"a.b\": []}"),
        "servers.json:2: a.b: found the type 'a.b', expected 1 to 64 letters, digits, '_' or '-'");
    EXPECT_EQ(
        refusal_of("{\n\"master\": []}"),
        "servers.json:2: master: found the type 'master', expected the master in master.json only");
    EXPECT_EQ(
        refusal_of("{\"chat\": [{\"id\": \"a\", \"host\": \"h\",\n\"serverType\": \"gate\"}]}"),
        "servers.json:2: chat[0].serverType: found 'gate', expected 'chat', as the record's list");
}

TEST(servers, warn_of_custom_keys_that_look_like_slips) {
    const system_folder f(
        "{\"chat\": [{\"id\": \"a\", \"host\": \"::1\",\n\"max-conections\": 5, \"zone\": 1}]}");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    ASSERT_EQ(loaded->warnings.size(), 1u);
    EXPECT_EQ(f.without_path(loaded->warnings[0]),
              "servers.json:2: chat[0].max-conections: kept as a custom key; did you mean "
              "'max-connections'?");
}

TEST(servers, do_not_warn_of_known_and_custom_keys) {
    const system_folder f(
        R"({"chat": [{"id": "a", "host": "::1", "auto-restart": "true", "restart-force": true, "level": 3}]})");
    EXPECT_THAT(f.load().value().warnings, IsEmpty());
}

TEST(servers, warn_once_of_keys_of_pomelo_that_have_no_effect) {
    const system_folder f(R"({"chat": [
        {"id": "a", "host": "::1", "cpu": 1, "memory": 512, "args": "--x", "weight": 2},
        {"id": "b", "host": "::1", "cpu": 2, "wsPort": 3051}]})");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    std::vector<std::string> warnings;
    for (const auto& warning : loaded->warnings) {
        warnings.push_back(f.without_path(warning));
    }
    const std::string idle = ": kept, but has no effect here: ";
    EXPECT_THAT(
        warnings,
        ElementsAre(
            "servers.json:2: chat[0].cpu" + idle +
                "pin processes with taskset, or CPUAffinity= of the service",
            "servers.json:2: chat[0].memory" + idle + "limit it with MemoryMax= of the service",
            "servers.json:2: chat[0].args" + idle + "there is no interpreter to give arguments to",
            "servers.json:2: chat[0].weight" + idle + "a plugin's own route function may read it",
            "servers.json:3: chat[1].wsPort" + idle +
                "WebSocket and TCP clients share clientPort"));
    EXPECT_THAT(loaded->servers[0].json, testing::HasSubstr(R"("cpu":1,"memory":512)"));
}

TEST(servers, are_restarted_unless_the_file_says_false) {
    const system_folder f(R"({"chat": [
        {"id": "a", "host": "::1"},
        {"id": "b", "host": "::1", "auto-restart": "false", "restart-force": "true"},
        {"id": "c", "host": "::1", "auto-restart": "never"}]})");
    const auto loaded = f.load();
    ASSERT_FALSE(loaded);
    EXPECT_THAT(loaded.error().text(), testing::HasSubstr("servers.json:4: chat[2].auto-restart"));
    const system_folder good(R"({"chat": [
        {"id": "a", "host": "::1"},
        {"id": "b", "host": "::1", "auto-restart": "false", "restart-force": true}]})");
    const auto servers = good.load().value().servers;
    EXPECT_TRUE(servers[0].auto_restart);
    EXPECT_FALSE(servers[0].restart_force);
    EXPECT_FALSE(servers[1].auto_restart);
    EXPECT_TRUE(servers[1].restart_force);
}

TEST(servers, count_as_pomelo_does) {
    // Each record begins anew, ids go on; a text is a counter when `++` stands in it after its
    // begin, and its number is what it begins with.
    const system_folder f(R"({"a": [
        {"clusterCount": 2, "host": "::1", "port": "3000++", "zone": "7++", "name": "C++", "plus": "++9",
         "note": " 12 apples++", "at": "5++6", "none": "3050"},
        {"clusterCount": 2, "host": "::1", "port": "3000++", "clientPort": "4000++"}]})");
    const auto loaded = f.load();
    ASSERT_FALSE(loaded) << "the second record begins at 3000 again";
    EXPECT_EQ(f.without_path(loaded.error().text()),
              "servers.json:4: a[1].port: found port 3000 for cluster-server-a-2, which "
              "cluster-server-a-0 already has on ::1 (servers.json:2: a[0].port), expected each "
              "port once per host");
    const auto all = check({f.path(), "development", std::nullopt}).read.servers;
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[1].json,
              R"({"clusterCount":2,"host":"::1","port":3001,"zone":8,"name":"C++","plus":"++9",)"
              R"("note":13,"at":6,"none":"3050","id":"cluster-server-a-1","serverType":"a"})");
    EXPECT_EQ(all[3].id, "cluster-server-a-3");
    EXPECT_EQ(all[3].client_port, 4001);
}

} // namespace
} // namespace shaddock::config
