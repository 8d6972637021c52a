#include "client/connection.hpp"

#include "fake_frontend.hpp"

#include <gmock/gmock.h>

namespace shaddock::client {
namespace {

using protocol::package_type;
using ::testing::ElementsAre;
using testing::fake_frontend;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::run_until;
using testing::settle;
using ::testing::StartsWith;
using namespace std::chrono_literals;

class noted_events final : public connection_events {
public:
    void on_open() override { ++openings; }
    void on_push(std::string_view route, std::string_view body) override {
        pushes.push_back(std::string(route) + " " + std::string(body));
        if (push_hook) {
            push_hook();
        }
    }
    void on_closed(const error& why) override { closings.push_back(why); }

    int openings = 0;
    std::vector<std::string> pushes;
    std::vector<error> closings;
    std::function<void()> push_hook;
};

/// A client and a fake frontend on one loop, under a clock moved by hand.
class client_connection : public ::testing::TestWithParam<transport> {
protected:
    void open() {
        connect_options options;
        options.to = server.where();
        options.over = GetParam();
        client = connection::open(loop, clock, random, options, events);
    }
    void open_whole() {
        open();
        ASSERT_TRUE(run_until(loop, [this] { return events.openings == 1 && server.acks == 1; }));
    }
    void expect_closed(errc code, const std::string& text) {
        ASSERT_TRUE(run_until(loop, [this] { return !events.closings.empty(); }));
        EXPECT_EQ(events.closings.front().code(), code);
        EXPECT_THAT(events.closings.front().text(), StartsWith(server.where().text() + ": "));
        EXPECT_THAT(events.closings.front().text(), HasSubstr(text));
    }
    connection::answer_call note() {
        return [this](const result<std::string>& body) {
            answers.push_back(body ? *body : "error " + body.error().text());
        };
    }
    void TearDown() override {
        if (client) {
            client->close();
        }
        settle(loop);
        EXPECT_LE(events.closings.size(), 1U);
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    base::random random{1};
    fake_frontend server{loop};
    noted_events events;
    std::shared_ptr<connection> client;
    std::vector<std::string> answers;
};

INSTANTIATE_TEST_SUITE_P(over, client_connection,
                         ::testing::Values(transport::websocket, transport::tcp),
                         [](const auto& one) {
                             return one.param == transport::tcp ? "tcp" : "websocket";
                         });

TEST_P(client_connection, shakes_hands_and_is_open) {
    open_whole();
    ASSERT_EQ(server.handshakes.size(), 1U);
    EXPECT_THAT(server.handshakes[0], StartsWith(R"({"sys":{"type":"shaddock-host",)"));
    EXPECT_EQ(client->agreed().heartbeat_s(), 0U);
}

TEST_P(client_connection, asks_and_gets_each_answer_once) {
    open_whole();
    server.on_request = [](std::string_view route, std::string_view) {
        return std::string(route == "a.b.two" ? R"({"n":2})" : R"({"n":1})");
    };
    client->request("a.b.one", R"({"x":1})", note());
    client->request("a.b.two", "{}", note());
    EXPECT_THAT(answers, IsEmpty()) << "never before request() returns";
    ASSERT_TRUE(run_until(loop, [this] { return answers.size() == 2; }));
    EXPECT_THAT(answers, ElementsAre(R"({"n":1})", R"({"n":2})"));
    EXPECT_THAT(server.requests, ElementsAre(R"(a.b.one {"x":1})", "a.b.two {}"));
    server.answer(1, "late");
    server.answer(77, "nobody's");
    settle(loop);
    EXPECT_EQ(answers.size(), 2U);
    EXPECT_THAT(events.closings, IsEmpty());
}

TEST_P(client_connection, tells_also_right_before_it_closes) {
    open_whole();
    ASSERT_TRUE(client->notify("a.b.c", "[1]"));
    client->close();
    ASSERT_TRUE(run_until(loop, [this] { return server.is_over; }));
    EXPECT_THAT(server.notifies, ElementsAre("a.b.c [1]"));
}

TEST_P(client_connection, hears_pushes) {
    open_whole();
    server.push("onChat", R"({"msg":"hi"})");
    server.push("onEmpty", "");
    ASSERT_TRUE(run_until(loop, [this] { return events.pushes.size() == 2; }));
    EXPECT_THAT(events.pushes, ElementsAre(R"(onChat {"msg":"hi"})", "onEmpty "));
}

TEST_P(client_connection, may_be_closed_by_what_it_calls) {
    open_whole();
    events.push_hook = [this] { client->close(); };
    client->request("a.b.c", "{}", note());
    server.push("one", "");
    server.push("two", "");
    ASSERT_TRUE(run_until(loop, [this] { return server.is_over; }));
    EXPECT_EQ(events.pushes.size(), 1U);
    EXPECT_THAT(events.closings, IsEmpty());
}

TEST_P(client_connection, gives_up_on_an_answer_after_its_time) {
    open_whole();
    server.on_request = [](std::string_view, std::string_view) { return std::nullopt; };
    client->request("a.b.c", "{}", note());
    clock.advance(9999ms);
    EXPECT_THAT(answers, IsEmpty());
    clock.advance(1ms);
    EXPECT_THAT(answers,
                ElementsAre("error " + server.where().text() + ": a.b.c: no answer within 10 s"));
    settle(loop);
    server.answer(1, "late");
    settle(loop);
    EXPECT_EQ(answers.size(), 1U);
}

TEST_P(client_connection, bounds_what_waits) {
    open_whole();
    server.on_request = [](std::string_view, std::string_view) { return std::nullopt; };
    for (int i = 0; i < 1024; ++i) {
        client->request("a.b.c", "{}", note());
    }
    client->request("a.b.c", "{}", note());
    ASSERT_TRUE(run_until(loop, [this] { return !answers.empty(); }));
    EXPECT_THAT(answers, ElementsAre(HasSubstr("1024 requests")));
    const auto told = client->notify("a.b.c", "{}");
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code(), errc::overloaded);
}

TEST_P(client_connection, says_that_it_was_kicked_and_why) {
    open_whole();
    client->request("a.b.c", "{}", note());
    server.on_request = [](std::string_view, std::string_view) { return std::nullopt; };
    server.send(package_type::kick, R"({"reason":"shutdown"})");
    expect_closed(errc::refused, "kicked: shutdown");
    EXPECT_THAT(answers, ElementsAre("error " + events.closings.front().text()));
    client->request("a.b.c", "{}", note());
    ASSERT_TRUE(run_until(loop, [this] { return answers.size() == 2; }));
    EXPECT_THAT(answers[1], HasSubstr("not connected"));
}

TEST_P(client_connection, says_that_the_server_has_closed) {
    open_whole();
    server.close();
    expect_closed(errc::closed, "closed by the server");
}

TEST_P(client_connection, says_that_the_handshake_was_refused) {
    server.handshake = R"({"code":501})";
    open();
    expect_closed(errc::refused, "the code 501, expected 200");
    EXPECT_EQ(events.openings, 0);
}

TEST_P(client_connection, gives_up_on_a_handshake_after_its_time) {
    server.handshake.clear();
    open();
    ASSERT_TRUE(run_until(loop, [this] { return !server.handshakes.empty(); }));
    clock.advance(10s);
    expect_closed(errc::timeout, "no handshake within 10 s");
}

TEST_P(client_connection, says_that_nobody_listens) {
    fake_frontend other(loop);
    connect_options options;
    {
        boost::asio::ip::tcp::acceptor taken(loop, {boost::asio::ip::make_address("127.0.0.1"), 0});
        options.to = {"127.0.0.1", taken.local_endpoint().port()};
    }
    options.over = GetParam();
    client = connection::open(loop, clock, random, options, events);
    ASSERT_TRUE(run_until(loop, [this] { return !events.closings.empty(); }));
    EXPECT_EQ(events.closings[0].code(), errc::no_server);
    EXPECT_THAT(events.closings[0].text(), HasSubstr("no connection: Connection refused"));
}

TEST_P(client_connection, echoes_heartbeats_and_notices_silence) {
    server.handshake = R"({"code":200,"sys":{"heartbeat":3}})";
    open_whole();
    server.send(package_type::heartbeat, "");
    settle(loop);
    EXPECT_EQ(server.heartbeats, 0) << "the next one comes after three seconds";
    clock.advance(3s);
    ASSERT_TRUE(run_until(loop, [this] { return server.heartbeats == 1; }));
    server.send(package_type::heartbeat, "");
    settle(loop);
    clock.advance(3s);
    settle(loop);
    EXPECT_EQ(server.heartbeats, 2);
    EXPECT_THAT(events.closings, IsEmpty());
    clock.advance(3s);
    expect_closed(errc::timeout, "no sign of life for 6 s");
}

TEST_P(client_connection, keeps_a_silent_server_without_heartbeats) {
    open_whole();
    clock.advance(1h);
    settle(loop);
    EXPECT_THAT(events.closings, IsEmpty());
}

struct broken_server {
    package_type type;
    std::string body;
    std::string complaint;
};

TEST_P(client_connection, closes_on_what_no_server_should_send) {
    for (const auto& broken :
         {broken_server{package_type::handshake, R"({"code":200})", "a second handshake"},
          broken_server{package_type::handshake_ack, "", "a handshake ack"},
          broken_server{package_type::data, "", "broke the protocol"},
          broken_server{package_type::data, std::string("\x00\x01\x01x", 4), "neither answer nor"},
          broken_server{package_type::data, std::string("\x07\x00\x09", 3), "the code 9"}}) {
        events = {};
        open();
        ASSERT_TRUE(run_until(loop, [this] { return events.openings == 1; }));
        settle(loop);
        server.send(broken.type, broken.body);
        expect_closed(errc::bad_request, broken.complaint);
    }
}

TEST_P(client_connection, calls_nobody_after_close) {
    open_whole();
    server.on_request = [](std::string_view, std::string_view) { return std::nullopt; };
    client->request("a.b.c", "{}", note());
    client->close();
    client->close();
    client->request("a.b.c", "{}", note());
    EXPECT_FALSE(client->notify("a.b.c", "{}"));
    server.close();
    settle(loop);
    clock.advance(1h);
    settle(loop);
    EXPECT_THAT(answers, IsEmpty());
    EXPECT_THAT(events.closings, IsEmpty());
}

TEST(client_address, reads_what_it_writes) {
    for (const auto* text : {"127.0.0.1:3014", "localhost:1", "[::1]:65535"}) {
        const auto read = parse_address(text);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(read->text(), text);
    }
    EXPECT_EQ(parse_address("[::1]:80")->host, "::1");
    for (const auto* text : {"", "3014", ":3014", "host:", "host:0", "host:65536", "host:1x",
                             "::1:80", "[::1]", "host:-1"}) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
}

} // namespace
} // namespace shaddock::client
