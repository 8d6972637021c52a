#include "chat/chat_api.hpp"

#include <shaddock/dispatch.hpp>
#include <shaddock/testing/plugin_under_test.hpp>
#include <shaddock/ticket.hpp>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

using namespace std::chrono_literals;
namespace json = shaddock::json;
using kind = shaddock::door::session_change::kind;
using shaddock::errc;
using shaddock::error;
using shaddock::result;
using shaddock::testing::make_session;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class connector_plugin : public testing::Test {
protected:
    shaddock::testing::plugin_under_test plugin{shaddock_plugin_door};
    /// Answers of the chat servers by `<method> <room>`; default: done.
    std::map<std::string, result<std::string>> scripted;
    const shaddock::door::session_data fresh = make_session(7);
    const shaddock::door::session_data inside = make_session(7, "ann*one", {{"rid", "\"one\""}});

    connector_plugin() {
        plugin.host.on_call = [this](const auto& call) -> result<std::string> {
            const auto method = call.route.substr(call.route.rfind('.') + 1);
            if (const auto found = scripted.find(method + " " + call.routed_by_text);
                found != scripted.end()) {
                return found->second;
            }
            return method == "add" ? std::string(R"(["bob","ann"])") : std::string("true");
        };
    }

    std::string enter(std::string_view body, const shaddock::door::session_data& who) {
        const auto answer = plugin.request("entryHandler.enter", body, who);
        if (!answer) {
            return "(waiting)";
        }
        return *answer ? answer->value() : std::string(to_string(answer->error().code()));
    }
    /// `add one ann*one`, ... in order.
    std::vector<std::string> calls() const {
        std::vector<std::string> made;
        for (const auto& call : plugin.host.calls) {
            const auto who =
                json::decode<std::vector<shaddock::raw_json>>(call.arguments)->at(0).text;
            made.push_back(call.route.substr(call.route.rfind('.') + 1) + " " +
                           call.routed_by_text + " " +
                           json::decode<shaddock::session_ref>(who)->uid);
        }
        return made;
    }
    std::vector<std::string> changes() const {
        std::vector<std::string> made;
        for (const auto& [who, change] : plugin.host.changes) {
            made.push_back(change.what == kind::bind     ? "bind " + change.uid
                           : change.what == kind::rebind ? "rebind " + change.uid
                           : change.what == kind::push
                               ? change.settings.at(0).key + " = " + change.settings.at(0).json
                               : "other");
        }
        return made;
    }
};

TEST_F(connector_plugin, enters_a_room) {
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), R"({"users":["bob","ann"]})");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one"));
    EXPECT_THAT(changes(), ElementsAre("bind ann*one", "rid = \"one\""));
    EXPECT_EQ(plugin.host.calls[0].contract, chat::add.hash());
    EXPECT_TRUE(plugin.handler("entryHandler.enter").is_serial);
}

