#include "pages.hpp"

#include "answers.hpp"
#include "master/page_server.hpp"
#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <thread>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class pages : public testing::Test {
protected:
    pages() {
        folder.write("web/index.html", "<h1>hello</h1>");
        folder.write("web/client/wire.js", "export {}");
        folder.write("web/.secret", "s");
        folder.write("token", "outside");
        std::filesystem::create_symlink(folder.path() / "token", folder.path() / "web/link.txt");
    }
    http_response get(const std::string& target, const std::string& tag = {}) {
        http_request request;
        request.method = "GET";
        request.target = target;
        request.if_none_match = tag;
        return serve_file(folder.path() / "web", request);
    }
    test::temp_folder folder;
};

TEST_F(pages, answer_the_root_with_the_index) {
    for (const auto* target : {"/", "/index.html", "/index.html?x=1", "/%69ndex.html"}) {
        const auto answer = get(target);
        EXPECT_EQ(answer.status, 200U) << target;
        EXPECT_EQ(answer.body, "<h1>hello</h1>") << target;
        EXPECT_EQ(header(answer, "Content-Type"), "text/html; charset=utf-8");
    }
}

TEST_F(pages, name_the_type_of_a_module) {
    EXPECT_EQ(header(get("/client/wire.js"), "Content-Type"), "text/javascript; charset=utf-8");
}

TEST_F(pages, give_nothing_outside_of_the_folder) {
    for (const auto* target :
         {"/../token", "/client/../../token", "/%2e%2e/token", "/..%2ftoken", "/link.txt",
          "/.secret", "/%00", "/a\\b", "token", "", "/%", "/%2", "/%zz", "//../token", "/client"}) {
        EXPECT_EQ(get(target).status, 404U) << target;
    }
    EXPECT_EQ(get("//index.html").status, 200U);
}

TEST_F(pages, say_when_nothing_has_changed) {
    const auto tag = header(get("/"), "ETag");
    ASSERT_FALSE(tag.empty());
    const auto again = get("/", tag);
    EXPECT_EQ(again.status, 304U);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(header(again, "ETag"), tag);
    folder.write("web/index.html", "<h1>changed</h1>");
    EXPECT_EQ(get("/", tag).status, 200U);
}

TEST_F(pages, refuse_other_methods) {
    http_request request;
    request.method = "POST";
    request.target = "/";
    const auto answer = serve_file(folder.path() / "web", request);
    EXPECT_EQ(answer.status, 405U);
    EXPECT_EQ(header(answer, "Allow"), "GET, HEAD");
}

TEST_F(pages, carry_their_security_policy_even_when_absent) {
    for (const auto* target : {"/", "/absent"}) {
        const auto answer = get(target);
        EXPECT_THAT(header(answer, "Content-Security-Policy"), HasSubstr("connect-src 'self' ws:"));
    }
}

TEST_F(pages, are_found_beside_the_config_folder_or_the_places_are_named) {
    const auto config = folder.path() / "config";
    const auto found = find_page_folder({}, config, "/nowhere/bin/host");
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, folder.path() / "web");
    const auto lost = find_page_folder(folder.path() / "absent", config, "/nowhere/bin/host");
    ASSERT_FALSE(lost);
    EXPECT_THAT(lost.error().text(), HasSubstr((folder.path() / "absent").string()));
}

/// Talks to a page server that runs on a thread of its own.
class page_serving : public pages {
protected:
    page_serving() : server(loop.get_executor(), clock, folder.path() / "web") {
        EXPECT_TRUE(server.start("127.0.0.1", 0));
        port = server.port();
        thread = std::thread([this] { loop.run_for(30s); });
    }
    ~page_serving() override {
        boost::asio::post(loop, [this] { server.stop(); });
        thread.join();
    }
    std::string talk(const std::string& request) {
        boost::asio::io_context mine;
        boost::asio::ip::tcp::socket socket(mine);
        socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
        boost::system::error_code failed;
        boost::asio::write(socket, boost::asio::buffer(request), failed);
        std::string answer;
        boost::asio::read(socket, boost::asio::dynamic_buffer(answer), failed);
        return answer;
    }
    boost::asio::io_context loop{1};
    base::steady_clock clock{loop.get_executor()};
    page_server server;
    std::uint16_t port = 0;
    std::thread thread;
};

TEST_F(page_serving, speaks_http) {
    const auto answer = talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));
    EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n<h1>hello</h1>"));
}

TEST_F(page_serving, answers_head_with_the_length_and_no_body) {
    const auto answer = talk("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 14\r\n"));
    EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(page_serving, keeps_the_connection_for_the_next_request) {
    const auto answer = talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                             "GET /absent HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK"));
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 404 Not Found"));
}

TEST_F(page_serving, refuses_a_head_over_8_kib) {
    const auto answer =
        talk("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
}

TEST_F(page_serving, refuses_what_is_not_http) {
    EXPECT_THAT(talk("HELLO\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

} // namespace
} // namespace shaddock::master
