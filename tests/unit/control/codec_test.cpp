#include "control/codec.hpp"

#include "control/log.hpp"
#include "control/masters.hpp"
#include "control/metrics.hpp"
#include "control/reload.hpp"
#include "control/requests.hpp"
#include "control/start.hpp"
#include "control/status.hpp"
#include "control/words.hpp"

#include <gmock/gmock.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <fstream>
#include <functional>
#include <regex>

/// Every message as a host of a neighbouring version would write it: with a member less, anywhere
/// in it, and with one more.
namespace shaddock::control {
namespace {

std::string text_of(const rapidjson::Value& value) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> out(buffer);
    value.Accept(out);
    return buffer.GetString();
}

using object_call = std::function<void(rapidjson::Value&)>;

/// All objects in it but maps, whose members are theirs to choose.
void each_object(rapidjson::Value& in, const object_call& call) {
    if (in.IsArray()) {
        for (auto& each : in.GetArray()) {
            each_object(each, call);
        }
    } else if (in.IsObject()) {
        for (auto at = in.MemberBegin(); at < in.MemberEnd(); ++at) {
            if (at->name != "areas" && at->name != "args" && at->name != "body") {
                each_object(at->value, call);
            }
        }
        call(in);
    }
}

/// The text once for each member of each object in it, without that member.
std::vector<std::string> older_forms(const std::string& text) {
    std::vector<std::string> forms;
    for (unsigned without = 0;; ++without) {
        rapidjson::Document document;
        document.Parse(text.c_str());
        unsigned at = 0;
        bool is_found = false;
        each_object(document, [&](rapidjson::Value& object) {
            const auto begin = at;
            at += object.MemberCount();
            if (!is_found && without >= begin && without < at) {
                object.EraseMember(object.MemberBegin() + (without - begin));
                is_found = true;
            }
        });
        if (!is_found) {
            return forms;
        }
        forms.push_back(text_of(document));
    }
}

std::string newer_form(const std::string& text) {
    rapidjson::Document document;
    document.Parse(text.c_str());
    auto& pool = document.GetAllocator();
    each_object(document, [&](rapidjson::Value& object) {
        rapidjson::Value later(rapidjson::kObjectType);
        later.AddMember("deep", rapidjson::Value(rapidjson::kArrayType).PushBack(1, pool), pool);
        object.AddMember("of_a_later_version", later, pool);
    });
    return text_of(document);
}

running_build build() {
    return {"1.0", "ab12", 3};
}

server_row row() {
    server_row made;
    made.id = "chat-1";
    made.type = "chat";
    made.state = "ready";
    made.staying = rooms_left{2, 3};
    made.draining = drain_left{2, 3, 60};
    made.set_process(7);
    made.machine = "b";
    made.reason = "why";
    made.incarnation = 1'795'000'000'123'456'789U;
    return made;
}

reload_record reloaded() {
    return {.job = 7,
            .id = "chat-1",
            .type = "chat",
            .ok = true,
            .dry_run = true,
            .from = build(),
            .to = build(),
            .cut_off = "gate",
            .ms = 1.5};
}

told_families families() {
    return {{.name = "a",
             .help = "h",
             .kind = "counter",
             .labels = {"l"},
             .samples = {told_sample{{"x"}, 1}}},
            {.name = "b",
             .help = "h",
             .kind = "histogram",
             .bounds = {{0.5}},
             .samples = {told_histogram{{}, {1, 2}, 0.5}}}};
}

class every_message : public testing::Test {
protected:
    template <class Message>
    void is_understood(const std::string& name, const Message& whole, bool is_map = false) {
        SCOPED_TRACE(name);
        tried.insert(name);
        const auto text = to_json(whole);
        const auto same = from_json<Message>(text);
        ASSERT_TRUE(same) << same.error().text();
        EXPECT_EQ(to_json(*same), text);
        for (const auto& older : older_forms(text)) {
            const auto read = from_json<Message>(older);
            EXPECT_TRUE(read) << older << ": " << read.error().text();
        }
        if (!is_map) {
            const auto newer = newer_form(text);
            const auto read = from_json<Message>(newer);
            ASSERT_TRUE(read) << newer << ": " << read.error().text();
            EXPECT_EQ(to_json(*read), text);
        }
    }
    std::set<std::string> tried;
};

TEST_F(every_message, of_an_older_and_of_a_newer_host_is_understood) {
    is_understood("registration", registration{"chat-1", incarnation{5}});
    is_understood("server_status", server_status(row()));
    is_understood("server_life", server_life{"chat-1", incarnation{5}});
    is_understood("server_list", server_list{3, {{"{}"}}, {"{}"}, {"a"}});
    is_understood("listed_server", listed_server{"a", "chat", "h", "c", 1, 2, true});
    is_understood("question", question{7, "log", raw_json{"{\"level\":\"info\"}"}});
    is_understood("answer", answer{7, raw_json{"[1]"}, {}});
    is_understood("answer", answer{7, {}, "no"});
    is_understood("reload_order", reload_order{7, true, true});
    is_understood("reload_record", reloaded());
    is_understood("told_families", families());
    is_understood("log_change", log_change{"debug", "net"});
    is_understood("log_levels", log_levels{"info", {{"net", "debug"}}});
    is_understood("refusal", refusal{"no"});
    is_understood("server_rows", server_rows{row(), server_row()});
    is_understood("health", health{false, {{"chat-1", "failed"}}});
    is_understood("target_request", target_request{{"chat"}});
    is_understood("end_request", end_of({"chat-1"}));
    is_understood("end_request", end_of({}));
    is_understood("drain_request", drain_request{{"chat-1"}, 1000});
    is_understood("addition_request", addition_of({{"id", "a"}, {"port", "1"}}), true);
    is_understood("reload_request", reload_request{{"chat"}, true, true});
    is_understood("reload_results", reload_results{{reloaded()}});
    is_understood(
        "start_results",
        start_results{
            {{.id = "a", .type = "chat", .ok = true, .pid = 7, .warning = "w", .ms = 2}}});
    is_understood("log_request", log_request{{"debug", "net"}, {"chat"}});
    is_understood("log_results", log_results{{{"a", true, log_levels{"info", {}}, {}}}});
    is_understood("log_tail", log_tail{"a", "f", {"x"}});
    is_understood("log_tails", log_tails{{{"a", "f", {"x"}}}});
    is_understood("told_servers", told_servers{{{"a", "chat", families()}}});
    is_understood("list_request", list_request{true});
    is_understood("logs_request", logs_request{{"chat"}, 7});
    is_understood("master_question", master_question{"stop", raw_json{R"({"ids":["a"]})"}});
    is_understood("master_answer", master_answer{raw_json{"[1]"}, {}, {}, {}});
    is_understood("master_answer", master_answer{{}, answer_part{7, 2, "[1"}, {}, {}});
    is_understood("master_answer", master_answer{{}, {}, "no", 13});
    is_understood("part_request", part_request{7, 1});
    is_understood("machine_rows", machine_rows{{"10.0.0.1"}, {row()}});
    is_understood("master_presence", master_presence{"a", "b", true, 7});
    is_understood("admin_place", admin_place{"127.0.0.1", 3005, 7});

    // None is left out.
    std::ifstream file(SHADDOCK_TEST_SOURCE_DIR "/host/control/codec.cpp");
    const std::string source(std::istreambuf_iterator<char>(file), {});
    const std::regex named(R"(SHADDOCK_CONTROL_MESSAGE\((\w+)\))");
    std::set<std::string> all;
    for (std::sregex_iterator at(source.begin(), source.end(), named), end; at != end; ++at) {
        all.insert((*at)[1]);
    }
    all.erase("raw_json");
    EXPECT_THAT(tried, testing::ContainerEq(all));
}

TEST(codec, keeps_what_is_absent_and_names_what_is_of_another_type) {
    EXPECT_EQ(from_json<server_status>("{}").value(), server_status());
    for (const auto* wrong : {"", "5", "[]", R"({"links":-1})", R"({"state":1})"}) {
        const auto read = from_json<server_status>(wrong, "status");
        ASSERT_FALSE(read) << wrong;
        EXPECT_EQ(read.error().code(), errc::bad_request);
    }
    EXPECT_THAT(from_json<server_status>(R"({"links":"x"})", "status").error().text(),
                testing::HasSubstr("links: expected integer"));
    EXPECT_FALSE(from_json<server_rows>(std::string(100'000, '['))) << "no stack is used up";
}

} // namespace
} // namespace shaddock::control
