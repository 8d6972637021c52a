#include "folder.hpp"

namespace shaddock::config {
namespace {

/// One slip in one file of a sound system, and the whole text that it is answered with.
struct slip {
    const char* kind;
    const char* file;
    const char* text;
    const char* said;
};

constexpr slip slips[] = {
    // ---- servers.json
    {"syntax", "servers.json", "{\n\"chat\": [\n}",
     "servers.json:3: found '}', expected a JSON value"},
    {"comment", "servers.json", "{\n// ours\n\"chat\": []}",
     "servers.json:2: found '// ours', expected a key in double quotes (JSON has no comments)"},
    {"key twice", "servers.json", "{\"chat\": [],\n\"chat\": []}",
     "servers.json:2: found key 'chat' twice in one object (first on line 1), expected each key "
     "once"},
    {"wrong env", "servers.json", "{\"develop\": {}}",
     "servers.json:1: env: found 'development', expected one of the file's sections: develop; "
     "nearest known key: 'develop'"},
    {"wrong type", "servers.json", "{\n\"caht\": []}",
     "servers.json:2: caht: found 'caht', expected a type that host.yaml lists under types: chat, "
     "gate; nearest known key: 'chat'"},
    {"wrong shape", "servers.json", "{\n\"chat\": [], \"gate\": 5}",
     "servers.json:2: gate: found the number 5, expected a list of the servers of this type"},
    {"missing key", "servers.json", "{\"chat\": [\n{\"id\": \"a\", \"hsot\": \"127.0.0.1\"}]}",
     "servers.json:2: chat[0].host: found nothing, expected an address such as '127.0.0.1'; key "
     "'hsot' on line 2 may be meant"},
    {"wrong value", "servers.json",
     "{\"chat\": [{\"id\": \"a\", \"host\": \"127.0.0.1\",\n\"port\": \"6050x\"}]}",
     "servers.json:2: chat[0].port: found the text '6050x', expected a port from 1 to 65535"},
    {"wrong name", "servers.json", "{\"chat\": [\n{\"id\": \"a b\", \"host\": \"127.0.0.1\"}]}",
     "servers.json:2: chat[0].id: found the text 'a b', expected 1 to 64 letters, digits, '.', '_' "
     "or '-'"},
    {"id twice", "servers.json",
     "{\"chat\": [{\"id\": \"a\", \"host\": \"::1\"},\n{\"id\": \"a\", \"host\": \"::1\"}]}",
     "servers.json:2: chat[1].id: found 'a', which servers.json:1: chat[0].id already has, "
     "expected each id once"},
    {"id of the master", "servers.json", "{\"chat\": [\n{\"id\": \"m\", \"host\": \"::1\"}]}",
     "servers.json:2: chat[0].id: found 'm', which master.json:1: id already has, expected each id "
     "once"},
    {"id of all", "servers.json", "{\"chat\": [\n{\"id\": \"all\", \"host\": \"::1\"}]}",
     "servers.json:2: chat[0].id: found 'all', the name of every server, expected another id"},
    {"reserved id", "servers.json", "{\"chat\": [\n{\"id\": \"web\", \"host\": \"::1\"}]}",
     "servers.json:2: chat[0].id: found 'web', the name of the page's server, expected another "
     "id"},
    {"port clash", "servers.json",
     "{\"chat\": [{\"id\": \"a\", \"host\": \"::1\", \"port\": 6050},\n"
     "{\"id\": \"b\", \"host\": \"localhost\", \"port\": 6050}]}",
     "servers.json:2: chat[1].port: found port 6050 for b, which a already has on localhost "
     "(servers.json:1: chat[0].port), expected each port once per host"},
    {"port of the master", "servers.json",
     "{\"chat\": [\n{\"id\": \"a\", \"host\": \"127.0.0.1\", \"port\": 3005}]}",
     "servers.json:2: chat[0].port: found port 3005 for a, which m already has on 127.0.0.1 "
     "(master.json:1: port), expected each port once per host"},
    {"other machine", "servers.json", "{\"chat\": [\n{\"id\": \"a\", \"host\": \"192.0.2.1\"}]}",
     "servers.json:2: server 'a' host: found '192.0.2.1', which is not an address of this machine; "
     "several machines need `bus: {kind: nats}`"},
    {"frontend without a port", "servers.json",
     "{\"gate\": [\n{\"id\": \"a\", \"host\": \"::1\", \"frontend\": true}]}",
     "servers.json:2: gate[0].clientPort: found nothing, expected a port from 1 to 65535, because "
     "the server is a frontend"},
    {"cluster", "servers.json", "{\"chat\": [\n{\"clusterCount\": -1, \"host\": \"::1\"}]}",
     "servers.json:2: chat[0].clusterCount: found the number -1, expected a number of servers from "
     "1 to 1000"},
    // ---- master.json
    {"syntax", "master.json", "{",
     "master.json:1: found the end of the file, expected a key in "
     "double quotes"},
    {"missing key", "master.json", "{\"id\": \"m\",\n\"host\": \"::1\", \"prot\": 3005}",
     "master.json:1: port: found nothing, expected a port from 1 to 65535; key 'prot' on line 2 "
     "may "
     "be meant"},
    {"wrong value", "master.json", "{\"id\": \"m\", \"host\": \"::1\",\n\"port\": 0}",
     "master.json:2: port: found the number 0, expected a port from 1 to 65535"},
    {"wrong shape", "master.json", "\n[]", "master.json:2: found a list, expected an object"},
    {"wrong env", "master.json", "{\n\"prod\": {\"id\": \"m\"}}",
     "master.json:2: env: found 'development', expected one of the file's sections: prod; nearest "
     "known key: 'prod'"},
    // ---- host.yaml
    {"syntax", "host.yaml", "web: [\n",
     "host.yaml:2: found no YAML (end of sequence flow not "
     "found), expected YAML"},
    {"wrong key", "host.yaml", "web: {port: 0}\ntyps: {}",
     "host.yaml:2: typs: found 'typs', expected one of the keys: connector, reload, types, bus, "
     "limits, log, web, metrics, supervision; nearest known key: 'types'"},
    {"wrong key of a type", "host.yaml", "web: {port: 0}\ntypes:\n  chat: {module: chat.so}",
     "host.yaml:3: types.chat.module: found 'module', expected one of the keys: modules, rooms, "
     "connector, "
     "reload; nearest known key: 'modules'"},
    {"wrong unit", "host.yaml", "web: {port: 0}\nbus:\n  call_timeout: 10 sec",
     "host.yaml:3: bus.call_timeout: found '10 sec', expected a time such as '10 s', more than 0"},
    {"wrong unit of a size", "host.yaml", "web: {port: 0}\nlog:\n  file_limit: 10 MB",
     "host.yaml:3: log.file_limit: found '10 MB', expected a size such as '10 MiB', from 4 KiB to "
     "16 GiB"},
    {"out of range", "host.yaml", "web: {port: 0}\nlimits: {blocking_threads: 65}",
     "host.yaml:2: limits.blocking_threads: found '65', expected a number of threads from 1 to 64"},
    {"wrong type of value", "host.yaml", "web: {port: 0}\nconnector: {dict: [1]}",
     "host.yaml:2: connector.dict: found a list, expected true or false"},
    {"wrong word", "host.yaml", "web: {port: 0}\nlog: {level: trace}",
     "host.yaml:2: log.level: found 'trace', expected debug, info, warn, error or off"},
    {"wrong module", "host.yaml", "web: {port: 0}\ntypes: {chat: {modules: [chat]}}",
     "host.yaml:2: types.chat.modules[0]: found 'chat', expected the name of a module in the "
     "plugins folder, such as 'chat.so', or an absolute path"},
    {"module twice", "host.yaml", "web: {port: 0}\ntypes: {chat: {modules: [a.so, a.so]}}",
     "host.yaml:2: types.chat.modules[1]: found 'a.so' a second time, expected each module once"},
    {"key twice", "host.yaml", "web: {port: 0}\nweb: {port: 0}",
     "host.yaml:2: web: found the key a second time (first on line 1), expected each key once"},
    {"port clash", "host.yaml", "web:\n  port: 3005",
     "host.yaml:2: web.port: found port 3005 for the web server, which m already has on 127.0.0.1 "
     "(master.json:1: port), expected each port once per host"},
    // ---- dictionary.json
    {"syntax", "dictionary.json", "[\n\"a\" \"b\"]",
     "dictionary.json:2: found '\"b\"]', expected ',' or ']'"},
    {"wrong shape", "dictionary.json", "{\n\"onChat\": 1}",
     "dictionary.json:1: found an object, expected a list of routes such as [\"onChat\"]"},
    {"wrong value", "dictionary.json", "[\"a\",\n1]",
     "dictionary.json:2: [1]: found the number 1, expected a route, a text of 1 to 255 bytes"},
    {"half a pair", "dictionary.json", "[\"a\",\n\"\\udc00\"]",
     "dictionary.json:2: found half of a surrogate pair after \\u, expected both halves, the high "
     "one first"},
};

TEST(slips, are_told_with_file_line_key_found_expected_and_the_nearest) {
    for (const slip& one : slips) {
        const system_folder f(R"({"chat": [{"id": "chat-1", "host": "127.0.0.1"}]})",
                              "web: {port: 0}\ntypes: {chat: , gate: }");
        f.write("master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
        f.write(one.file, one.text);
        std::string said = f.load_error();
        if (one.file == std::string_view("dictionary.json")) {
            const auto read = read_dictionary(f.path(), "development");
            said = read ? "no error" : f.without_path(read.error().text());
        }
        EXPECT_EQ(said, one.said) << one.file << ": " << one.kind;
    }
}

} // namespace
} // namespace shaddock::config
