#include "check_system.hpp"

#include "../node/setting_folder.hpp"
#include "bus/run_folder.hpp"
#include "check_places.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/stat.h>

namespace shaddock::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// A sound system of shipped modules, of which each test spoils something.
class system_check_test : public testing::Test {
protected:
    system_check_test() : folder_("web: {port: 0}\n") {}

    system_report report(ports_in_use ports = ports_in_use::not_asked) const {
        place where;
        where.config = folder_.config();
        where.run = folder_.path() / "run";
        auto checked = check_system(where, ports, list_choice::files);
        EXPECT_TRUE(checked) << checked.error().text();
        return checked ? *checked : system_report{};
    }
    std::vector<std::string> lines() const {
        std::vector<std::string> all;
        for (const auto& one : report().findings) {
            all.push_back(folder_.without_path((one.is_warning ? "warning: " : "") + one.text));
        }
        return all;
    }
    void host_yaml(std::string_view text) const {
        folder_.write("config/host.yaml", "web: {port: 0}\n" + std::string(text));
    }

    const node::setting_folder folder_;
};

TEST_F(system_check_test, counts_what_is_well) {
    folder_.write("config/serverProtos.json", R"({"onChat": {"required string msg": 1}})");
    const auto all = report();
    EXPECT_THAT(all.findings, IsEmpty());
    EXPECT_EQ(to_text(all), "ok: 3 servers of 3 types, 3 modules with 3 routes, protos of 1 route, "
                            "3 ports\n");
    EXPECT_EQ(to_json(all), R"({"ok":true,"problems":[],"warnings":[],"servers":3,"types":3,)"
                            R"("modules":3,"routes":3,"protos":1,"ports":3})");
}

TEST_F(system_check_test, tells_problems_of_all_files_at_once) {
    host_yaml("types: {gate: , connector: , chat: {modules: [caht.so]}}\nlog: {levle: info}\n");
    folder_.write("config/dictionary.json", "[\"a\",\n5]");
    folder_.write("config/serverProtos.json", "{\"onChat\":\n{\"required sting msg\": 1}}");
    folder_.write("config/clientProtos.json", "{");
    folder_.write("config/master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3014})");
    EXPECT_THAT(
        lines(),
        ElementsAre(
            "host.yaml:3: log.levle: found 'levle', expected one of the keys: levels, level, "
            "format, folder, "
            "file_limit, files; nearest known key: 'level'",
            StartsWith("servers.json:2: gate[0].clientPort: found port 3014 for gate-1, which m "
                       "already has on 127.0.0.1 (master.json:1: port)"),
            AllOf(StartsWith("host.yaml:2: types.chat.modules[0]: "),
                  HasSubstr("caht.so: no such module; there are: "),
                  HasSubstr("; nearest: 'chat.so'")),
            StartsWith("dictionary.json:2: [1]: found the number 5, expected a route"),
            StartsWith("serverProtos.json:2: onChat.required sting msg: found "),
            StartsWith("clientProtos.json:1: found the end of the file")));
    EXPECT_THAT(to_text(report()), HasSubstr("\n6 problems\n"));
}

TEST_F(system_check_test, tells_each_of_what_is_wrong_with_modules) {
    const std::string modules = SHADDOCK_TEST_BINARY_DIR "/tests/modules/";
    host_yaml(fmt::format("types:\n  gate:\n  connector:\n  chat:\n    modules:\n"
                          "    - {0}module_undefined.so\n    - gate.so\n"
                          "    - {0}module_crashes_open.so\n    - chat.so\n"
                          "  shop: {{modules: [no.so]}}\n",
                          modules));
    EXPECT_THAT(lines(),
                ElementsAre(AllOf(StartsWith("host.yaml:7: types.chat.modules[0]: " + modules),
                                  HasSubstr("the undefined symbol ")),
                            AllOf(StartsWith("host.yaml:8: types.chat.modules[1]: "),
                                  HasSubstr("found server type 'gate', wanted 'chat'")),
                            AllOf(StartsWith("host.yaml:9: types.chat.modules[2]: " + modules),
                                  HasSubstr("while it was opened")),
                            StartsWith("warning: host.yaml:11: types.shop.modules[0]: ")))
        << "a type without servers keeps nobody from starting";
}

TEST_F(system_check_test, says_where_a_module_is_asked_for_that_no_file_names) {
    folder_.write("config/servers.json",
                  "{\n\"shop\": [{\"id\": \"shop-1\", \"host\": \"127.0.0.1\"}]}");
    EXPECT_THAT(lines(), ElementsAre(AllOf(StartsWith("servers.json:2: shop: "),
                                           HasSubstr("shop.so: no such module; there are: "))));
}

