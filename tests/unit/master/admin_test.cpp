#include "master/admin.hpp"

#include "../control/chat_row.hpp"
#include "bus/run_folder.hpp"
#include "command_routes.hpp"
#include "control/codec.hpp"
#include "control/requests.hpp"
#include "control/status.hpp"
#include "fake_commands.hpp"
#include "http.hpp"
#include "private_file.hpp"
#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using testing::HasSubstr;

/// A master's admin API on a thread of its own, over a target that remembers.
class admin_api : public testing::Test {
protected:
    admin_api()
        : lock(bus::run_lock::take(folder.path(), "master").value()),
          server(loop.get_executor(), clock, folder.path()) {
        target.rows = {control::chat_row(), control::chat_row()};
        target.rows.back().id = "web";
        target.refusals = {{"unknown", error(errc::not_found, "nearest: chat-server-1")},
                           {"busy", error(errc::duplicate, "another reload is under way")}};
        add_command_routes(server, target);
        EXPECT_TRUE(write_private_file(folder.path() / "metrics_token", std::string(40, 'r')));
        EXPECT_TRUE(server.let_read({}, {}));
        EXPECT_TRUE(server.start("127.0.0.1", 0));
        port = server.port();
        thread = std::thread([this] { loop.run_for(30s); });
    }
    ~admin_api() override {
        boost::asio::post(loop, [this] { server.stop(); });
        thread.join();
    }
    test::temp_folder folder;
    boost::asio::io_context loop{1};
    base::steady_clock clock{loop.get_executor()};
    bus::run_lock lock;
    test::fake_commands target;
    admin_server server;
    std::uint16_t port = 0;
    std::thread thread;
};

TEST_F(admin_api, lists_for_who_finds_the_run_folder) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client) << client.error().text();
    EXPECT_EQ(client->master_pid(), getpid());
    const auto lines = client->list(false);
    ASSERT_TRUE(lines) << lines.error().text();
    EXPECT_EQ(control::to_json(*lines),
              control::to_json(control::server_rows{control::chat_row()}));
    EXPECT_EQ(client->list(true)->size(), 2U);
}

TEST_F(admin_api, stops_the_named_and_answers_when_they_are_down) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client);
    EXPECT_TRUE(client->stop({"chat-server-1", "web"}));
    EXPECT_THAT(target.asked, testing::ElementsAre("stop chat-server-1 web"));
}

TEST_F(admin_api, hands_on_why_a_stop_was_refused) {
    const auto answer = admin_client::open(folder.path())->stop({"unknown"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), errc::not_found);
    EXPECT_THAT(answer.error().text(), HasSubstr("nearest: chat-server-1"));
}

TEST_F(admin_api, reloads_and_answers_how_it_ended) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client);
    const auto lines = client->reload({{"chat"}, true, true});
    ASSERT_TRUE(lines) << lines.error().text();
    ASSERT_EQ(lines->results.size(), 1U);
    EXPECT_EQ(lines->results.front().id, "chat-server-1");
    ASSERT_TRUE(client->reload({{"chat-server-1"}}));
    EXPECT_THAT(target.asked, testing::ElementsAre("reload back dry chat", "reload chat-server-1"));
}

TEST_F(admin_api, hands_on_why_a_reload_did_not_begin) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client);
    const auto unknown = client->reload({{"unknown"}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), errc::not_found);
    EXPECT_THAT(unknown.error().text(), HasSubstr("nearest: chat-server-1"));
    const auto busy = client->reload({{"busy"}});
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code(), errc::refused);
    EXPECT_THAT(busy.error().text(), HasSubstr("another reload is under way"));
}

TEST_F(admin_api, refuses_bodies_that_are_no_reload) {
    std::string token;
    std::getline(std::ifstream(folder.path() / "token"), token);
    http_request request;
    request.method = "POST";
    request.target = "/api/reload";
    request.authorization = "Bearer " + token;
    for (const auto* body : {"", "[]", "{}", R"({"targets":1})", R"({"targets":[]})",
                             R"({"targets":[1]})", R"({"targets":["chat"],"rollback":1})"}) {
        request.body = body;
        EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 400U) << body;
    }
    request.body = R"({"targets":["chat"]})";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 200U);
    request.body = R"({"targets":["unknown"]})";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 404U);
    request.body = R"({"targets":["busy"]})";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 409U);
}

