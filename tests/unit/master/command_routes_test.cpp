#include "command_routes.hpp"

#include "bus/run_folder.hpp"
#include "control/codec.hpp"
#include "fake_commands.hpp"
#include "temp_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

#include <thread>

namespace shaddock::master {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class command_routes : public testing::Test {
protected:
    void SetUp() override {
        target.refusals = {{"unknown", error(errc::not_found, "nearest: chat-1")},
                           {"busy", error(errc::duplicate, "another one is under way")},
                           {"full", error(errc::config, "no space")}};
        target.reasons = {{"chat-2", "late"}};
        add_command_routes(server, target);
        ASSERT_TRUE(server.start("127.0.0.1", 0));
        thread = std::thread([this] { loop.run_for(std::chrono::seconds(30)); });
        client.emplace(admin_client::open(folder.path()).value());
    }
    void TearDown() override {
        boost::asio::post(loop, [this] { server.stop(); });
        thread.join();
    }
    std::string call(const std::string& method, const std::string& path, std::string body = {}) {
        target.asked.clear();
        const auto answer = client->call(method, path, std::move(body));
        return answer ? *answer : answer.error().text();
    }

    boost::asio::io_context loop;
    test::temp_folder folder;
    bus::run_lock lock = bus::run_lock::take(folder.path(), "master").value();
    test::fake_commands target;
    base::steady_clock clock{loop.get_executor()};
    admin_server server{loop.get_executor(), clock, folder.path()};
    std::optional<admin_client> client;
    std::thread thread;
};

TEST_F(command_routes, restart) {
    EXPECT_EQ(call("POST", "/api/restart",
                   control::to_json(control::target_request{{"chat-1", "chat-2"}})),
              R"({"results":[{"id":"chat-1","type":"","ok":true,"ms":0},)"
              R"({"id":"chat-2","type":"","ok":false,"reason":"late","ms":0}]})");
    EXPECT_THAT(target.asked, ElementsAre("restart chat-1 chat-2"));
    for (const auto* wrong : {"", "[]", "{}", R"({"targets":[]})", R"({"targets":[1]})"}) {
        EXPECT_THAT(call("POST", "/api/restart", wrong), HasSubstr("expected {\"targets\""))
            << wrong;
    }
}

TEST_F(command_routes, remove) {
    EXPECT_EQ(call("POST", "/api/remove", R"({"ids":["a","chat"]})"), "{}");
    EXPECT_THAT(target.asked, ElementsAre("remove a chat"));
    EXPECT_THAT(call("POST", "/api/remove", R"({"ids":["full"]})"), HasSubstr("no space"));
    for (const auto* wrong : {"", "{}", R"({"ids":[]})", R"({"all":true})"}) {
        EXPECT_THAT(call("POST", "/api/remove", wrong), HasSubstr("expected")) << wrong;
        EXPECT_TRUE(target.asked.empty());
    }
}

TEST_F(command_routes, drain) {
    EXPECT_EQ(call("POST", "/api/drain", R"({"ids":["a"],"within_ms":1800000})"), "{}");
    EXPECT_THAT(target.asked, ElementsAre("drain 1800000 a"));
    EXPECT_THAT(call("POST", "/api/drain", R"({"ids":["full"],"within_ms":1})"),
                HasSubstr("no space"));
    for (const auto* wrong : {"", "[]", R"({"ids":["a"]})", R"({"ids":[],"within_ms":1})",
                              R"({"ids":["a"],"within_ms":604800001})"}) {
        EXPECT_THAT(call("POST", "/api/drain", wrong), HasSubstr("within_ms")) << wrong;
    }
}

TEST_F(command_routes, stop_and_kill) {
    for (const std::string what : {"stop", "kill"}) {
        const auto path = "/api/" + what;
        EXPECT_EQ(call("POST", path, R"({"ids":["a","chat"]})"), "{}");
        EXPECT_THAT(target.asked, ElementsAre(what + " a chat"));
        EXPECT_THAT(call("POST", path, R"({"ids":["unknown"]})"), HasSubstr("nearest: chat-1"));
        call("POST", path, R"({"all":true})");
        // The answer comes before the deed: a second one, after it.
        ASSERT_TRUE(client->list(false));
        EXPECT_THAT(target.asked, ElementsAre(what + " everything"));
        for (const auto* wrong : {"", "{}", R"({"ids":[]})", R"({"all":false})"}) {
            EXPECT_THAT(call("POST", path, wrong), HasSubstr("expected {\"ids\"")) << wrong;
            EXPECT_TRUE(target.asked.empty());
        }
    }
}

TEST_F(command_routes, add) {
    EXPECT_EQ(call("POST", "/api/add", R"({"id":"a","port":7000,"frontend":true,"tag":"x"})"),
              R"({"results":[]})");
    EXPECT_THAT(target.asked, ElementsAre("add frontend=true id=a port=7000 tag=x"));
    EXPECT_EQ(call("POST", "/api/add", R"({"port":7000})"), "add: id: found nothing");
    EXPECT_THAT(call("POST", "/api/add", "[1]"), HasSubstr("expected an object of texts"));
}

TEST_F(command_routes, reload) {
    EXPECT_THAT(call("POST", "/api/reload",
                     R"({"targets":["chat-1","chat-2"],"rollback":true,"dry_run":true})"),
                AllOf(HasSubstr(R"({"id":"chat-1","type":"","ok":true,)"),
                      HasSubstr(R"("reason":"late")")));
    EXPECT_THAT(target.asked, ElementsAre("reload back dry chat-1 chat-2"));
    EXPECT_THAT(call("POST", "/api/reload", R"({"targets":["busy"]})"), HasSubstr("under way"));
}

TEST_F(command_routes, log) {
    const auto answer = call("POST", "/api/log",
                             control::to_json(control::log_request{{"debug", "net"}, {"chat-2"}}));
    EXPECT_THAT(target.asked, ElementsAre("log debug net chat-2"));
    EXPECT_EQ(answer, R"({"results":[{"id":"chat-2","ok":false,"reason":"late"}]})");
    EXPECT_THAT(call("POST", "/api/log", R"({"targets":["a"],"level":"loud"})"),
                HasSubstr("level: found 'loud', expected one of debug, info"));
    EXPECT_THAT(call("POST", "/api/log", R"({"targets":["a"],"area":"nte"})"),
                HasSubstr("nearest: net"));
}

TEST_F(command_routes, logs) {
    EXPECT_EQ(call("GET", "/api/logs?id=chat-1&lines=2"),
              R"({"id":"chat-1","file":"/chat-1.log","lines":["line"]})");
    EXPECT_THAT(target.asked, ElementsAre("logs 2 chat-1"));
    EXPECT_EQ(call("GET", "/api/logs?targets=chat-1,gate-1"),
              R"({"results":[{"id":"chat-1","file":"/chat-1.log","lines":["line"]},)"
              R"({"id":"gate-1","file":"/gate-1.log","lines":["line"]}]})");
    EXPECT_THAT(target.asked, ElementsAre("logs 100 chat-1 gate-1"));
    for (const auto* wrong : {"x", "10001", "-1"}) {
        EXPECT_THAT(call("GET", fmt::format("/api/logs?id=chat-1&lines={}", wrong)),
                    HasSubstr("expected a number from 0 to 10000"))
            << wrong;
    }
    EXPECT_THAT(call("GET", "/api/logs?id=unknown"), HasSubstr("nearest: chat-1"));
    EXPECT_THAT(call("GET", "/api/logs?id=chat-1,b"),
                HasSubstr("id: found 'chat-1,b', which is not"));
}

TEST_F(command_routes, are_known_by_their_names_only) {
    bool is_answered = false;
    carry_out(target, "hibernate", "{}", [&](const result<std::string>& made) {
        is_answered = true;
        EXPECT_EQ(made.error().code(), errc::unknown_route);
        EXPECT_THAT(made.error().text(), HasSubstr("no command 'hibernate'"));
    });
    EXPECT_TRUE(is_answered);
}

} // namespace
} // namespace shaddock::master