TEST_F(connector_plugin, says_when_the_name_is_taken_and_changes_nothing) {
    scripted.emplace("add one", error(errc::duplicate, "taken"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), R"({"code":500,"error":true})");
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(connector_plugin, fails_without_a_chat_server_and_changes_nothing) {
    scripted.emplace("add one", error(errc::no_server, "none"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "no_server");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(connector_plugin, leaves_a_closed_session_to_the_host) {
    plugin.host.on_change = [](const auto&) { return error(errc::closed, "gone"); };
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "closed");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one")) << "a kick would announce the leave twice";
}

TEST_F(connector_plugin, takes_the_join_back_when_the_session_cannot_be_bound) {
    plugin.host.on_change = [](const auto&) { return error(errc::timeout, "slow"); };
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "timeout");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one", "withdraw one ann*one"));
}

TEST_F(connector_plugin, refuses_names_and_rooms_before_anything_happens) {
    const std::string long_name(65, 'x');
    const std::string deceiving[] = {"a\u0085b", "a\u202eb", "a\u2066b", "a\u2028b"};
    for (const auto& name : deceiving) {
        EXPECT_EQ(enter(json::encode(
                            std::map<std::string, std::string>{{"username", name}, {"rid", "one"}}),
                        fresh),
                  "bad_request");
    }
    for (const auto* body :
         {R"({})", R"({"username":"ann"})", R"({"username":"","rid":"one"})",
          R"({"username":"ann","rid":""})", R"({"username":"a*b","rid":"one"})",
          R"({"username":7,"rid":"one"})", R"({"username":"a\u0000b","rid":"one"})", "x"}) {
        EXPECT_EQ(enter(body, fresh), "bad_request") << body;
    }
    EXPECT_EQ(enter(R"({"username":")" + long_name + R"(","rid":"one"})", fresh), "bad_request");
    EXPECT_EQ(enter(R"({"username":"ann","rid":")" + long_name + R"("})", fresh), "bad_request");
    EXPECT_THAT(calls(), IsEmpty());
    EXPECT_THAT(changes(), IsEmpty());
}

/// A connector whose config names a file of keys.
struct connector_with_keys : connector_plugin {
    connector_with_keys() {
        std::ofstream(file) << "one " << std::string(64, 'a') << "\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        plugin.host.files["connector"] = R"({"ticket_keys":")" + file + R"("})";
    }
    ~connector_with_keys() override { std::filesystem::remove(file); }
    std::string enter_with(std::string_view ticket) {
        return enter(R"({"username":"ann","rid":"one","ticket":")" + std::string(ticket) + R"("})",
                     fresh);
    }
    const std::string file = testing::TempDir() + "ticket_keys." + std::to_string(::getpid());
    const shaddock::ticket_keys keys =
        shaddock::ticket_keys::parse("one " + std::string(64, 'a')).value();
};

TEST_F(connector_with_keys, lets_in_who_has_a_ticket_for_the_name) {
    EXPECT_EQ(enter_with(keys.issue("ann", 60s)), R"({"users":["bob","ann"]})");
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), R"({"users":["bob","ann"]})")
        << "to switch rooms takes none";
}

TEST_F(connector_with_keys, refuses_everybody_else_with_401) {
    const auto now = shaddock::ticket_keys::current_time();
    const auto other = shaddock::ticket_keys::parse("one " + std::string(64, 'b')).value();
    for (const auto& ticket : {std::string(), std::string("x"), keys.issue("bob", 60s),
                               keys.issue("ann", 60s, now - 61s), other.issue("ann", 60s)}) {
        EXPECT_EQ(enter_with(ticket), "refused") << ticket;
    }
    const auto without =
        plugin.request("entryHandler.enter", R"({"username":"ann","rid":"one"})", fresh);
    EXPECT_EQ(without->error().client_code(), 401);
    EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(connector_with_keys, does_not_start_without_its_keys) {
    std::filesystem::permissions(file, std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    EXPECT_THROW(plugin.create(), std::runtime_error);
}

TEST_F(connector_plugin, switches_rooms_joining_first) {
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), R"({"users":["bob","ann"]})");
    EXPECT_THAT(calls(), ElementsAre("add two ann*two", "kick one ann*one"));
    EXPECT_THAT(changes(), ElementsAre("rebind ann*two", "rid = \"two\""));
}

TEST_F(connector_plugin, refuses_another_name_and_the_same_room_again) {
    scripted.emplace("add one", error(errc::duplicate, "in it"));
    EXPECT_EQ(enter(R"({"username":"bob","rid":"two"})", inside), R"({"code":500,"error":true})");
    EXPECT_THAT(calls(), IsEmpty());
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", inside), R"({"code":500,"error":true})");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(connector_plugin, enters_its_own_room_again_when_that_has_lost_it) {
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", inside), R"({"users":["bob","ann"]})");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one"));
    scripted.emplace("add one", error(errc::timeout, "slow"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", inside), "timeout");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one", "add one ann*one"))
        << "it believes to be in there: nothing is taken back";
}

