#include "client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <optional>
#include <unistd.h>

namespace shaddock::test {

namespace {

using lines = std::vector<std::string>;

class nats_connection : public testing::Test {
protected:
    loop in;

    /// What comes in at a subject.
    struct inbox {
        std::vector<nats::message> heard;
        nats::subscription at;
    };
    std::unique_ptr<inbox> listen(client& who, std::string_view subject) {
        auto made = std::make_unique<inbox>();
        auto at = who.to.subscribe(
            subject, [in = made.get()](nats::message got) { in->heard.push_back(std::move(got)); });
        EXPECT_TRUE(at) << at.error().text();
        made->at = std::move(*at);
        return made;
    }
    result<std::string> ask(client& who, std::string_view subject, std::string_view bytes,
                            std::chrono::milliseconds timeout = 5s) {
        std::optional<result<std::string>> answer;
        who.to.request(subject, bytes, timeout,
                       [&](result<std::string> what) { answer = std::move(what); });
        EXPECT_FALSE(answer) << "completed inline";
        EXPECT_TRUE(in.runs_until([&] { return answer.has_value(); }));
        return *answer;
    }
};

} // namespace

TEST_F(nats_connection, carries_bytes_in_order_to_all_who_listen) {
    const nats_server server;
    client one(in, server);
    client two(in, server);
    const auto here = listen(one, "a.b");
    const auto there = listen(two, "a.*");
    // Subscriptions of others travel on their own way.
    ASSERT_TRUE(in.runs_until([&] {
        EXPECT_TRUE(one.to.publish("a.b", "back", "first"));
        return !there->heard.empty();
    }));
    there->heard.clear();
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(one.to.publish("a.b", "back.to", std::to_string(i) + std::string(1, '\0')));
    }
    const auto end = std::string("999") + '\0';
    ASSERT_TRUE(in.runs_until([&] {
        return there->heard.size() >= 1000 && there->heard.back().bytes == end &&
               here->heard.back().bytes == end;
    }));
    for (std::size_t i = 0; i < 1000; ++i) {
        ASSERT_EQ(there->heard[there->heard.size() - 1000 + i].bytes,
                  std::to_string(i) + std::string(1, '\0'));
    }
    const auto& last = there->heard[there->heard.size() - 1];
    EXPECT_EQ(last.subject, "a.b");
    EXPECT_EQ(last.reply, "back.to");
    EXPECT_EQ(one.to.server(), server.url());
    EXPECT_EQ(one.news, (lines{"up"}));
    here->at.end();
    here->heard.clear();
    ASSERT_TRUE(one.to.publish("a.b", {}, "again"));
    ASSERT_TRUE(in.runs_until([&] { return there->heard.back().bytes == "again"; }));
    EXPECT_TRUE(here->heard.empty());
}

TEST_F(nats_connection, answers_each_request_once) {
    const nats_server server;
    client one(in, server);
    client two(in, server);
    nats::connection* to = &two.to;
    auto at = two.to.subscribe("echo", [to](nats::message asked) {
        if (asked.bytes != "never") {
            EXPECT_TRUE(to->publish(asked.reply, {}, asked.bytes));
        }
    });
    ASSERT_TRUE(at);
    ASSERT_TRUE(in.runs_until([&] { return bool(ask(one, "echo", "hello")); }));
    EXPECT_EQ(*ask(one, "echo", "again"), "again");
    EXPECT_EQ(ask(one, "echo", "never", 20ms).error().code(), errc::timeout);
    EXPECT_EQ(ask(one, "nobody.there", "x").error().code(), errc::no_server);
    EXPECT_EQ(ask(one, "bad..subject", "x").error().code(), errc::bad_request);
    std::optional<result<std::string>> cancelled;
    {
        client gone(in, server);
        gone.to.request("echo", "never", 5s,
                        [&](result<std::string> what) { cancelled = std::move(what); });
    }
    ASSERT_TRUE(cancelled);
    EXPECT_EQ(cancelled->error().code(), errc::cancelled);
}

