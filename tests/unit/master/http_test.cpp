#include "http.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

/// A server for two connections, on a thread of its own; `/hold` is answered at the end.
class http_serving : public testing::Test {
protected:
    http_serving() {
        limits.connections = 2;
        limits.timeout = 30s;
        server.emplace(loop.get_executor(), clock, limits,
                       [this](const http_request& request, http_reply reply) {
                           if (request.target == "/hold") {
                               held.push_back(std::move(reply));
                               return;
                           }
                           if (request.target == "/own") {
                               return reply({200,
                                             {{"Cache-Control", "no-cache"},
                                              {"Content-Security-Policy", "default-src 'self'"}},
                                             "own\n"});
                           }
                           reply({200, {}, "here\n"});
                       });
        EXPECT_TRUE(server->start("127.0.0.1", 0));
        port = server->port();
        thread = std::thread([this] { loop.run_for(60s); });
    }
    ~http_serving() override {
        boost::asio::post(loop, [this] { server->stop(); });
        thread.join();
    }
    tcp::socket connect() {
        tcp::socket made(mine);
        made.connect({boost::asio::ip::address_v4::loopback(), port});
        return made;
    }
    result<http_response> get(const std::string& target) const {
        http_request request;
        request.method = "GET";
        request.target = target;
        return http_call("127.0.0.1", port, request, 5s);
    }
    /// Until the server has taken what was sent before.
    std::size_t connections() {
        std::promise<std::size_t> said;
        boost::asio::post(loop, [&] { said.set_value(server->connections()); });
        return said.get_future().get();
    }
    void wait_for_connections(std::size_t wanted) {
        const auto limit = std::chrono::steady_clock::now() + 10s;
        while (connections() != wanted && std::chrono::steady_clock::now() < limit) {
            std::this_thread::yield();
        }
        ASSERT_EQ(connections(), wanted);
    }

    boost::asio::io_context loop{1};
    base::steady_clock clock{loop.get_executor()};
    boost::asio::io_context mine{1};
    http_limits limits;
    std::vector<http_reply> held;
    std::optional<http_server> server;
    std::uint16_t port = 0;
    std::thread thread;
};

TEST_F(http_serving, lets_nobody_be_kept_out_by_connections_that_say_nothing) {
    auto first = connect();
    wait_for_connections(1);
    const auto second = connect();
    wait_for_connections(2);
    const auto answer = get("/");
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->body, "here\n");
    char byte = 0;
    boost::system::error_code ended;
    first.read_some(boost::asio::buffer(&byte, 1), ended);
    EXPECT_TRUE(ended) << "the one that has waited longest went";
    wait_for_connections(1);
}

TEST_F(http_serving, does_not_end_those_whose_answer_is_under_way) {
    auto first = connect();
    auto second = connect();
    const std::string hold = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
    first.write_some(boost::asio::buffer(hold));
    second.write_some(boost::asio::buffer(hold));
    const auto limit = std::chrono::steady_clock::now() + 10s;
    std::size_t asked = 0;
    while (asked < 2 && std::chrono::steady_clock::now() < limit) {
        std::promise<std::size_t> said;
        boost::asio::post(loop, [&] { said.set_value(held.size()); });
        asked = said.get_future().get();
    }
    ASSERT_EQ(asked, 2U);
    EXPECT_FALSE(get("/"));
    EXPECT_EQ(connections(), 2U);
}

TEST_F(http_serving, a_caller_waits_so_long_and_says_so) {
    http_request request;
    request.method = "GET";
    request.target = "/hold";
    const auto answer = http_call("127.0.0.1", port, request, 50ms);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), errc::timeout);
    EXPECT_EQ(answer.error().text(), fmt::format("127.0.0.1:{}: no answer within 50 ms", port));
}

/// What the server says until it closes the connection.
std::string said_to(tcp::socket socket, const std::string& request) {
    std::string answer;
    boost::system::error_code ended; // it may close before it has read all
    boost::asio::write(socket, boost::asio::buffer(request), ended);
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), ended);
    return answer;
}

