#include "addition.hpp"

#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <array>

namespace shaddock::master {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class adding : public testing::Test {
protected:
    adding() {
        folder.write("config/master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
        folder.write("config/servers.json", R"({
          "connector": [{"id": "connector-1", "host": "127.0.0.1", "port": 4050, "clientPort": 3050, "frontend": true}],
          "chat": [{"clusterCount": 2, "host": "127.0.0.1", "port": "6050++", "tier": 1.50}]})");
        folder.write("config/host.yaml", "types: {connector: {}, chat: {}}\n");
        folder.write("run/x", "");
        system = config::load({folder.path() / "config", "development", std::nullopt}).value();
    }
    result<addition> add(const control::addition_keys& keys) {
        auto made = check_addition(system, keys, folder.path() / "run");
        if (made) {
            system.servers.insert(system.servers.end(), made->servers.begin(), made->servers.end());
        }
        EXPECT_FALSE(std::filesystem::exists(folder.path() / "run/add.json"));
        return made;
    }
    std::string refusal(const control::addition_keys& keys) {
        const auto made = add(keys);
        return made ? "accepted" : made.error().text();
    }
    test::temp_folder folder;
    config::system system;
};

TEST_F(adding, a_server_keeps_what_was_given) {
    const auto made = add({{"serverType", "chat"},
                           {"id", "chat-9"},
                           {"host", "127.0.0.1"},
                           {"port", "6069"},
                           {"tier", "2"},
                           {"note", "a b"}});
    ASSERT_TRUE(made) << made.error().text();
    ASSERT_EQ(made->servers.size(), 1U);
    EXPECT_EQ(made->servers[0].type, "chat");
    EXPECT_EQ(made->servers[0].port, 6069);
    EXPECT_EQ(
        made->servers[0].json,
        R"({"id":"chat-9","host":"127.0.0.1","port":6069,"tier":2,"note":"a b","serverType":"chat"})");
}

TEST_F(adding, several_numbers_them_on) {
    const control::addition_keys keys{
        {"serverType", "chat"}, {"clusterCount", "2"}, {"host", "127.0.0.1"}, {"port", "6060++"}};
    const auto made = add(keys);
    ASSERT_TRUE(made) << made.error().text();
    std::vector<std::string> ids;
    for (const auto& server : made->servers) {
        ids.push_back(server.id + " " + std::to_string(server.port));
        EXPECT_THAT(server.json, HasSubstr("\"id\":\"" + server.id + "\""));
    }
    EXPECT_THAT(ids, ElementsAre("cluster-server-chat-2 6060", "cluster-server-chat-3 6061"));
}

TEST_F(adding, reads_host_yaml_anew) {
    const control::addition_keys shop{
        {"serverType", "shop"}, {"id", "shop-1"}, {"host", "127.0.0.1"}, {"port", "7000"}};
    EXPECT_THAT(refusal(shop), HasSubstr("add: shop: found 'shop', expected a type"));
    folder.write("config/host.yaml",
                 "types: {connector: {}, chat: {}, shop: {modules: [other.so]}}\n");
    const auto made = add(shop);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_THAT(made->host.type("shop").modules, ElementsAre("other.so"));
}

struct slip {
    const char* name;
    control::addition_keys keys;
    const char* text;
};

TEST_F(adding, says_what_is_wrong_as_servers_json_does) {
    const std::string here = "127.0.0.1";
    const std::array<slip, 9> slips{{
        {"no type", {{"id", "a"}}, "add: serverType: found nothing"},
        {"no host", {{"serverType", "chat"}, {"id", "a"}}, "add: host: found nothing"},
        {"no client port",
         {{"serverType", "connector"}, {"id", "a"}, {"host", here}, {"frontend", "true"}},
         "add: clientPort: found nothing, expected a port from 1 to 65535"},
        {"port",
         {{"serverType", "chat"}, {"id", "a"}, {"host", here}, {"port", "70000"}},
         "add: port: found the number 70000, expected a port from 1 to 65535"},
        {"id taken",
         {{"serverType", "chat"}, {"id", "connector-1"}, {"host", here}},
         "found 'connector-1', which the running system: connector[0].id already has"},
        {"id of every object",
         {{"serverType", "chat"}, {"id", "__proto__"}, {"host", here}},
         "add: id: found the text '__proto__', expected another one"},
        {"port taken",
         {{"serverType", "connector"},
          {"id", "a"},
          {"host", here},
          {"port", "4051"},
          {"clientPort", "3050"},
          {"frontend", "true"}},
         "found port 3050 for a, which connector-1 already has on 127.0.0.1"},
        {"another machine",
         {{"serverType", "chat"}, {"id", "a"}, {"host", "192.0.2.1"}},
         "not an address of this machine"},
        {"a key twice",
         {{"serverType", "chat"}, {"id", "a"}, {"id", "b"}, {"host", here}},
         "add: id: found twice"},
    }};
    for (const auto& each : slips) {
        EXPECT_THAT(refusal(each.keys), HasSubstr(each.text)) << each.name;
    }
}

TEST_F(adding, knows_whose_record_was_edited_meanwhile) {
    auto list = list_text(system.servers, 9);
    const auto running = [&] {
        return config::load({folder.path() / "config", "development",
                             folder.write("run/servers.json", list)})
            .value();
    };
    EXPECT_THAT(edited_since(system), ElementsAre());
    EXPECT_THAT(edited_since(running()), ElementsAre());
    folder.write("config/servers.json", R"({
      "connector": [{"id": "connector-1", "host": "127.0.0.1", "port": 4050, "clientPort": 3051, "frontend": true}],
      "chat": [{"clusterCount": 2, "host": "127.0.0.1", "port": "6050++", "tier": 1.50}]})");
    EXPECT_THAT(edited_since(system), ElementsAre("connector-1"));
    EXPECT_THAT(edited_since(running()), ElementsAre("connector-1"));
    folder.write("config/servers.json", "{");
    EXPECT_THAT(edited_since(system), ElementsAre());
}

TEST_F(adding, leaves_a_list_that_a_restarted_server_can_read) {
    ASSERT_TRUE(add({{"serverType", "chat"}, {"id", "chat-9"}, {"host", "127.0.0.1"}}));
    config::load_options wanted{folder.path() / "config", "development",
                                folder.write("run/servers.json", list_text(system.servers, 9))};
    const auto read = config::load(wanted);
    ASSERT_TRUE(read) << read.error().text();
    std::vector<std::string> ids;
    for (const auto& server : read->servers) {
        ids.push_back(server.id);
    }
    EXPECT_THAT(ids, ElementsAre("connector-1", "cluster-server-chat-0", "cluster-server-chat-1",
                                 "chat-9"));
    EXPECT_THAT(read->servers[1].json, HasSubstr("1.5"));
    EXPECT_EQ(read->epoch, 9U);
}

} // namespace
} // namespace shaddock::master