TEST_F(nats_connection, comes_back_for_ever_with_its_subscriptions) {
    nats_server server;
    client one(in, server);
    const auto here = listen(one, "a");
    for (int i = 0; i < 3; ++i) {
        const auto waiting = std::make_shared<std::optional<errc>>();
        const auto before = one.to.subscribe("silent", [](const nats::message&) {});
        ASSERT_TRUE(before);
        one.to.request("silent", "x", 30s, [waiting](const result<std::string>& what) {
            *waiting = what.error().code();
        });
        server.kill();
        ASSERT_TRUE(in.runs_until([&] { return !one.to.is_up(); }));
        EXPECT_EQ(*waiting, errc::disconnected);
        EXPECT_EQ(one.to.publish("a", {}, "x").error().code(), errc::disconnected);
        EXPECT_FALSE(one.to.trouble().empty());
        const auto meanwhile = listen(one, "b");
        server.start();
        ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
        ASSERT_TRUE(one.to.publish("a", {}, std::to_string(i)));
        ASSERT_TRUE(one.to.publish("b", {}, std::to_string(i)));
        ASSERT_TRUE(in.runs_until([&] { return !meanwhile->heard.empty(); }));
        ASSERT_TRUE(in.runs_until([&] { return here->heard.size() > std::size_t(i); }));
        EXPECT_EQ(here->heard.back().bytes, std::to_string(i));
    }
    EXPECT_EQ(one.news, (lines{"up", "down", "up", "down", "up", "down", "up"}));
    EXPECT_EQ(one.to.times_up(), 4U);
}

TEST_F(nats_connection, begins_before_the_server_does) {
    nats_server server;
    server.kill();
    client one(in, options_for(server));
    ASSERT_TRUE(one.to.start());
    const auto here = listen(one, "a");
    ASSERT_TRUE(in.runs_until([&] { return !one.to.trouble().empty(); }));
    server.start();
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
    ASSERT_TRUE(one.to.publish("a", {}, "x"));
    ASSERT_TRUE(in.runs_until([&] { return !here->heard.empty(); }));
}

TEST_F(nats_connection, stops_while_nobody_answers) {
    nats_server server;
    server.freeze();
    client one(in, options_for(server));
    ASSERT_TRUE(one.to.start());
}

TEST_F(nats_connection, gives_up_a_server_that_greets_and_says_nothing_more) {
    using boost::asio::ip::tcp;
    tcp::acceptor door(in.io, {boost::asio::ip::address_v4::loopback(), 0});
    std::vector<tcp::socket> taken;
    std::function<void()> accept = [&] {
        door.async_accept([&](const boost::system::error_code& failed, tcp::socket who) {
            if (failed) {
                return;
            }
            boost::asio::write(who, boost::asio::buffer(std::string(
                                        "INFO {\"server_id\":\"X\",\"version\":\"2.9.10\","
                                        "\"proto\":1,\"headers\":true,"
                                        "\"max_payload\":1048576}\r\n")));
            taken.push_back(std::move(who));
            accept();
        });
    };
    accept();
    nats::options wanted;
    wanted.servers = {"nats://127.0.0.1:" + std::to_string(door.local_endpoint().port())};
    wanted.connect_timeout = 100ms;
    {
        client one(in, wanted);
        ASSERT_TRUE(one.to.start());
        ASSERT_TRUE(in.runs_until([&] { return taken.size() == 2; }));
        EXPECT_FALSE(one.to.is_up());
    } // and it stops while the library waits
    door.close();
    in.io.restart();
    in.io.poll();
}

TEST_F(nats_connection, notices_within_seconds_that_the_server_answers_nothing) {
    nats_server server;
    auto wanted = options_for(server);
    wanted.ping_interval = 100ms;
    client one(in, wanted);
    ASSERT_TRUE(one.to.start());
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
    server.freeze();
    ASSERT_TRUE(in.runs_until([&] { return !one.to.is_up(); }));
    server.thaw();
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
}

TEST_F(nats_connection, bounds_what_waits_for_a_server_that_takes_nothing) {
    nats_server server;
    auto wanted = options_for(server);
    wanted.send_limit = 1024 * 1024;
    client one(in, wanted);
    ASSERT_TRUE(one.to.start());
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
    server.freeze();
    const std::string bytes(64 * 1024, 'x');
    errc code{};
    // The kernel takes some.
    for (int i = 0; i < 1000 && code == errc{}; ++i) {
        const auto sent = one.to.publish("a", {}, bytes);
        code = sent ? errc{} : sent.error().code();
    }
    EXPECT_EQ(code, errc::overloaded);
    EXPECT_LE(one.to.waiting(), wanted.send_limit);
    server.thaw();
    ASSERT_TRUE(in.runs_until(
        [&] { return std::ranges::find(one.news, "room") != one.news.end() || !one.to.is_up(); }));
}