TEST_F(http_serving, refuses_lines_without_an_end_between_and_after_chunks) {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string endless(100'000, 'a');
    for (const std::string line : {"1;", "0\r\nX: "}) {
        // What it has not read when it closes resets the connection, with the answer or without.
        const auto answer = said_to(connect(), head + line + endless);
        EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 431 ")) << answer;
        wait_for_connections(0);
    }
}

/// What every answer says beside what it is about.
const std::string safety = "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
                           "Referrer-Policy: no-referrer\r\n"
                           "Cross-Origin-Opener-Policy: same-origin\r\n"
                           "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
                           "Cache-Control: no-store\r\n";

TEST_F(http_serving, answers_requests_that_came_together_in_order) {
    const std::string one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const auto answer = said_to(connect(), one + "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nbad\r\n\r\n");
    EXPECT_EQ(answer,
              "HTTP/1.1 200 OK\r\n" + safety + "Content-Length: 5\r\n\r\nhere\n" +
                  "HTTP/1.1 200 OK\r\n" + safety + "Content-Length: 5\r\n\r\n" +
                  "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n" +
                  safety + "Connection: close\r\nContent-Length: 12\r\n\r\nBad Request\n");
}

TEST_F(http_serving, lets_a_handler_say_what_may_be_kept_and_run) {
    const auto answer = said_to(connect(), "GET /own HTTP/1.0\r\n\r\n");
    EXPECT_EQ(answer, "HTTP/1.0 200 OK\r\nCache-Control: no-cache\r\n"
                      "Content-Security-Policy: default-src 'self'\r\n"
                      "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
                      "Referrer-Policy: no-referrer\r\n"
                      "Cross-Origin-Opener-Policy: same-origin\r\nContent-Length: 4\r\n\r\nown\n");
}

TEST_F(http_serving, closes_after_the_answer_to_a_client_of_http_1_0) {
    EXPECT_EQ(said_to(connect(), "GET / HTTP/1.0\r\n\r\n"),
              "HTTP/1.0 200 OK\r\n" + safety + "Content-Length: 5\r\n\r\nhere\n");
}

/// The same under a clock moved by hand.
struct http_patience : testing::Test {
    http_patience() {
        EXPECT_TRUE(server.start("127.0.0.1", 0));
        client.connect({boost::asio::ip::address_v4::loopback(), server.port()});
        run_until([this] { return server.connections() == 1; });
    }
    ~http_patience() override {
        server.stop();
        run_until([] { return true; });
    }
    template <class Is>
    void run_until(Is is_so) {
        const auto limit = std::chrono::steady_clock::now() + 10s;
        do {
            loop.restart();
            loop.run_one_for(10ms);
        } while (!is_so() && std::chrono::steady_clock::now() < limit);
        EXPECT_TRUE(is_so());
    }
    boost::asio::io_context loop{1};
    base::manual_clock clock;
    std::optional<http_reply> held;
    http_server server{loop.get_executor(), clock, http_limits{.timeout = 10s},
                       [this](const http_request&, http_reply reply) { held = std::move(reply); }};
    tcp::socket client{loop};
};

TEST_F(http_patience, ends_who_says_nothing_when_the_time_is_over) {
    clock.advance(10s - 1ms);
    run_until([] { return true; });
    EXPECT_EQ(server.connections(), 1U);
    clock.advance(1ms);
    run_until([this] { return server.connections() == 0; });
}

TEST_F(http_patience, an_answer_may_take_its_time_and_the_next_request_has_its_own) {
    client.write_some(boost::asio::buffer(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
    run_until([this] { return held.has_value(); });
    clock.advance(1h);
    run_until([] { return true; });
    EXPECT_EQ(server.connections(), 1U);
    (*held)({200, {}, "late\n"});
    std::string answer(1000, '\0');
    client.async_read_some(boost::asio::buffer(answer),
                           [&](const auto&, std::size_t got) { answer.resize(got); });
    run_until([&] { return answer.ends_with("late\n"); });
    clock.advance(10s);
    run_until([this] { return server.connections() == 0; });
}

} // namespace
} // namespace shaddock::master
