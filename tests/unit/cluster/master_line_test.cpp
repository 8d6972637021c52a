#include "cluster/master_hub.hpp"
#include "cluster/master_link.hpp"
#include "line_connection.hpp"

#include "bus/unix_socket.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shaddock::cluster {

namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

class hub_notes final : public hub_listener {
public:
    void on_register(std::string_view id, pid_t pid, std::string_view json) override {
        heard.push_back(fmt::format("register {} {}", id, json));
        last_pid = pid;
    }
    void on_status(std::string_view id, std::string_view json) override {
        heard.push_back(fmt::format("status {} {}", id, json));
    }
    void on_message(std::string_view id, std::string_view name, std::string_view json) override {
        heard.push_back(fmt::format("{} {} {}", name, id, json));
    }
    void on_gone(std::string_view id) override { heard.push_back(fmt::format("gone {}", id)); }
    bool has(std::string_view line) const {
        return std::find(heard.begin(), heard.end(), line) != heard.end();
    }
    lines heard;
    pid_t last_pid = 0;
};

class child_notes final : public master_listener {
public:
    void on_message(std::string_view word, std::string_view body) override {
        heard.push_back(fmt::format("{} {}", word, body));
    }
    lines heard;
};

class master_line : public testing::Test {
protected:
    master_line() {
        auto pattern = (std::filesystem::temp_directory_path() / "line-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("cannot make a folder like " + pattern);
        }
        folder = pattern;
    }
    ~master_line() override {
        for (auto& link : links) {
            stop(*link);
        }
        stop_hub();
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    bool runs_until(const std::function<bool()>& is_so) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!is_so() && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_one_for(10ms);
        }
        return is_so();
    }
    template <class What>
    void stop(What& what) {
        bool is_stopped = false;
        what.stop([&] { is_stopped = true; });
        EXPECT_FALSE(is_stopped);
        EXPECT_TRUE(runs_until([&] { return is_stopped; }));
    }
    void start_hub() {
        hub = std::make_unique<master_hub>(io.get_executor(), clock, folder, master);
        ASSERT_TRUE(hub->start());
    }
    void stop_hub() {
        if (hub) {
            stop(*hub);
            hub.reset();
        }
    }
    master_link& add(const std::string& id, std::chrono::milliseconds period = 1s) {
        links.push_back(std::make_unique<master_link>(
            io.get_executor(), clock, master_link::options{folder, period},
            [id] { return fmt::format(R"({{"id":"{}","pid":{}}})", id, ::getpid()); },
            [this] { return fmt::format(R"({{"state":"{}"}})", state); }, child));
        links.back()->start();
        return *links.back();
    }
    bus::unix_socket call_raw(std::string_view bytes) {
        auto socket = bus::dial(io.get_executor(), folder / "master.sock");
        EXPECT_TRUE(socket);
        // More than the socket takes at once goes on while the hub reads, or closes.
        EXPECT_TRUE(runs_until([&] {
            const auto sent = ::send(socket->native_handle(), bytes.data(), bytes.size(),
                                     MSG_NOSIGNAL | MSG_DONTWAIT);
            bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
            return bytes.empty() || (sent < 0 && errno != EAGAIN);
        }));
        return std::move(*socket);
    }
    bool is_closed_by_hub(bus::unix_socket& socket) {
        return runs_until([&] {
            char byte = 0;
            const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_DONTWAIT);
            return got == 0 || (got < 0 && errno != EAGAIN);
        });
    }

    boost::asio::io_context io;
    base::steady_clock clock{io.get_executor()};
    std::filesystem::path folder;
    hub_notes master;
    child_notes child;
    std::string state = "starting";
    std::unique_ptr<master_hub> hub;
    std::vector<std::unique_ptr<master_link>> links;
};

} // namespace

TEST_F(master_line, registers_then_reports) {
    start_hub();
    auto& link = add("a", 30ms);
    ASSERT_TRUE(runs_until([&] { return master.heard.size() >= 2; }));
    EXPECT_EQ(master.heard[0], fmt::format(R"(register a {{"id":"a","pid":{}}})", ::getpid()));
    EXPECT_EQ(master.heard[1], R"(status a {"state":"starting"})");
    EXPECT_EQ(master.last_pid, ::getpid());
    EXPECT_TRUE(link.is_connected());
    EXPECT_TRUE(child.heard.empty());
    state = "ready";
    link.report();
    ASSERT_TRUE(runs_until([&] { return master.has(R"(status a {"state":"ready"})"); }));
    state = "later";
    ASSERT_TRUE(runs_until([&] { return master.has(R"(status a {"state":"later"})"); }))
        << "no report on its own";
    EXPECT_EQ(hub->connected(), (lines{"a"}));
}

