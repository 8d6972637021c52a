#include "http.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
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
        server.emplace(loop.get_executor(), limits,
                       [this](const http_request& request, http_reply reply) {
                           if (request.target == "/hold") {
                               held.push_back(std::move(reply));
                               return;
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

} // namespace
} // namespace shaddock::master
