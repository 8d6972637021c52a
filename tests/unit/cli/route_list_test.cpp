#include "route_list.hpp"

#include "../node/setting_folder.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidjson/document.h>

namespace shaddock::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string modules = SHADDOCK_TEST_BINARY_DIR "/tests/modules/";

class route_list_test : public testing::Test {
protected:
    route_list list(const std::string& type = {}) const {
        place where;
        where.config = folder_.config();
        where.run = folder_.path() / "run";
        auto read = list_routes(where, type);
        EXPECT_TRUE(read) << read.error().text();
        return read ? *read : route_list{};
    }
    void host_yaml(const std::string& text) const { folder_.write("config/host.yaml", text); }

    const node::setting_folder folder_;
};

TEST_F(route_list_test, of_the_shipped_types) {
    host_yaml("types: {gate: , connector: , chat: , time: }\n");
    const auto all = list();
    EXPECT_THAT(all.problems, IsEmpty());
    EXPECT_EQ(
        to_text(all),
        "chat\n"
        "  handler  chat.chatHandler.send     {content: string, target: string} -> {}\n"
        "  remote   chat.chatRemote.add       ({frontend: string, life: uint64, id: uint64, uid: "
        "string}, string, bool) -> string[]\n"
        "  remote   chat.chatRemote.get       (string) -> string[]\n"
        "  remote   chat.chatRemote.kick      ({frontend: string, life: uint64, id: uint64, uid: "
        "string}, string) -> bool\n"
        "  remote   chat.chatRemote.withdraw  ({frontend: string, life: uint64, id: uint64, uid: "
        "string}, string) -> bool\n"
        "\n"
        "connector\n"
        "  handler  connector.entryHandler.enter  {username: string, rid: string, ticket?: string} "
        "-> {code?: "
        "int32, error?: bool, users?: string[]}  (serial)\n"
        "\n"
        "gate\n"
        "  handler  gate.gateHandler.queryEntry  {uid: (string | float64)} -> {code: int32, host: "
        "string, port: uint16}\n"
        "\n"
        "time\n"
        "  handler  time.timeHandler.now            {} -> {hour: int32, minute: int32, second: "
        "int32}\n"
        "  remote   time.timeRemote.getCurrentTime  (int64, int64) -> [int32, int32, int32]\n");
}

TEST_F(route_list_test, of_one_type_for_programs) {
    rapidjson::Document read;
    read.Parse(to_json(list("connector")).c_str());
    ASSERT_TRUE(read.IsArray());
    ASSERT_EQ(read.Size(), 1U);
    const auto& one = read[0];
    EXPECT_STREQ(one["type"].GetString(), "connector");
    EXPECT_STREQ(one["route"].GetString(), "connector.entryHandler.enter");
    EXPECT_STREQ(one["kind"].GetString(), "handler");
    EXPECT_TRUE(one["serial"].GetBool());
    EXPECT_THAT(one["module"].GetString(), HasSubstr("/connector.so"));
    EXPECT_STREQ(one["request"]["properties"]["rid"]["type"].GetString(), "string");
    EXPECT_EQ(one["request"]["required"].Size(), 2U);
    EXPECT_STREQ(one["reply"]["properties"]["code"]["format"].GetString(), "int32");
    EXPECT_EQ(one["reply"]["required"].Size(), 0U);
    EXPECT_THAT(one["text"].GetString(),
                StartsWith("{username: string, rid: string, ticket?: string} -> {code?: "));

    read.Parse(to_json(list("chat")).c_str());
    ASSERT_EQ(read.Size(), 5U);
    EXPECT_STREQ(read[1]["kind"].GetString(), "remote");
    EXPECT_EQ(read[1]["request"]["prefixItems"].Size(), 3U);
    EXPECT_STREQ(read[1]["reply"]["items"]["type"].GetString(), "string");
}

TEST_F(route_list_test, names_the_module_where_a_type_has_several) {
    host_yaml(fmt::format(
        "types: {{gate: , connector: , chat: {{modules: [chat.so, {}module_probe.so]}}}}\n",
        modules));
    const auto all = list();
    EXPECT_THAT(all.problems, IsEmpty());
    EXPECT_THAT(to_text(all),
                AllOf(StartsWith("chat, chat.so\n  handler  chat.chatHandler.send  "),
                      HasSubstr("\n\nchat, module_probe.so\n  handler  "),
                      HasSubstr("\n\nconnector\n  handler  connector.entryHandler.enter  ")));
}

TEST_F(route_list_test, says_which_modules_cannot_be_read_and_lists_the_others) {
    host_yaml(fmt::format("types: {{gate: {{modules: [gaet.so]}}, connector: , "
                          "chat: {{modules: [{}module_crashes_open.so, chat.so]}}}}\n",
                          modules));
    const auto all = list();
    EXPECT_THAT(all.problems,
                ElementsAre(AllOf(StartsWith("chat: " + modules + "module_crashes_open.so: found "),
                                  HasSubstr("while it was opened")),
                            AllOf(StartsWith("gate: "), HasSubstr("; nearest: 'gate.so'"))));
    EXPECT_THAT(to_text(all), AllOf(StartsWith("chat\n  handler  chat.chatHandler.send  "),
                                    HasSubstr("\n\nconnector\n")));
}

TEST_F(route_list_test, of_an_unknown_type_names_the_nearest) {
    const auto none = list("caht");
    EXPECT_THAT(none.modules, IsEmpty());
    EXPECT_THAT(none.problems,
                ElementsAre("routes: found the type 'caht', expected one of host.yaml "
                            "(development): chat, connector, gate; nearest: 'chat'"));
    EXPECT_EQ(to_text(none), "");
    EXPECT_EQ(to_json(none), "[]");
}

TEST_F(route_list_test, tells_what_is_wrong_with_the_files_too) {
    host_yaml("lgo: {}\n");
    const auto all = list("gate");
    EXPECT_THAT(all.problems, ElementsAre(HasSubstr("host.yaml:1: lgo: found 'lgo'")));
    EXPECT_THAT(to_text(all), StartsWith("gate\n  handler  gate.gateHandler.queryEntry  "));
}

TEST(route_text, of_a_module_whose_shapes_are_not_known) {
    const auto read = node::look_at_module(modules + "module_good.so", "good");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(to_text({{{"good", "good.so", *read}, {"none", "none.so", {}}}, {}}),
              "good\n"
              "  handler  good.goodHandler.go  {} -> ?  (serial)\n"
              "  remote   good.goodRemote.add  ? -> ?\n"
              "\n"
              "none\n"
              "  no routes\n");
}

TEST(routes_arguments, takes_a_type_and_a_form) {
    const auto all = parse({"routes"});
    ASSERT_TRUE(std::holds_alternative<routes_command>(all));
    EXPECT_EQ(std::get<routes_command>(all).type, "");
    EXPECT_FALSE(std::get<routes_command>(all).as_json);
    const auto one = parse({"routes", "chat", "--json", "-e", "test", "--config", "/c"});
    ASSERT_TRUE(std::holds_alternative<routes_command>(one));
    EXPECT_EQ(std::get<routes_command>(one).type, "chat");
    EXPECT_TRUE(std::get<routes_command>(one).as_json);
    EXPECT_EQ(std::get<routes_command>(one).where.env, "test");
    EXPECT_EQ(std::get<routes_command>(one).where.config, "/c");
    EXPECT_TRUE(std::holds_alternative<answer>(parse({"routes", "chat", "gate"})));
}

} // namespace
} // namespace shaddock::cli
