#include "master/admin.hpp"

#include "bus/run_folder.hpp"
#include "http.hpp"
#include "json.hpp"
#include "master/child_status.hpp"
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

list_line chat_line() {
    list_line line;
    line.id = "chat-server-1";
    line.type = "chat";
    line.pid = 1234;
    line.state = "ready";
    line.uptime_s = 12;
    line.rss_kb = 9876;
    line.connections = 3;
    line.module = "chat.so";
    line.version = "1.0";
    line.build_id = "0123456789abcdef";
    line.generation = 1;
    line.life = 1'795'000'000'123'456'789U;
    return line;
}

TEST(server_list, has_the_fields_that_programs_read) {
    list_line stopped;
    stopped.id = "chat-server-2";
    stopped.state = "stopped";
    EXPECT_EQ(to_json({chat_line(), stopped}),
              R"([{"id":"chat-server-1","type":"chat","pid":1234,"state":"ready","uptime_s":12,)"
              R"("rss_kb":9876,"connections":3,"module":"chat.so","version":"1.0",)"
              R"("build_id":"0123456789abcdef","generation":1,"ending":0,"kept":0,)"
              R"("incarnation":1795000000123456789},)"
              R"({"id":"chat-server-2","type":"","pid":null,"state":"stopped","uptime_s":0,)"
              R"("rss_kb":0,"connections":0,"module":"","version":"","build_id":"",)"
              R"("generation":1,"ending":0,"kept":0,"incarnation":0}])");
}

TEST(server_list, comes_back_as_it_was) {
    const auto lines = list_from_json(to_json({chat_line()}));
    ASSERT_TRUE(lines);
    ASSERT_EQ(lines->size(), 1U);
    EXPECT_EQ(to_json(*lines), to_json({chat_line()}));
    EXPECT_FALSE(list_from_json("{}"));
    EXPECT_FALSE(list_from_json("[1]"));
    EXPECT_FALSE(list_from_json("["));
}

TEST(server_list, is_a_table_for_people) {
    const auto table = to_table({chat_line()});
    EXPECT_THAT(table, HasSubstr("chat-server-1"));
    EXPECT_THAT(table, HasSubstr("1234"));
    EXPECT_THAT(table, HasSubstr(" 0123456789ab "));
    EXPECT_THAT(table, testing::Not(HasSubstr("warning")));
}

TEST(server_list, warns_of_generations_that_do_not_end) {
    auto line = chat_line();
    line.ending = 2;
    EXPECT_THAT(to_table({line}), testing::Not(HasSubstr("warning")));
    line.kept = 1;
    EXPECT_THAT(to_table({line}),
                HasSubstr("\nwarning: chat-server-1 keeps 1 old generation whose"));
    const auto back = list_from_json(to_json({line}));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->front().ending, 2U);
    EXPECT_EQ(back->front().kept, 1U);
}

TEST(child_status, comes_back_as_it_was) {
    child_status said;
    said.is_ready = true;
    said.connections = 3;
    said.module = "chat.so";
    said.version = "1.0";
    said.build_id = "0123";
    said.generation = 4;
    said.ending = 2;
    said.kept = 1;
    said.links = 5;
    said.links_expected = 6;
    EXPECT_EQ(to_json(said), R"({"state":"ready","connections":3,"module":"chat.so",)"
                             R"("version":"1.0","build_id":"0123","generation":4,"ending":2,)"
                             R"("kept":1,"links":5,"expected":6})");
    EXPECT_EQ(child_status_from_json(to_json(said)).value(), said);
    EXPECT_EQ(child_status_from_json("{}").value(), child_status{});
    EXPECT_FALSE(child_status_from_json("5"));
}

/// A master's admin API on a thread of its own, over a target that remembers.
class admin_api : public testing::Test, public admin_target {
protected:
    admin_api()
        : lock(bus::run_lock::take(folder.path(), "master").value()),
          server(loop.get_executor(), clock, *this, folder.path()) {
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
    std::vector<list_line> list(bool with_all) override {
        return with_all ? std::vector{chat_line(), chat_line()} : std::vector{chat_line()};
    }
    result<void> stop(const std::vector<std::string>& ids,
                      base::unique_function<void()> done) override {
        if (ids.front() == "unknown") {
            return error(errc::not_found, "no server 'unknown'; nearest: chat-server-1");
        }
        stopped = ids;
        boost::asio::post(loop, std::move(done));
        return {};
    }
    void stop_everything() override { stopped = {"*"}; }
    result<void>
    reload(reload_request wanted,
           base::unique_function<void(const std::vector<reload_line>&)> done) override {
        const auto& targets = wanted.targets;
        if (targets.front() == "unknown") {
            return error(errc::not_found, "no server and no type 'unknown'; nearest: chat");
        }
        if (targets.front() == "busy") {
            return error(errc::duplicate, "another reload is under way");
        }
        reloaded = targets;
        was_rollback = wanted.is_rollback;
        was_dry_run = wanted.is_dry_run;
        boost::asio::post(loop,
                          [this, ended = std::move(done)]() mutable { ended({swapped_line}); });
        return {};
    }

    test::temp_folder folder;
    boost::asio::io_context loop{1};
    base::steady_clock clock{loop.get_executor()};
    bus::run_lock lock;
    std::vector<std::string> stopped;
    std::vector<std::string> reloaded;
    bool was_rollback = false;
    bool was_dry_run = false;
    reload_line swapped_line{
        "chat-1", "chat", reload_outcome::swapped, {"1", "aa", 1}, {"2", "bb", 2}, "", 1.5};
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
    EXPECT_EQ(to_json(*lines), to_json({chat_line()}));
    EXPECT_EQ(client->list(true)->size(), 2U);
}

TEST_F(admin_api, stops_the_named_and_answers_when_they_are_down) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client);
    EXPECT_TRUE(client->stop({"chat-server-1", "chat-server-2"}));
    EXPECT_THAT(stopped, testing::ElementsAre("chat-server-1", "chat-server-2"));
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
    const auto lines = client->reload({{"chat", "gate-1"}, true, true});
    ASSERT_TRUE(lines) << lines.error().text();
    EXPECT_THAT(*lines, testing::ElementsAre(swapped_line));
    EXPECT_THAT(reloaded, testing::ElementsAre("chat", "gate-1"));
    EXPECT_TRUE(was_rollback);
    EXPECT_TRUE(was_dry_run);
    ASSERT_TRUE(client->reload({{"chat"}}));
    EXPECT_FALSE(was_rollback);
    EXPECT_FALSE(was_dry_run);
}

TEST_F(admin_api, hands_on_why_a_reload_did_not_begin) {
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client);
    const auto unknown = client->reload({{"unknown"}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), errc::not_found);
    EXPECT_THAT(unknown.error().text(), HasSubstr("nearest: chat"));
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
    for (const auto* target : {"/api/stop", "/api/reload", "/api/servers", "/api/other"}) {
        request.method = "POST";
        request.target = target;
        request.body = R"({"all":true})";
        const auto answer = http_call("127.0.0.1", port, request, 5s);
        EXPECT_EQ(answer->status, 403U) << target;
        EXPECT_THAT(answer->body, HasSubstr("and nothing else"));
    }
    EXPECT_THAT(stopped, testing::IsEmpty());
    EXPECT_THAT(reloaded, testing::IsEmpty());
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
    EXPECT_THAT(stopped, testing::IsEmpty());
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
        folder.write("admin.json",
                     admin_place_json({"127.0.0.1", door.local_endpoint().port(), 77}));
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