TEST_F(system_check_test, tells_routes_that_two_modules_have) {
    const std::string modules = SHADDOCK_TEST_BINARY_DIR "/tests/modules/";
    host_yaml(fmt::format("types: {{gate: , connector: , chat: {{modules: [{0}module_probe.so, "
                          "{0}module_probe_next.so]}}}}\n",
                          modules));
    const auto all = lines();
    ASSERT_FALSE(all.empty());
    EXPECT_THAT(all,
                testing::Each(AllOf(StartsWith("host.yaml:2: types.chat.modules[1]: found the "),
                                    HasSubstr("module_probe.so already has, expected each "
                                              "once in a type"))));
}

TEST_F(system_check_test, warns_of_modules_that_call_others_by_other_types) {
    host_yaml("types: {gate: , connector: , chat: , good: {modules: [" SHADDOCK_TEST_BINARY_DIR
              "/tests/modules/module_good.so]}}\n");
    EXPECT_THAT(lines(),
                ElementsAre(AllOf(
                    StartsWith("warning: host.yaml:2: types.good.modules[0]: found calls of "),
                    HasSubstr("module_good.so that chat.so would refuse: chat.chatRemote.add: "
                              "argument 1 is true or false there, an object here; "))));
}

TEST_F(system_check_test, warns_of_protos_that_replies_do_not_fit) {
    folder_.write("config/serverProtos.json",
                  "{\n\"gate.gateHandler.queryEntry\":\n{\"required string hots\": 1}}");
    EXPECT_THAT(lines(),
                ElementsAre("warning: serverProtos.json:2: gate.gateHandler.queryEntry: found no "
                            "member 'hots' in its replies, expected one: the field is required"));
}

TEST_F(system_check_test, warns_of_protos_that_nobody_uses) {
    folder_.write("config/dictionary.json", R"(["onChat"])");
    folder_.write("config/serverProtos.json", R"({
        "onChat": {}, "onCaht": {}, "onLeave": {},
        "chat.chatHandler.send": {},
        "chat.chatHandler.sent": {}})");
    folder_.write("config/clientProtos.json", R"({
        "chat.chatHandler.send": {}, "onChat": {}, "message Point": {},
        "x/y": {}})");
    EXPECT_THAT(
        lines(),
        ElementsAre(
            "warning: serverProtos.json:4: chat.chatHandler.sent: found a route that no "
            "handler and no dictionary has, expected one that is used; did you mean "
            "'chat.chatHandler.send'?",
            "warning: serverProtos.json:2: onCaht: found a route that no handler and no "
            "dictionary has, expected one that is used; did you mean 'onChat'?",
            "warning: clientProtos.json:3: x/y: found a route that no handler has, expected "
            "one that is used"));
    EXPECT_EQ(report().problems(), 0u);
    EXPECT_THAT(to_text(report()), HasSubstr("3 ports, 3 warnings\n"));
}

TEST_F(system_check_test, warns_of_keys_of_protos_that_are_dropped) {
    folder_.write("config/serverProtos.json", "{\"onChat\": {\"required string a\": 1,\n"
                                              "\"required string b\": 1,\n"
                                              "\"required  string c\": 2,\n"
                                              "\"message\": {},\n"
                                              "\"optional uInt32 a\": 3}}");
    EXPECT_THAT(
        lines(),
        ElementsAre("warning: serverProtos.json:2: onChat.required string b: found the tag 1 a "
                    "second time in one message, expected each tag once",
                    "warning: serverProtos.json:3: onChat.required  string c: found a key that is "
                    "not three words, expected `required string name` with single spaces",
                    "warning: serverProtos.json:4: onChat.message: found a message without one "
                    "name, expected `message Name` with single spaces",
                    "warning: serverProtos.json:5: onChat.optional uInt32 a: found the name `a` a "
                    "second time in one message, expected each name once; the last counts"));
}

TEST_F(system_check_test, looks_at_the_run_folder_without_making_it) {
    EXPECT_THAT(lines(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "run"));
    std::filesystem::create_directory(folder_.path() / "run");
    ASSERT_EQ(::chmod((folder_.path() / "run").c_str(), 0777), 0);
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("it has mode 777, expected 700")));
    std::filesystem::remove(folder_.path() / "run");
    folder_.write("run", "a file");
    EXPECT_THAT(lines(), ElementsAre(HasSubstr("it is not a folder")));
}

TEST_F(system_check_test, looks_at_the_log_folder_and_the_page) {
    folder_.write("file", "");
    folder_.write("config/host.yaml",
                  fmt::format("web: {{folder: {0}/page}}\nlog: {{folder: {0}/file/logs}}\n",
                              folder_.path().string()));
    EXPECT_THAT(lines(), ElementsAre(AllOf(StartsWith("log.folder '"),
                                           HasSubstr("which is no folder, expected a folder")),
                                     AllOf(HasSubstr("no index.html in "), HasSubstr("/page"))));
}