TEST_F(connector_plugin, stays_where_it_is_when_the_new_room_refuses) {
    scripted.emplace("add two", error(errc::duplicate, "taken"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), R"({"code":500,"error":true})");
    scripted.at("add two") = error(errc::recovering, "wait");
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), "recovering");
    EXPECT_THAT(calls(), ElementsAre("add two ann*two", "add two ann*two"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(connector_plugin, goes_back_when_the_old_room_cannot_be_left) {
    scripted.emplace("kick one", error(errc::timeout, "slow"));
    scripted.emplace("add one", error(errc::duplicate, "still there"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), "timeout");
    EXPECT_THAT(calls(), UnorderedElementsAre("add two ann*two", "kick one ann*one",
                                              "withdraw two ann*two", "add one ann*one"));
    EXPECT_THAT(changes(),
                ElementsAre("rebind ann*two", "rid = \"two\"", "rebind ann*one", "rid = \"one\""));
}

/// The join that is to be taken back is refused `times` times.
struct connector_on_a_full_link : connector_plugin {
    connector_on_a_full_link() {
        scripted.emplace("kick one", error(errc::overloaded, "full"));
        plugin.host.on_call =
            [this, others = plugin.host.on_call](const auto& call) -> result<std::string> {
            const bool takes_back = call.route == chat::withdraw.route();
            return takes_back && refusals++ < times ? error(errc::overloaded, "full")
                                                    : others(call);
        };
    }
    int times = 0;
    int refusals = 0;
};

TEST_F(connector_on_a_full_link, tries_again_to_take_a_join_back) {
    times = 3;
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), "overloaded");
    plugin.host.advance(1s);
    EXPECT_EQ(refusals, 4) << "the last of them went well";
    EXPECT_EQ(changes().back(), "rid = \"one\"") << "it is where it was";
    EXPECT_THAT(plugin.host.log_lines, IsEmpty());
}

TEST_F(connector_on_a_full_link, leaves_nobody_in_two_rooms_and_says_so_once_a_minute) {
    times = 1'000'000;
    for (std::uint64_t id = 1; id <= 5; ++id) {
        const auto session = make_session(id, "ann*one", {{"rid", "\"one\""}});
        EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", session), "overloaded");
    }
    plugin.host.changes.clear();
    plugin.host.advance(3min);
    ASSERT_THAT(plugin.host.changes, testing::SizeIs(5));
    for (const auto& each : plugin.host.changes) {
        EXPECT_EQ(each.change.what, kind::kick);
        EXPECT_EQ(each.change.text, "lost");
    }
    EXPECT_THAT(plugin.host.log_lines, testing::SizeIs(1));
}

TEST_F(connector_plugin, closes_who_can_neither_leave_nor_go_back) {
    scripted.emplace("kick one", error(errc::timeout, "slow"));
    scripted.emplace("add one", error(errc::no_server, "none"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"two"})", inside), "timeout");
    EXPECT_EQ(plugin.host.changes.back().change.what, kind::kick);
}

TEST_F(connector_plugin, takes_a_join_back_that_may_have_been_carried_out) {
    scripted.emplace("add one", error(errc::disconnected, "link lost"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "disconnected");
    EXPECT_THAT(calls(), ElementsAre("add one ann*one", "withdraw one ann*one"));
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(connector_plugin, enters_nothing_until_a_join_in_doubt_is_taken_back) {
    scripted.emplace("add one", error(errc::disconnected, "link lost"));
    scripted.emplace("withdraw one", error(errc::no_server, "not there yet"));
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "disconnected");
    scripted.erase("add one");
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "recovering");
    scripted.at("withdraw one") = error(errc::recovering, "wait");
    plugin.host.advance(1s);
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), "recovering");
    scripted.erase("withdraw one");
    plugin.host.advance(1s);
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", fresh), R"({"users":["bob","ann"]})");
}

TEST_F(connector_plugin, refuses_clients_of_other_frontends) {
    const auto elsewhere = make_session(7, {}, {}, "gate-server-1");
    EXPECT_EQ(enter(R"({"username":"ann","rid":"one"})", elsewhere), "refused");
    EXPECT_THAT(calls(), IsEmpty());
    EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(connector_plugin, routes_chat_by_the_room) {
    std::vector<shaddock::door::server_info> chats(3);
    for (std::size_t i = 0; i < chats.size(); ++i) {
        chats[i].id = "chat-server-" + std::to_string(i + 1);
    }
    const auto wanted = chats[shaddock::dispatch_index("one", 3)].id;
    EXPECT_EQ(plugin.pick("chat", {.session = &inside, .text = {}, .number = {}}, chats).value(),
              wanted);
    EXPECT_EQ(plugin.pick("chat", {.session = nullptr, .text = "one", .number = {}}, chats).value(),
              wanted);
    EXPECT_EQ(
        plugin.pick("chat", {.session = &fresh, .text = {}, .number = {}}, chats).error().code(),
        errc::refused);
    EXPECT_EQ(
        plugin.pick("chat", {.session = nullptr, .text = {}, .number = 3}, chats).error().code(),
        errc::bad_request);
}

} // namespace
