#include "folder.hpp"

namespace shaddock::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines_of(const folder& f, const checked& all) {
    std::vector<std::string> lines;
    const std::string prefix = f.path().string() + "/";
    for (const finding& one : all.findings) {
        std::string text = (one.is_warning ? "warning: " : "") + one.text;
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
            text.erase(at, prefix.size());
        }
        lines.push_back(std::move(text));
    }
    return lines;
}

TEST(config_check, tells_all_that_is_wrong) {
    const system_folder f(R"({
"chat": [
  {"id": "a", "host": "127.0.0.1", "port": 70000, "frontend": "yes"},
  {"host": ""},
  {"id": "a", "host": "127.0.0.1"},
  {"id": "a", "host": "127.0.0.1", "port": 3005},
  "x"
],
"shop": 5
})",
                          R"(bus: {heartbeat: often, kind: direct, quue_limit: 1 MiB}
limits: [1]
log: {level: loud}
types: {chat: {connector: {dict: 1}}, sho: }
web: {port: 0}
)");
    f.write("master.json", "{\"id\": \"m\",\n\"host\": \"127.0.0.1\"}");
    const checked all = check({f.path(), "development", std::nullopt});
    EXPECT_TRUE(all.has_problems());
    EXPECT_THAT(
        lines_of(f, all),
        ElementsAre(
            "servers.json:3: chat[0].port: found the number 70000, expected a port from 1 to 65535",
            "servers.json:3: chat[0].frontend: found the text 'yes', expected true or false",
            "servers.json:4: chat[1].id: found nothing, expected 1 to 64 letters, digits, '.', '_' "
            "or '-'",
            "servers.json:4: chat[1].host: found the text '', expected an address such as "
            "'127.0.0.1'",
            "servers.json:7: chat[4]: found the text 'x', expected an object",
            "servers.json:9: shop: found the number 5, expected a list of the servers of this type",
            "master.json:1: port: found nothing, expected a port from 1 to 65535",
            "host.yaml:4: types.chat.connector.dict: found '1', expected true or false",
            "host.yaml:1: bus.heartbeat: found 'often', expected a time such as '1 s', more than 0",
            "host.yaml:1: bus.quue_limit: found 'quue_limit', expected one of the keys: kind, "
            "call_timeout, queue_limit, heartbeat, silence, nats; nearest known key: 'queue_limit'",
            "host.yaml:2: limits: found a list, expected a map of options",
            "host.yaml:3: log.level: found 'loud', expected debug, info, warn, error or off",
            "servers.json:6: chat[3].id: found 'a', which servers.json:5: chat[2].id already has, "
            "expected each id once"));
    EXPECT_EQ(all.read.servers.size(), 2u) << "what can be read is there";
}

TEST(config_check, says_where_for_machines) {
    const system_folder f("{\n\"chat\": [\n{\"id\": \"a\", \"host\": 1}]}");
    const checked all = check({f.path(), "development", std::nullopt});
    ASSERT_EQ(all.findings.size(), 1u);
    EXPECT_EQ(all.findings[0].where.path, f.path() / "servers.json");
    EXPECT_EQ(all.findings[0].where.line, 3u);
    EXPECT_EQ(all.findings[0].where.key, "chat[0].host");
    EXPECT_FALSE(all.findings[0].is_warning);
}

TEST(config_check, gives_what_load_gives_when_all_is_well) {
    const system_folder f(R"({"chat": [{"id": "a", "host": "127.0.0.1"}]})");
    const checked all = check({f.path(), "development", std::nullopt});
    EXPECT_FALSE(all.has_problems());
    EXPECT_THAT(all.findings, IsEmpty());
    ASSERT_EQ(all.read.servers.size(), 1u);
    EXPECT_EQ(all.read.master.id, "master-server-1");
}

TEST(config_check, names_what_is_missing) {
    const folder f;
    const checked all = check({f.path(), "production", std::nullopt});
    EXPECT_THAT(lines_of(f, all),
                ElementsAre("servers.json: found no such file, nor production/servers.json, "
                            "expected one of them",
                            "master.json: found no such file, nor production/master.json, expected "
                            "one of them"));
}

TEST(config_check, warns_of_files_of_pomelo_without_effect) {
    const system_folder f("{}");
    f.write("adminUser.json", "[]");
    f.write("adminServer.json", "no JSON");
    f.write("development/log4js.json", "{}");
    f.write("crons.json", "{}");
    f.write("masterha.json", "{}");
    f.write("production/crons.json", "of another env");
    const checked all = check({f.path(), "development", std::nullopt});
    EXPECT_FALSE(all.has_problems());
    EXPECT_THAT(
        lines_of(f, all),
        ElementsAre(
            "warning: adminUser.json: not used by this version, who may use the admin API has the "
            "token of the run folder",
            "warning: adminServer.json: not used by this version, servers are known by the user of "
            "their process",
            "warning: development/log4js.json: not used by this version, use log: of host.yaml",
            "warning: crons.json: not used by this version, use timers of the plugin: app.every",
            "warning: masterha.json: not used by this version, there is one master; start it again "
            "on the same run folder"));
    EXPECT_TRUE(f.load());
}

TEST(config_check, is_bounded) {
    std::string servers = "{\"chat\": [1";
    for (int i = 0; i < 5000; ++i) {
        servers += ",1";
    }
    const system_folder f(servers + "]}");
    EXPECT_EQ(check({f.path(), "development", std::nullopt}).findings.size(), 1000u);
}

} // namespace
} // namespace shaddock::config
