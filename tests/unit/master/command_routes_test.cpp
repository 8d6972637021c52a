#include "command_routes.hpp"

#include "bus/run_folder.hpp"
#include "temp_folder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

#include <thread>

namespace shaddock::master {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct fake_target final : admin_target, command_target {
    std::vector<list_line> list(bool) override { return {}; }
    result<void> stop(const std::vector<std::string>&, base::unique_function<void()>) override {
        return {};
    }
    void stop_everything() override {}
    result<void> reload(reload_request,
                        base::unique_function<void(const std::vector<reload_line>&)>) override {
        return {};
    }
    result<void> restart(const std::vector<std::string>& targets, starts_call done) override {
        asked = targets;
        done({{"chat-1", "chat", start_outcome::ready, 7, "", 2}});
        return {};
    }
    result<void> kill(const std::vector<std::string>& ids,
                      base::unique_function<void()> done) override {
        asked = ids;
        done();
        return {};
    }
    void kill_everything() override { asked = {"everything"}; }
    result<void> add(const addition_keys& keys, starts_call done) override {
        for (const auto& [key, value] : keys) {
            asked.push_back(key + "=" + value);
        }
        if (keys.size() < 2) {
            return error(errc::config, "add: id: found nothing");
        }
        done({});
        return {};
    }
    result<void> log(const std::vector<std::string>& targets, const log_change& wanted,
                     log_levels_call done) override {
        asked = targets;
        asked.push_back(to_json(wanted));
        done({{"chat-1", to_json(base::log::levels{})}, {"chat-2", error(errc::timeout, "late")}});
        return {};
    }
    result<std::filesystem::path> log_file(std::string_view id) const override {
        if (id != "chat-1") {
            return error(errc::not_found, "no such server");
        }
        return file;
    }
    std::vector<std::string> asked;
    std::filesystem::path file;
};

class command_routes : public testing::Test {
protected:
    void SetUp() override {
        target.file = folder.write("chat-1.log", "one\ntwo\nthree\n");
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
    fake_target target;
    base::steady_clock clock{loop.get_executor()};
    admin_server server{loop.get_executor(), clock, target, folder.path()};
    std::optional<admin_client> client;
    std::thread thread;
};

TEST_F(command_routes, restart) {
    EXPECT_EQ(call("POST", "/api/restart", targets_json({"chat", "gate-1"})),
              R"({"results":[{"id":"chat-1","type":"chat","ok":true,"pid":7,"ms":2.0}]})");
    EXPECT_THAT(target.asked, ElementsAre("chat", "gate-1"));
    for (const auto* wrong : {"", "[]", "{}", R"({"targets":[]})", R"({"targets":[1]})"}) {
        EXPECT_THAT(call("POST", "/api/restart", wrong), HasSubstr("expected {\"targets\""))
            << wrong;
    }
}

TEST_F(command_routes, kill) {
    EXPECT_EQ(call("POST", "/api/kill", R"({"ids":["a","b"]})"), "{}");
    EXPECT_THAT(target.asked, ElementsAre("a", "b"));
    call("POST", "/api/kill", R"({"all":true})");
    // The answer comes before the deed: a second one, after it.
    ASSERT_TRUE(client->list(false));
    EXPECT_THAT(target.asked, ElementsAre("everything"));
    for (const auto* wrong : {"", "{}", R"({"ids":[]})", R"({"all":false})"}) {
        EXPECT_THAT(call("POST", "/api/kill", wrong), HasSubstr("expected {\"ids\"")) << wrong;
        EXPECT_TRUE(target.asked.empty());
    }
}

TEST_F(command_routes, add) {
    EXPECT_EQ(call("POST", "/api/add", R"({"id":"a","port":7000,"frontend":true,"tag":"x"})"),
              R"({"results":[]})");
    EXPECT_THAT(target.asked, ElementsAre("id=a", "port=7000", "frontend=true", "tag=x"));
    EXPECT_EQ(call("POST", "/api/add", R"({"port":7000})"), "add: id: found nothing");
    EXPECT_THAT(call("POST", "/api/add", "[1]"), HasSubstr("expected an object"));
}

TEST_F(command_routes, log) {
    const auto answer =
        call("POST", "/api/log", log_request_json({"chat"}, {base::log::level::debug, "net"}));
    EXPECT_THAT(target.asked, ElementsAre("chat", R"({"level":"debug","area":"net"})"));
    const auto read = log_answers_from_json(answer);
    ASSERT_TRUE(read) << answer;
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ(read->at(0).levels.value(), base::log::levels{});
    EXPECT_EQ(read->at(1).levels.error().text(), "late");
    EXPECT_THAT(call("POST", "/api/log", R"({"targets":["a"],"level":"loud"})"),
                HasSubstr("level: found 'loud', expected one of debug, info"));
    EXPECT_THAT(call("POST", "/api/log", R"({"targets":["a"],"area":"nte"})"),
                HasSubstr("nearest: net"));
}

TEST_F(command_routes, logs) {
    EXPECT_EQ(call("GET", "/api/logs?id=chat-1&lines=2"), R"({"id":"chat-1","file":")" +
                                                              target.file.string() +
                                                              R"(","lines":["two","three"]})");
    EXPECT_THAT(call("GET", "/api/logs?id=chat-1"), HasSubstr(R"(["one","two","three"])"));
    EXPECT_THAT(call("GET", "/api/logs?id=chat-1&lines=x"), HasSubstr("lines: found 'x'"));
    EXPECT_THAT(call("GET", "/api/logs?id=chat-2"), HasSubstr("no such server"));
}

} // namespace
} // namespace shaddock::master