TEST_F(admin_api, is_closed_without_the_token) {
    http_request request;
    request.method = "GET";
    request.target = "/api/servers";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 401U);
    request.authorization = "Bearer " + std::string(64, '0');
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 401U);
}

TEST_F(admin_api, lets_readers_read_and_nothing_else) {
    http_request request;
    request.method = "GET";
    request.target = "/api/servers?all=1";
    request.authorization = "Bearer " + std::string(40, 'r');
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 200U);
    for (const auto* path : {"/api/stop", "/api/reload", "/api/servers", "/api/other"}) {
        request.method = "POST";
        request.target = path;
        request.body = R"({"all":true})";
        const auto answer = http_call("127.0.0.1", port, request, 5s);
        EXPECT_EQ(answer->status, 403U) << path;
        EXPECT_THAT(answer->body, HasSubstr("and nothing else"));
    }
    EXPECT_THAT(target.asked, testing::IsEmpty());
    request.authorization = "Bearer ";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 401U);
}

TEST_F(admin_api, refuses_bodies_that_are_not_ids) {
    std::string token;
    std::getline(std::ifstream(folder.path() / "token"), token);
    http_request request;
    request.method = "POST";
    request.target = "/api/stop";
    request.authorization = "Bearer " + token;
    for (const auto* body : {"", "[]", "{}", R"({"ids":1})", R"({"ids":[1]})", R"({"ids":[]})",
                             R"({"all":false})", R"({"all":true,"ids":["a"]})"}) {
        request.body = body;
        EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 400U) << body;
    }
    EXPECT_THAT(target.asked, testing::IsEmpty());
    request.body = R"({"all":true})";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 202U);
    request.target = "/api/other";
    EXPECT_EQ(http_call("127.0.0.1", port, request, 5s)->status, 404U);
}

TEST_F(admin_api, keeps_its_token_for_this_user_alone) {
    struct stat info {};
    ASSERT_EQ(stat((folder.path() / "token").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(info.st_size, 65);
}

/// A master that takes every connection, and does with it what the test says.
class deaf_master : public testing::Test {
protected:
    deaf_master() : lock(bus::run_lock::take(folder.path(), "master").value()) {
        folder.write("token", "secret\n");
        folder.write("admin.json", control::to_json(control::admin_place{
                                       "127.0.0.1", door.local_endpoint().port(), 77}));
    }
    test::temp_folder folder;
    bus::run_lock lock;
    boost::asio::io_context loop{1};
    tcp::acceptor door{loop, {boost::asio::ip::address_v4::loopback(), 0}};
};

TEST_F(deaf_master, is_named_with_what_was_asked_when_it_hangs) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client) << client.error().text();
    const auto answer = client->call("GET", "/api/servers?all=1", {}, 100ms);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), errc::timeout);
    EXPECT_THAT(answer.error().text(),
                testing::StartsWith("the master (process 77) has not answered GET /api/servers "));
}

TEST_F(deaf_master, is_named_with_what_to_look_at_when_it_ends_meanwhile) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client) << client.error().text();
    std::thread ending([this] { door.accept().close(); });
    const auto answer = client->call("POST", "/api/add", "{}");
    ending.join();
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text(),
                testing::StartsWith("the master (process 77) closed the line before it answered "
                                    "POST /api/add ("));
    EXPECT_THAT(answer.error().text(), HasSubstr("look at `host list`"));
}

TEST(admin_client, says_that_no_master_runs) {
    const test::temp_folder folder;
    const auto client = admin_client::open(folder.path());
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code(), errc::not_found);
    EXPECT_THAT(client.error().text(), HasSubstr("no master runs on"));
}

} // namespace
} // namespace shaddock::master
