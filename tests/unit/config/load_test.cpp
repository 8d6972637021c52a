#include "folder.hpp"

namespace shaddock::config {
namespace {

using testing::ElementsAre;

TEST(load, reads_the_three_files_together) {
    const system_folder f(R"({"chat": [{"id": "chat-1", "host": "127.0.0.1", "port": 6050}]})",
                          "types: {chat: {modules: [mine.so]}}\nweb: {port: 3001}");
    const auto loaded = f.load("production");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->env, "production");
    EXPECT_EQ(loaded->folder, f.path());
    EXPECT_EQ(loaded->master.id, "master-server-1");
    EXPECT_EQ(loaded->master.host, "127.0.0.1");
    EXPECT_EQ(loaded->master.port, 3005);
    EXPECT_THAT(loaded->host.type("chat").modules, ElementsAre("mine.so"));
    ASSERT_NE(loaded->find("chat-1"), nullptr);
    EXPECT_EQ(loaded->find("chat-1")->port, 6050);
    EXPECT_EQ(loaded->find("chat-2"), nullptr);
    EXPECT_EQ(loaded->of_type("chat").size(), 1u);
    EXPECT_TRUE(loaded->of_type("gate").empty());
}

TEST(load, takes_rooms_that_stay_of_types_without_clients_only) {
    const std::string chats = R"("chat": [{"id": "a", "host": "127.0.0.1"}])";
    const std::string doors =
        R"("door": [{"id": "d", "host": "127.0.0.1", "clientPort": 3010, "frontend": true}])";
    const auto load_with = [&](const std::string& types) {
        return system_folder("{" + chats + ", " + doors + "}", types + "\nweb: {port: 0}").load();
    };
    const auto loaded = load_with("types: {chat: {rooms: stay}, door: }");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->host.type("chat").rooms, room_rule::stay);
    EXPECT_EQ(loaded->host.type("door").rooms, room_rule::move);
    const auto refused = load_with("types: {chat: , door: {rooms: stay}}");
    ASSERT_TRUE(refused.has_error());
    EXPECT_THAT(refused.error().text(),
                testing::HasSubstr("host.yaml:1: types.door.rooms: found 'stay', expected 'move'"));
}

TEST(load, finds_every_file_in_the_envs_folder) {
    folder f;
    f.write("production/servers.json", R"({"chat": [{"id": "a", "host": "::1"}]})");
    f.write("production/master.json", R"({"id": "m", "host": "::1", "port": 3005})");
    f.write("production/host.yaml", "log: {level: debug}");
    const auto loaded = load({f.path(), "production", std::nullopt});
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->servers.size(), 1u);
    EXPECT_EQ(loaded->host.log.level, base::log::level::debug);
}

TEST(load, takes_another_servers_file) {
    system_folder f(R"({"chat": [{"id": "a", "host": "::1"}]})");
    f.write("elsewhere/other.json", R"({"development": {"chat": [{"id": "b", "host": "::1"}]}})");
    const auto loaded = load({f.path(), "development", f.path() / "elsewhere/other.json"});
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ(loaded->servers[0].id, "b");
    const auto missing = load({f.path(), "development", f.path() / "none.json"});
    ASSERT_TRUE(missing.has_error());
    EXPECT_EQ(missing.error().text(), f.file("none.json") +
                                          ": found that it cannot be opened (No such file or "
                                          "directory), expected a readable file");
}

TEST(load, does_without_host_yaml) {
    system_folder f(R"({"chat": [{"id": "a", "host": "::1"}]})");
    std::filesystem::remove(f.path() / "host.yaml");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_THAT(loaded->host.types.at("chat").modules, ElementsAre("chat.so"));
    EXPECT_EQ(loaded->host.web.port, 3001);
}

TEST(load, lists_the_types_of_the_env_also_those_without_a_server) {
    const system_folder f(
        R"({"development": {"gate": [], "chat": [{"id": "a", "host": "::1"}]}, "production": {"x": []}})",
        "types: {gate: , chat: , x: , time: }\nweb: {port: 0}");
    EXPECT_THAT(f.load()->types, ElementsAre("gate", "chat"));
}

TEST(load, needs_the_other_two) {
    system_folder f("{}");
    std::filesystem::remove(f.path() / "master.json");
    EXPECT_EQ(f.load_error(),
              "master.json: found no such file, nor development/master.json, expected one of them");
    std::filesystem::remove(f.path() / "servers.json");
    EXPECT_EQ(
        f.load_error(),
        "servers.json: found no such file, nor development/servers.json, expected one of them");
    EXPECT_EQ(f.load().error().code(), errc::config);
}

TEST(load, checks_the_master) {
    system_folder f("{}");
    f.write("master.json", "{\"development\": {\n\"id\": \"m\",\n\"host\": \"h\"}}");
    EXPECT_EQ(f.load_error(),
              "master.json:1: development.port: found nothing, expected a port from 1 to 65535");
    f.write("master.json",
            "{\"development\": {\n\"id\": \"m\",\n\"host\": \"h\",\n\"port\": 99999}}");
    EXPECT_EQ(
        f.load_error(),
        "master.json:4: development.port: found the number 99999, expected a port from 1 to 65535");
    EXPECT_EQ(f.load_error("prod"),
              "master.json:1: env: found 'prod', expected one of the file's sections: development; "
              "nearest known key: 'development'");
}

