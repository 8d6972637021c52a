#include "admin_page.hpp"

#include "answers.hpp"
#include "bus/run_folder.hpp"
#include "master/admin.hpp"
#include "master/page_server.hpp"
#include "pages.hpp"
#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <fstream>
#include <thread>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class admin_page : public testing::Test {
protected:
    admin_page() {
        folder.write("web/index.html", "<h1>chat</h1>");
        folder.write("web/admin/index.html", "<h1>admin</h1>");
        folder.write("web/admin/admin.js", "export {}");
    }
    std::filesystem::path web() const { return folder.path() / "web"; }
    http_response get(const std::string& target) const {
        http_request request;
        request.method = "GET";
        request.target = target;
        return serve_admin_page(web() / "admin", request);
    }
    test::temp_folder folder;
};

TEST_F(admin_page, is_at_admin_and_below) {
    for (const auto* target : {"/admin", "/admin/", "/admin?x", "/admin/admin.js", "/admin/../x"}) {
        EXPECT_TRUE(is_of_admin_page(target)) << target;
    }
    for (const auto* target : {"/", "", "/administer", "/admi", "/api/servers", "/api?/admin/"}) {
        EXPECT_FALSE(is_of_admin_page(target)) << target;
    }
}

TEST_F(admin_page, answers_with_its_files) {
    for (const auto* target : {"/admin", "/admin/", "/admin?x=1", "/admin/index.html"}) {
        const auto answer = get(target);
        EXPECT_EQ(answer.status, 200U) << target;
        EXPECT_EQ(answer.body, "<h1>admin</h1>") << target;
    }
    EXPECT_EQ(header(get("/admin/admin.js"), "Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(get("/admin/absent.js").status, 404U);
}

TEST_F(admin_page, gives_nothing_outside_of_its_folder) {
    for (const auto* target : {"/admin/../index.html", "/admin/%2e%2e/index.html",
                               "/admin/..%2findex.html", "/admin//../index.html"}) {
        EXPECT_EQ(get(target).status, 404U) << target;
    }
}

TEST_F(admin_page, may_talk_to_its_master_alone_and_stand_in_no_frame) {
    const auto policy = header(get("/admin"), "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'"));
    EXPECT_THAT(policy, HasSubstr("connect-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(policy, Not(HasSubstr("ws:")));
    EXPECT_EQ(header(get("/admin"), "Access-Control-Allow-Origin"), "");
}

TEST_F(admin_page, is_not_part_of_the_chat_page) {
    http_request request;
    request.method = "GET";
    for (const auto* target : {"/admin", "/admin/", "/%61dmin/admin.js", "//admin/index.html"}) {
        request.target = target;
        EXPECT_EQ(serve_file(web(), request).status, 404U) << target;
    }
    request.target = "/";
    EXPECT_EQ(serve_file(web(), request).status, 200U);
}

TEST_F(admin_page, is_found_in_the_web_folder_or_the_places_are_named) {
    const auto found = find_admin_folder(folder.path() / "config", "/nowhere/bin/host");
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, web() / "admin");
    const auto lost = find_admin_folder(folder.path() / "x/config", "/nowhere/bin/host");
    ASSERT_FALSE(lost);
    EXPECT_THAT(lost.error().text(), HasSubstr((folder.path() / "x/web/admin").string()));
}

/// An admin API that shows the page, on a thread of its own.
class admin_page_serving : public admin_page {
protected:
    admin_page_serving()
        : lock(bus::run_lock::take(folder.path(), "master").value()),
          server(loop.get_executor(), clock, folder.path()) {
        server.show_page(web() / "admin");
        EXPECT_TRUE(server.start("127.0.0.1", 0));
        port = server.port();
        thread = std::thread([this] { loop.run_for(30s); });
    }
    ~admin_page_serving() override {
        boost::asio::post(loop, [this] { server.stop(); });
        thread.join();
    }
    http_response call(const std::string& target) const {
        http_request request;
        request.method = "GET";
        request.target = target;
        const auto answer = http_call("127.0.0.1", port, request, 5s);
        EXPECT_TRUE(answer);
        return answer ? *answer : http_response{};
    }

    boost::asio::io_context loop{1};
    base::steady_clock clock{loop.get_executor()};
    bus::run_lock lock;
    admin_server server;
    std::uint16_t port = 0;
    std::thread thread;
};

TEST_F(admin_page_serving, needs_no_token_and_the_api_does) {
    const auto page = call("/admin");
    EXPECT_EQ(page.status, 200U);
    EXPECT_EQ(page.body, "<h1>admin</h1>");
    EXPECT_EQ(call("/admin/admin.js").status, 200U);
    EXPECT_EQ(call("/admin/../token").status, 404U);
    EXPECT_EQ(call("/api/servers").status, 401U);
    EXPECT_EQ(call("/token").status, 401U);
}

TEST_F(admin_page_serving, has_an_address_that_hands_over_the_token) {
    std::string token;
    std::getline(std::ifstream(folder.path() / "token"), token);
    const auto client = admin_client::open(folder.path());
    ASSERT_TRUE(client) << client.error().text();
    EXPECT_EQ(client->page_url(),
              "http://127.0.0.1:" + std::to_string(port) + "/admin#token=" + token);
}

} // namespace
} // namespace shaddock::master
