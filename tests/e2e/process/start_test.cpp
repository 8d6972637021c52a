#include "test_system.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <csignal>
#include <sys/stat.h>

namespace shaddock::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string get(std::uint16_t port, const std::string& target) {
    boost::asio::io_context loop;
    boost::asio::ip::tcp::socket socket(loop);
    boost::system::error_code failed;
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port}, failed);
    if (failed) {
        return failed.message();
    }
    const auto request =
        fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", target);
    boost::asio::write(socket, boost::asio::buffer(request), failed);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), failed);
    return answer;
}

TEST(host_start, says_ready_when_all_serve_and_stops_all_at_ctrl_c) {
    const test_system system;
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 4 servers\n")) << master.text();
    EXPECT_THAT(master.text(), HasSubstr(fmt::format("http://127.0.0.1:{}/\n", system.web_port)));
    for (const auto& id : server_ids) {
        EXPECT_THAT(master.text(), HasSubstr(id));
    }
    EXPECT_THAT(get(system.web_port, "/"), HasSubstr("<h1>the page</h1>"));
    EXPECT_THAT(get(system.web_port, "/../config/servers.json"), HasSubstr("404"));
    EXPECT_THAT(system.running(), SizeIs(6));
    master.signal(SIGINT);
    EXPECT_EQ(master.end().status, 0) << master.text();
    EXPECT_THAT(system.running(), IsEmpty());
}

TEST(host_start, keeps_its_folder_to_its_user) {
    const test_system system;
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 4 servers\n")) << master.text();
    for (const auto& [name, mode] : {std::pair{"run", 0700U}, std::pair{"run/token", 0600U}}) {
        struct stat info {};
        ASSERT_EQ(stat(system.path(name).c_str(), &info), 0) << name;
        EXPECT_EQ(info.st_mode & 0777, mode) << name;
    }
}

TEST(host_start, returns_after_the_ready_line_when_a_daemon) {
    const test_system system;
    const auto started = system.run({"start", "-D"});
    EXPECT_EQ(started.status, 0);
    EXPECT_THAT(started.text, HasSubstr("ready: 4 servers\n"));
    EXPECT_THAT(system.running(), SizeIs(6));
    const auto stopped = system.run({"stop"});
    EXPECT_EQ(stopped.status, 0) << stopped.text;
    EXPECT_THAT(system.running(), IsEmpty());
}

TEST(host_start, says_why_a_server_cannot_start_and_leaves_nothing_behind) {
    for (const bool is_daemon : {false, true}) {
        const test_system system;
        boost::asio::io_context loop;
        const boost::asio::ip::tcp::acceptor taken(
            loop, {boost::asio::ip::make_address("127.0.0.1"), system.connector_port});
        const auto started = is_daemon ? system.run({"start", "-D"}) : system.run({"start"});
        EXPECT_EQ(started.status, 1);
        EXPECT_THAT(started.text, HasSubstr("connector-server-1 ended before it was ready"));
        EXPECT_THAT(started.text, HasSubstr(std::to_string(system.connector_port)));
        EXPECT_THAT(started.text, testing::Not(HasSubstr("ready: 4")));
        EXPECT_TRUE(system.comes_true([&] { return system.running().empty(); }));
    }
}

TEST(host_start, says_whose_port_is_taken) {
    for (const bool is_page : {false, true}) {
        const test_system system;
        boost::asio::io_context loop;
        const auto port = is_page ? system.web_port : system.gate_port;
        const boost::asio::ip::tcp::acceptor taken(
            loop, {boost::asio::ip::make_address("127.0.0.1"), port});
        const auto started = system.run({"start"});
        EXPECT_EQ(started.status, 1);
        EXPECT_THAT(started.text, HasSubstr(fmt::format("{} ended before it was ready",
                                                        is_page ? "web" : "gate-server-1")));
        EXPECT_THAT(started.text, HasSubstr(std::to_string(port)));
        EXPECT_THAT(started.text, HasSubstr("Address already in use"));
        EXPECT_THAT(started.text, testing::Not(HasSubstr("ready: 4")));
        EXPECT_TRUE(system.comes_true([&] { return system.running().empty(); }));
    }
}

TEST(host_start, is_refused_where_a_master_runs) {
    const test_system system;
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 4 servers\n")) << master.text();
    const auto second = system.run({"start"});
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.text, HasSubstr(fmt::format("process {}", master.pid())));
    EXPECT_THAT(system.running(), SizeIs(6));
}

TEST(host_list, has_no_master_to_ask) {
    const test_system system;
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"list"}, {"stop"}, {"reload", "chat"}}) {
        const auto said = system.run(command);
        EXPECT_EQ(said.status, 3) << command.front();
        EXPECT_THAT(said.text, HasSubstr("no master runs on"));
    }
}

TEST(host_list, shows_each_server_and_with_all_the_master_and_the_page) {
    const test_system system;
    auto master = system.host({"start"});
    ASSERT_TRUE(master.says("ready: 4 servers\n")) << master.text();
    const auto servers =
        control::from_json<control::server_rows>(system.run({"list", "--json"}).text);
    ASSERT_TRUE(servers);
    std::vector<std::string> ids;
    for (const auto& line : *servers) {
        ids.push_back(line.id);
        EXPECT_EQ(line.state, "ready") << line.id;
        EXPECT_TRUE(line.process()) << line.id;
        EXPECT_GT(line.rss_kb, 1000U) << line.id;
        EXPECT_EQ(line.generation, 1U) << line.id;
        EXPECT_GT(line.incarnation, 0U) << line.id;
        EXPECT_EQ(line.module, line.type + ".so") << line.id;
        EXPECT_NE(line.version, "") << line.id;
    }
    EXPECT_EQ(ids, server_ids);
    EXPECT_EQ(system.line("master-server-1").process(), master.pid());
    EXPECT_EQ(system.line("web").state, "ready");
    EXPECT_THAT(system.list(), SizeIs(6));
}

} // namespace
} // namespace shaddock::test