TEST_F(nats_connection, drops_what_comes_faster_than_it_is_handled_and_says_so) {
    const nats_server server;
    auto wanted = options_for(server);
    wanted.receive_limit = 64 * 1024;
    client one(in, wanted);
    client two(in, server);
    ASSERT_TRUE(one.to.start());
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
    const auto flood = listen(one, "flood");
    const auto quiet = listen(one, "quiet");
    ASSERT_TRUE(one.to.publish("quiet", {}, "x"));
    ASSERT_TRUE(in.runs_until([&] { return !quiet->heard.empty(); }));
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(two.to.publish("flood", {}, std::string(10000, 'x')));
    }
    ASSERT_TRUE(two.to.publish("quiet", {}, "y"));
    // The loop stands still until all has come.
    ASSERT_TRUE(([&] {
        for (int i = 0; i < 500 && two.to.waiting() > 0; ++i) {
            ::usleep(1000);
        }
        ::usleep(200 * 1000);
        return true;
    })());
    ASSERT_TRUE(in.runs_until([&] { return quiet->heard.size() == 2; }));
    EXPECT_LT(flood->heard.size(), 10U);
    EXPECT_NE(std::ranges::find(one.news, "slow flood"), one.news.end());
    // It is not deaf for ever.
    ASSERT_TRUE(two.to.publish("flood", {}, "after"));
    ASSERT_TRUE(in.runs_until([&] { return flood->heard.back().bytes == "after"; }));
}

TEST_F(nats_connection, says_by_name_what_the_server_does_not_take) {
    nats_server::options small;
    small.config = "max_payload: 4096";
    nats_server server(small);
    client one(in, options_for(server));
    ASSERT_TRUE(one.to.start());
    ASSERT_TRUE(in.runs_until([&] { return !one.to.trouble().empty(); }));
    EXPECT_FALSE(one.to.is_up());
    EXPECT_NE(one.to.trouble().find("max_payload"), std::string::npos) << one.to.trouble();
    server.stop();
    server.start_with("max_payload: 100000");
    ASSERT_TRUE(in.runs_until([&] { return one.to.is_up(); }));
    const auto sent = one.to.publish("a", {}, std::string(100001, 'x'));
    ASSERT_TRUE(sent.has_error());
    EXPECT_EQ(sent.error().code(), errc::bad_request);
    EXPECT_NE(sent.error().text().find("max_payload"), std::string::npos);
}

TEST_F(nats_connection, is_refused_without_credentials_and_let_in_when_that_is_mended) {
    nats_server::options closed;
    closed.config = "authorization { user: shaddock, password: \"deep secret\" }";
    nats_server server(closed);
    auto wanted = options_for(server);
    client stranger(in, wanted);
    ASSERT_TRUE(stranger.to.start());
    ASSERT_TRUE(in.runs_until([&] { return !stranger.to.trouble().empty(); }));
    EXPECT_FALSE(stranger.to.is_up());
    wanted.who.user = "shaddock";
    wanted.who.password = "deep secret";
    client friendly(in, wanted);
    ASSERT_TRUE(friendly.to.start());
    ASSERT_TRUE(in.runs_until([&] { return friendly.to.is_up(); }));
    // The library gives up after two refusals; we do not.
    server.stop();
    server.start_with("");
    ASSERT_TRUE(in.runs_until([&] { return stranger.to.is_up(); }));
}

TEST_F(nats_connection, refuses_settings_that_cannot_work_and_tells_no_secret) {
    for (const auto& spoil : std::vector<std::function<void(nats::options&)>>{
             [](auto& wanted) { wanted.servers = {}; },
             [](auto& wanted) { wanted.servers = {"nats://a:deep secret@h:port"}; },
             [](auto& wanted) { wanted.inbox_prefix = "a b"; },
             [](auto& wanted) { wanted.who.creds = "/nowhere/deep"; },
             [](auto& wanted) { wanted.who.nkey_seed = "/nowhere/deep"; },
             [](auto& wanted) {
                 wanted.who.user = "deep secret";
                 wanted.who.token = "deep secret";
             },
             [](auto& wanted) {
                 wanted.tls.is_on = true;
                 wanted.tls.ca = "/nowhere/ca.pem";
             },
             [](auto& wanted) {
                 wanted.tls.is_on = true;
                 wanted.tls.key = "/nowhere/key.pem";
             }}) {
        nats::options wanted;
        wanted.servers = {"nats://127.0.0.1:1"};
        spoil(wanted);
        client one(in, wanted);
        const auto started = one.to.start();
        ASSERT_TRUE(started.has_error()) << (wanted.servers.empty() ? "" : wanted.servers[0]);
        EXPECT_EQ(started.error().code(), errc::config);
        EXPECT_EQ(started.error().text().find("secret"), std::string::npos)
            << started.error().text();
    }
}

} // namespace shaddock::test