TEST_F(system_check_test, warns_of_more_connections_than_descriptors) {
    rlimit most{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &most), 0);
    if (most.rlim_max == RLIM_INFINITY) {
        GTEST_SKIP() << "there is no limit here";
    }
    const auto limited = [&](std::size_t connections) {
        host_yaml(fmt::format("connector: {{connections_limit: {}}}", connections));
        return lines();
    };
    const auto told = fmt::format("warning: found at most {} open files for a process here, "
                                  "expected {} for the {} connections of gate-1",
                                  most.rlim_max, most.rlim_max + 1, most.rlim_max - 69);
    // 32 that each process has, 32 and two for each of three servers in reserve.
    EXPECT_THAT(limited(most.rlim_max - 69), Contains(StartsWith(told)));
    EXPECT_THAT(limited(most.rlim_max - 70), IsEmpty());
    EXPECT_THAT(limited(0), IsEmpty());
}

TEST_F(system_check_test, finds_a_socket_path_too_long) {
    place where;
    where.config = folder_.config();
    where.run = folder_.path() / std::string(100, 'x');
    const auto all = check_system(where, ports_in_use::not_asked, list_choice::files);
    ASSERT_TRUE(all);
    ASSERT_EQ(all->findings.size(), 1u);
    EXPECT_THAT(all->findings[0].text, HasSubstr("expected at most 107: name a shorter one"));
}

TEST_F(system_check_test, needs_a_config_folder) {
    place where;
    where.config = folder_.path() / "nowhere";
    const auto all = check_system(where, ports_in_use::not_asked, list_choice::files);
    ASSERT_FALSE(all);
    EXPECT_THAT(all.error().text(), HasSubstr("found no folder at "));
}

TEST(ports_in_use_now, are_warned_of_unless_they_are_the_systems_own) {
    boost::asio::io_context loop;
    const boost::asio::ip::tcp::acceptor other(loop,
                                               {boost::asio::ip::make_address("127.0.0.1"), 0});
    const auto port = other.local_endpoint().port();
    const node::setting_folder folder("web: {port: 0}\nconnector: {distinctHost: true}\n");
    folder.write("config/servers.json",
                 fmt::format(R"({{"gate": [{{"id": "gate-1", "host": "127.0.0.1", "port": {},
                             "clientPort": {}, "frontend": true}}]}})",
                             port == 4050 ? 4051 : 4050, port));
    const auto files = config::check({folder.config(), "development", std::nullopt});
    ASSERT_FALSE(files.has_problems());
    const auto run = folder.path() / "run";
    const auto taken = [&] {
        std::vector<std::string> texts;
        for (const auto& one : ports_taken(files.read, files.ports, run)) {
            EXPECT_TRUE(one.is_warning);
            // The master's port may be anybody's.
            if (one.text.find("gate-1") != std::string::npos) {
                texts.push_back(folder.without_path(one.text));
            }
        }
        return texts;
    };
    EXPECT_THAT(taken(),
                ElementsAre(fmt::format("servers.json:2: gate[0].clientPort: found port {} for "
                                        "gate-1: Address already in use, expected a port that it "
                                        "can open",
                                        port)));
    ASSERT_TRUE(bus::prepare_run_folder(run));
    const auto lock = bus::run_lock::take(run, "gate-1");
    ASSERT_TRUE(lock);
    EXPECT_THAT(taken(), IsEmpty());
}

/// A run folder whose system runs by a list of its own.
class running_list_test : public system_check_test {
protected:
    running_list_test() {
        where_.config = folder_.config();
        where_.run = folder_.path() / "run";
        EXPECT_TRUE(bus::prepare_run_folder(where_.run));
        folder_.write("run/servers.json", R"({"epoch": 4, "chat": [
          {"id": "chat-1", "host": "127.0.0.1", "port": 6050, "stopped": true}]})");
        lock_.emplace(bus::run_lock::take(where_.run, "chat-1").value());
    }
    std::optional<std::filesystem::path> list() const {
        const auto found = locate(where_);
        return found ? found->wanted.servers_file : std::nullopt;
    }
    place where_;
    std::optional<bus::run_lock> lock_;
};

TEST_F(running_list_test, counts_for_a_start_but_hides_no_file_from_a_check) {
    folder_.write("config/servers.json", "{");
    EXPECT_EQ(check_system(where_, ports_in_use::not_asked, list_choice::running)->problems(), 0U);
    EXPECT_EQ(resolve(where_)->system.epoch, 4U);
    EXPECT_NE(check_system(where_, ports_in_use::not_asked, list_choice::files)->problems(), 0U);
}

TEST_F(running_list_test, refuses_another_list_that_somebody_names) {
    where_.servers = folder_.config() / "servers.json";
    ASSERT_FALSE(locate(where_));
    EXPECT_THAT(locate(where_).error().text(), HasSubstr("their list counts"));
    EXPECT_EQ(locate(where_, list_choice::files)->wanted.servers_file, where_.servers);
    where_.servers = where_.run / "servers.json"; // as the master's children name it
    EXPECT_EQ(list(), where_.servers);
    lock_.reset();
    where_.servers = folder_.config() / "servers.json";
    EXPECT_EQ(list(), where_.servers);
}

} // namespace
} // namespace shaddock::cli
