#include "client/session.hpp"

#include "fake_frontend.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace shaddock::client {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::fake_frontend;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using testing::run_until;
using testing::settle;
using ::testing::StartsWith;
using namespace std::chrono_literals;

class noted_session final : public session_events {
public:
    void on_text(std::string_view lines) override { text += lines; }
    void on_closed(const error& why) override { closings.push_back(why.text()); }
    std::string text;
    std::vector<std::string> closings;
};

class client_session : public ::testing::Test {
protected:
    void open(bool as_json = false) {
        session_options options;
        options.frontend = server.where();
        options.as_json = as_json;
        open(options);
    }
    void open(const session_options& options) {
        client.emplace(loop, clock, random, options, events);
        client->open([this] { is_open = true; });
        ASSERT_TRUE(run_until(loop, [this] { return is_open || !events.closings.empty(); }));
        settle(loop);
    }
    /// Runs a line to its end: "ok" or what went wrong.
    std::string run(std::string_view line) {
        begin(line);
        EXPECT_TRUE(run_until(loop, [this] { return !outcomes.empty(); })) << line;
        return outcomes.empty() ? "still waiting" : outcomes.back();
    }
    void begin(std::string_view line) {
        outcomes.clear();
        client->run(*parse_line(line), [this](const result<void>& outcome) {
            outcomes.push_back(outcome ? "ok" : outcome.error().text());
        });
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    base::random random{1};
    fake_frontend server{loop};
    noted_session events;
    std::optional<session> client;
    bool is_open = false;
    std::vector<std::string> outcomes;
};

TEST_F(client_session, prints_an_answer_with_its_time) {
    open();
    server.on_request = [this](std::string_view, std::string_view) {
        clock.advance(12ms);
        return R"({"users":["ada"]})";
    };
    EXPECT_EQ(run("a.b.c {}"), "ok");
    EXPECT_EQ(events.text, "{\"users\": [\"ada\"]}  (12.0 ms)\n");
}

TEST_F(client_session, prints_objects_for_programs) {
    open(true);
    clock.set_wall(base::wall_time(1893456000123ms));
    EXPECT_EQ(run("a.b.c"), "ok");
    server.push("onChat", R"({"msg": "hi"})");
    EXPECT_EQ(run("wait onChat"), "ok");
    EXPECT_EQ(run("routes"), "ok");
    EXPECT_EQ(events.text, R"({"type":"answer","route":"a.b.c","ms":0.000,"body":{}}
{"type":"push","time":1893456000123,"route":"onChat","body":{"msg":"hi"}}
{"type":"routes","routes":{}}
)");
}

TEST_F(client_session, answers_of_an_error_are_answers) {
    open();
    server.on_request = [](std::string_view, std::string_view) { return R"({"code":500})"; };
    EXPECT_EQ(run("a.b.c"), "ok");
    EXPECT_EQ(run(R"(expect {"code":500})"), "ok");
    EXPECT_EQ(run(R"(expect {"code":200})"),
              "expect: the answer of a.b.c is not as expected: code: found 500, expected 200");
}

TEST_F(client_session, notifies_without_waiting) {
    open();
    EXPECT_EQ(run("notify a.b.c [1]"), "ok");
    ASSERT_TRUE(run_until(loop, [this] { return !server.notifies.empty(); }));
    EXPECT_THAT(events.text, IsEmpty());
}

TEST_F(client_session, waits_for_pushes_that_come_and_that_came) {
    open();
    server.push("onChat", R"({"n":1})");
    server.push("onAdd", R"({"n":9})");
    server.push("onChat", R"({"n":2})");
    settle(loop);
    EXPECT_EQ(run("wait onChat"), "ok");
    EXPECT_EQ(run(R"(expect {"n":1})"), "ok");
    EXPECT_EQ(run("wait onChat"), "ok");
    EXPECT_EQ(run(R"(expect {"n":2})"), "ok");
    begin("wait onChat");
    settle(loop);
    EXPECT_THAT(outcomes, IsEmpty()) << "both were taken";
    server.push("onAdd", "{}");
    settle(loop);
    EXPECT_THAT(outcomes, IsEmpty());
    server.push("onChat", R"({"n":3})");
    ASSERT_TRUE(run_until(loop, [this] { return !outcomes.empty(); }));
    EXPECT_EQ(run(R"(expect {"n":3})"), "ok");
    EXPECT_THAT(run(R"(expect {"n":4})"), HasSubstr("the push onChat is not as expected"));
}

TEST_F(client_session, gives_up_waiting_after_its_time) {
    open();
    begin("wait onChat 2.5");
    clock.advance(2499ms);
    EXPECT_THAT(outcomes, IsEmpty());
    clock.advance(1ms);
    EXPECT_THAT(outcomes, ElementsAre("wait onChat: no such push within 2.5 s"));
    begin("wait onChat");
    clock.advance(10s);
    EXPECT_THAT(outcomes, ElementsAre("wait onChat: no such push within 10 s"));
}

TEST_F(client_session, keeps_the_latest_pushes_only) {
    open();
    server.push("first", "{}");
    for (int i = 0; i < 1000; ++i) {
        server.push("next", "{}");
    }
    settle(loop);
    EXPECT_EQ(run("wait next"), "ok");
    begin("wait first");
    clock.advance(10s);
    EXPECT_THAT(outcomes, ElementsAre(HasSubstr("no such push")));
}

TEST_F(client_session, keeps_so_many_bytes_of_pushes_only) {
    open();
    const auto big = "\"" + std::string(1'000'000, 'x') + "\"";
    server.push("one", "{}");
    server.push("two", "{}");
    server.push("taken", big);
    settle(loop);
    EXPECT_EQ(run("wait taken"), "ok") << "it no longer counts";
    const auto push_big = [&](int times) {
        for (int i = 0; i < times; ++i) {
            server.push("big", big);
            settle(loop);
        }
    };
    push_big(16);
    EXPECT_EQ(run("wait one"), "ok") << "16 million bytes, just below 16 MiB";
    outcomes.clear();
    push_big(1);
    begin("wait two");
    clock.advance(10s);
    EXPECT_THAT(outcomes, ElementsAre(HasSubstr("no such push")));
}

TEST_F(client_session, sleeps) {
    open();
    begin("sleep 500ms");
    clock.advance(499ms);
    EXPECT_THAT(outcomes, IsEmpty());
    clock.advance(1ms);
    EXPECT_THAT(outcomes, ElementsAre("ok"));
}

TEST_F(client_session, listens_to_what_it_is_told) {
    open();
    EXPECT_EQ(run("listen onAdd"), "ok");
    server.push("onChat", "1");
    server.push("onAdd", "2");
    settle(loop);
    EXPECT_THAT(events.text, MatchesRegex("..:..:..[.]...  onAdd  2\n"));
    EXPECT_EQ(run("listen off"), "ok");
    server.push("onAdd", "3");
    settle(loop);
    EXPECT_EQ(run("listen"), "ok");
    server.push("onChat", "4");
    settle(loop);
    EXPECT_THAT(events.text, AllOf(EndsWith("onChat  4\n"), ::testing::Not(HasSubstr("3\n"))));
    EXPECT_THAT(client->known_routes(), ElementsAre("onAdd", "onChat"));
}

TEST_F(client_session, escapes_routes_that_a_terminal_would_obey) {
    open();
    server.push("on\x1b[2J", "1");
    settle(loop);
    EXPECT_THAT(events.text, EndsWith("  \"on\\u001b[2J\"  1\n"));
}

TEST_F(client_session, expects_nothing_before_there_is_something) {
    open();
    EXPECT_THAT(run("expect {}"), HasSubstr("nothing was answered or waited for yet"));
}

TEST_F(client_session, tells_what_the_handshake_said) {
    server.handshake = R"({"code":200,"sys":{"heartbeat":3,"dict":{"a.b.c":1},)"
                       R"("routeToCode":{"a.b.c":1},"codeToRoute":{"1":"a.b.c"},)"
                       R"("dictVersion":"v1"},"user":{"x":1}})";
    open();
    EXPECT_EQ(run("info"), "ok");
    EXPECT_EQ(events.text, "frontend    " + server.where().text() +
                               " over websocket\n"
                               "heartbeat   3 s\n"
                               "dictionary  1 routes, version v1\n"
                               "protobuf    from the server: none; from the client: none\n"
                               "user        {\"x\": 1}\n");
    events.text.clear();
    EXPECT_EQ(run("routes"), "ok");
    EXPECT_EQ(events.text, "    1  a.b.c\n");
    EXPECT_THAT(client->known_routes(), ElementsAre("a.b.c"));
}

TEST_F(client_session, gives_up_what_waits_when_it_is_told) {
    open();
    begin("wait onChat");
    client->cancel();
    EXPECT_THAT(outcomes, ElementsAre("given up"));
    server.on_request = [](std::string_view, std::string_view) { return std::nullopt; };
    begin("a.b.c");
    settle(loop);
    client->cancel();
    server.on_request = nullptr;
    EXPECT_EQ(run("x.y.z"), "ok");
    events.text.clear();
    server.answer(1, "\"late\"");
    settle(loop);
    EXPECT_EQ(outcomes.size(), 1U);
    EXPECT_THAT(events.text, IsEmpty());
}

TEST_F(client_session, ends_with_its_connection) {
    open();
    begin("wait onChat");
    server.send(protocol::package_type::kick, R"({"reason":"shutdown"})");
    ASSERT_TRUE(run_until(loop, [this] { return !events.closings.empty(); }));
    EXPECT_THAT(outcomes, ElementsAre(server.where().text() + ": kicked: shutdown"));
    EXPECT_THAT(events.closings, ElementsAre(server.where().text() + ": kicked: shutdown"));
    EXPECT_THAT(run("a.b.c"), HasSubstr("not connected"));
}

class client_session_at_a_gate : public client_session {
protected:
    void open_by_gate() {
        session_options options;
        options.gate = gate.where();
        options.uid = "ada \"a\"";
        open(options);
    }
    fake_frontend gate{loop};
};

TEST_F(client_session_at_a_gate, goes_where_the_gate_says) {
    gate.on_request = [this](std::string_view, std::string_view) {
        return fmt::format(R"({{"code":200,"host":"127.0.0.1","port":{}}})", server.where().port);
    };
    open_by_gate();
    EXPECT_TRUE(is_open);
    EXPECT_THAT(gate.requests, ElementsAre(R"(gate.gateHandler.queryEntry {"uid":"ada \"a\""})"));
    EXPECT_TRUE(gate.is_over);
    EXPECT_EQ(client->frontend(), server.where());
    EXPECT_EQ(run("a.b.c"), "ok");
    EXPECT_EQ(server.requests.size(), 1U);
}

TEST_F(client_session_at_a_gate, says_that_the_gate_names_nobody) {
    gate.on_request = [](std::string_view, std::string_view) { return R"({"code":500})"; };
    open_by_gate();
    EXPECT_FALSE(is_open);
    EXPECT_THAT(events.closings, ElementsAre(AllOf(StartsWith("gate " + gate.where().text()),
                                                   HasSubstr(R"(answered {"code":500})"))));
}

TEST_F(client_session_at_a_gate, says_that_the_gate_does_not_answer) {
    gate.on_request = [](std::string_view, std::string_view) { return std::nullopt; };
    session_options options;
    options.gate = gate.where();
    client.emplace(loop, clock, random, options, events);
    client->open([this] { is_open = true; });
    ASSERT_TRUE(run_until(loop, [this] { return !gate.requests.empty(); }));
    clock.advance(10s);
    EXPECT_THAT(events.closings, ElementsAre(AllOf(StartsWith("gate " + gate.where().text()),
                                                   HasSubstr("no answer within 10 s"))));
    settle(loop);
}

TEST_F(client_session_at_a_gate, says_that_the_gate_closes) {
    gate.on_request = [this](std::string_view, std::string_view) -> std::optional<std::string> {
        gate.send(protocol::package_type::kick, R"({"reason":"no"})");
        return std::nullopt;
    };
    open_by_gate();
    EXPECT_THAT(events.closings, ElementsAre("gate " + gate.where().text() + ": kicked: no"));
}

} // namespace
} // namespace shaddock::client