TEST(load, refuses_an_id_twice) {
    system_folder f(
        "{\"chat\": [\n{\"id\": \"a\", \"host\": \"h\"},\n{\"id\": \"a\", \"host\": \"i\"}]}");
    EXPECT_EQ(f.load_error(), "servers.json:3: chat[1].id: found 'a', which servers.json:2: "
                              "chat[0].id already has, expected each id once");
    f.write("servers.json", "{\"chat\": [\n{\"id\": \"master-server-1\", \"host\": \"h\"}]}");
    EXPECT_EQ(
        f.load_error(),
        "servers.json:2: chat[0].id: found 'master-server-1', which master.json:1: id already has, "
        "expected each id once");
}

TEST(load, refuses_the_names_of_the_master_and_the_page_as_ids) {
    system_folder f("{\"chat\": [\n{\"id\": \"web\", \"host\": \"127.0.0.1\"}]}");
    EXPECT_EQ(f.load_error(), "servers.json:2: chat[0].id: found 'web', the name of the page's "
                              "server, expected another id");
    f.write("servers.json", "{\"chat\": [\n{\"id\": \"master\", \"host\": \"127.0.0.1\"}]}");
    EXPECT_EQ(f.load_error(), "servers.json:2: chat[0].id: found 'master', the name of the master, "
                              "expected another id");
    f.write("servers.json", R"({"chat": [{"id": "web-1", "host": "127.0.0.1"}]})");
    EXPECT_EQ(f.load_error(), "no error");
}

TEST(load, refuses_a_port_twice_on_one_host) {
    const system_folder f(
        "{\"chat\": [\n{\"id\": \"a\", \"host\": \"127.0.0.1\", \"port\": 6050},\n"
        "{\"id\": \"b\", \"host\": \"localhost\", \"port\": 6050}]}");
    EXPECT_EQ(
        f.load_error(),
        "servers.json:3: chat[1].port: found port 6050 for b, which a already has on localhost "
        "(servers.json:2: chat[0].port), expected each port once per host");
}

TEST(load, allows_a_port_twice_on_two_hosts) {
    const system_folder f(R"({"chat": [{"id": "a", "host": "127.0.0.1", "port": 6050},
                                       {"id": "b", "host": "127.0.0.2", "port": 6050}]})");
    EXPECT_EQ(f.load_error(), "no error");
}

TEST(load, counts_the_ports_of_clients_master_and_page) {
    const system_folder own(
        "{\"gate\": [\n{\"id\": \"g\", \"host\": \"h\", \"port\": 5, \"clientPort\": 5}]}");
    EXPECT_EQ(own.load_error(),
              "servers.json:2: gate[0].clientPort: found port 5 for g, which g already has on h "
              "(servers.json:2: gate[0].port), expected each port once per host");
    const system_folder master(
        "{\"gate\": [\n{\"id\": \"g\", \"host\": \"127.0.0.1\", \"clientPort\": 3005}]}");
    EXPECT_EQ(master.load_error(), "servers.json:2: gate[0].clientPort: found port 3005 for g, "
                                   "which master-server-1 already has on 127.0.0.1 "
                                   "(master.json:1: port), expected each port once per host");
    const system_folder page(
        "{\"gate\": [\n{\"id\": \"g\", \"host\": \"127.0.0.1\", \"clientPort\": 3001}]}",
        "web:\n  port: 3001");
    EXPECT_EQ(page.load_error(),
              "host.yaml:2: web.port: found port 3001 for the web server, which g already has on "
              "127.0.0.1 "
              "(servers.json:2: gate[0].clientPort), expected each port once per host");
    const system_folder silent(
        "{\"gate\": [\n{\"id\": \"g\", \"host\": \"127.0.0.1\", \"clientPort\": 3001}]}", "");
    EXPECT_EQ(silent.load_error(),
              "host.yaml: web.port (default): found port 3001 for the web server, which g already "
              "has on 127.0.0.1 "
              "(servers.json:2: gate[0].clientPort), expected each port once per host");
}

TEST(load, refuses_a_type_that_host_yaml_does_not_list) {
    const system_folder f("{\n\"conector\": []}", "types: {gate: , connector: , chat: }");
    EXPECT_EQ(
        f.load_error(),
        "servers.json:2: conector: found 'conector', expected a type that host.yaml lists under "
        "types: chat, connector, gate; nearest known key: 'connector'");
}

TEST(load, allows_any_type_when_host_yaml_lists_none) {
    const system_folder f(R"({"anything": [{"id": "a", "host": "::1"}]})",
                          "connector: {idle_timeout: 5 s}\nweb: {port: 0}");
    const auto loaded = f.load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_THAT(loaded->host.types.at("anything").modules, ElementsAre("anything.so"));
    EXPECT_EQ(loaded->host.types.at("anything").connector.idle_timeout, std::chrono::seconds(5));
}

TEST(load, passes_on_where_json_is_broken) {
    const system_folder f("{\n\"chat\": [}");
    EXPECT_EQ(f.load_error(), "servers.json:2: found '}', expected a JSON value");
}

} // namespace
} // namespace shaddock::config