TEST_F(master_line, brings_commands_and_messages) {
    start_hub();
    auto& link = add("a");
    ASSERT_TRUE(runs_until([&] { return !hub->connected().empty(); }));
    EXPECT_TRUE(hub->send("a", "dead", R"({"id":"b","life":1700000000000000001})"));
    EXPECT_TRUE(hub->send("a", "reload", R"({"module":"chat"})"));
    hub->send_all("servers");
    EXPECT_FALSE(hub->send("nobody", "servers"));
    ASSERT_TRUE(runs_until([&] { return child.heard.size() >= 3; }));
    EXPECT_EQ(child.heard, (lines{R"(dead {"id":"b","life":1700000000000000001})",
                                  R"(reload {"module":"chat"})", "servers {}"}));
    link.send("reloaded", R"({"ok":true})");
    ASSERT_TRUE(runs_until([&] { return master.has(R"(reloaded a {"ok":true})"); }));
}

TEST_F(master_line, looks_for_a_master_for_ever_and_finds_the_next_one) {
    auto& link = add("a");
    EXPECT_FALSE(runs_until([&, until = clock.now() + 200ms] {
                     return link.is_connected() || clock.now() > until;
                 }) &&
                 link.is_connected());
    for (int i = 0; i < 3; ++i) {
        start_hub();
        ASSERT_TRUE(runs_until([&] { return !hub->connected().empty(); })) << i;
        EXPECT_TRUE(link.is_connected()) << i;
        stop_hub();
        ASSERT_TRUE(runs_until([&] { return !link.is_connected(); })) << i;
    }
}

TEST_F(master_line, tells_when_a_server_s_line_ends) {
    start_hub();
    add("a");
    ASSERT_TRUE(runs_until([&] { return !hub->connected().empty(); }));
    stop(*links.back());
    links.clear();
    ASSERT_TRUE(runs_until([&] { return master.has("gone a"); }));
    EXPECT_TRUE(hub->connected().empty());
}

TEST_F(master_line, replaces_the_line_of_an_id_that_registers_again) {
    start_hub();
    auto first = call_raw("{\"register\":{\"id\":\"a\",\"life\":1}}\n");
    ASSERT_TRUE(runs_until([&] { return master.heard.size() == 1; }));
    auto second = call_raw("{\"register\":{\"id\":\"a\",\"life\":2}}\n");
    ASSERT_TRUE(runs_until([&] { return master.heard.size() == 3; }));
    EXPECT_EQ(master.heard, (lines{R"(register a {"id":"a","life":1})", "gone a",
                                   R"(register a {"id":"a","life":2})"}));
    EXPECT_TRUE(is_closed_by_hub(first));
    EXPECT_EQ(hub->connected(), (lines{"a"}));
}

TEST_F(master_line, closes_who_does_not_speak_as_a_server) {
    start_hub();
    const lines garbage{"GET / HTTP/1.1\r\n\r\n",
                        "{\"status\":{}}\n",
                        "{\"register\":{}}\n",
                        "{\"register\":{\"id\":5}}\n",
                        "{\"register\":{\"id\":\"x\"}}\nnonsense\n",
                        std::string(line_limit + 1024, 'x')};
    for (const auto& bytes : garbage) {
        auto socket = call_raw(bytes);
        EXPECT_TRUE(is_closed_by_hub(socket)) << bytes.substr(0, 40);
    }
    ASSERT_TRUE(runs_until([&] { return master.has("gone x"); }));
    EXPECT_TRUE(hub->connected().empty());
    add("a");
    ASSERT_TRUE(runs_until([&] { return !hub->connected().empty(); }));
}

TEST_F(master_line, understands_lines_that_come_byte_by_byte_and_many_at_once) {
    start_hub();
    const std::string all =
        "{\"register\":{\"id\":\"a\"}}\n{\"status\":{\"n\":1}}\n{\"status\":{\"n\":2}}\n";
    auto socket = call_raw(all.substr(0, 1));
    for (const char byte : all.substr(1)) {
        ASSERT_EQ(::send(socket.native_handle(), &byte, 1, MSG_NOSIGNAL), 1);
        io.restart();
        io.poll();
    }
    ASSERT_TRUE(runs_until([&] { return master.heard.size() == 3; }));
    EXPECT_EQ(master.heard.back(), R"(status a {"n":2})");
    auto at_once =
        call_raw("{\"register\":{\"id\":\"b\"}}\n{\"status\":{\"n\":1}}\n{\"status\":{\"n\":2}}\n");
    ASSERT_TRUE(runs_until([&] { return master.heard.size() == 6; }));
    EXPECT_EQ(master.heard.back(), R"(status b {"n":2})");
}

TEST_F(master_line, lets_one_master_in_and_keeps_its_socket_to_its_user) {
    start_hub();
    struct stat found {};
    ASSERT_EQ(::stat((folder / "master.sock").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    master_hub second(io.get_executor(), clock, folder, master);
    const auto started = second.start();
    ASSERT_TRUE(started.has_error());
    EXPECT_EQ(started.error().code(), errc::duplicate);
}

} // namespace shaddock::cluster
