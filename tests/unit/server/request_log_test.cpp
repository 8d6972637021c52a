#include "request_log.hpp"

#include "base/log.hpp"
#include "made_generation.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

TEST(served_request, is_the_innermost_scope_s_and_none_outside) {
    served_request now;
    EXPECT_EQ(now.now(), request_id{});
    const auto outer = now.begin(incarnation{7}, session_id{3});
    const auto inner = now.begin(incarnation{7}, session_id{4});
    EXPECT_NE(outer, inner);
    {
        const served_request::scope one(now, outer);
        {
            const served_request::scope two(now, inner);
            EXPECT_EQ(now.now(), inner);
        }
        EXPECT_EQ(now.now(), outer);
        EXPECT_EQ(now.now_or_own(incarnation{8}), outer);
    }
    EXPECT_EQ(now.now(), request_id{});
    const auto own = now.now_or_own(incarnation{8});
    EXPECT_EQ(own, (request_id{incarnation{8}, session_id{}, 3}));
    EXPECT_NE(now.now_or_own(incarnation{8}), own);
}

const door::plugin_door& bare_door() {
    static struct : door::plugin {
    } object;
    static const door::plugin_door door{
        sizeof(door::plugin_door),
        door::sdk_abi,
        "",
        "chat",
        "0.1.0",
        "b",
        nullptr,
        [](door::host&, door::registration&, std::string*) -> door::plugin* { return &object; },
        [](door::plugin*) {}};
    return door;
}

struct request_log_test : ::testing::Test {
    request_log_test() {
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        door::server_info connector;
        connector.id = "connector-server-1";
        connector.type = "connector";
        connector.life = incarnation{70};
        names.update(std::make_shared<cluster::view>(cluster::view{1, {connector}}));
    }
    ~request_log_test() override {
        base::log::start("test", {});
        std::filesystem::remove_all(folder);
    }
    void log_at(base::log::level threshold) {
        base::log::options wanted;
        wanted.threshold = threshold;
        wanted.file = folder + "/log";
        wanted.console = false;
        base::log::start("test", wanted);
    }
    static std::shared_ptr<generation> make(std::uint32_t number, std::string build) {
        return make_generation({&bare_door(), "chat.so", std::move(build)}, "chat", number);
    }
    std::unique_ptr<request_log> begin(const request_id& which, const session_ref* who,
                                       const generation* now) {
        return request_log::begin(names, clock,
                                  {which, "chat.chatHandler.send", who, "10.0.0.7:1", now});
    }
    /// Without date, level and name.
    texts lines() const {
        base::log::start("test", {});
        std::ifstream file(folder + "/log");
        texts all;
        for (std::string line; std::getline(file, line);) {
            all.push_back(line.substr(line.find("] ") + 2));
        }
        return all;
    }

    std::string folder = ::testing::TempDir() + "request_log_XXXXXX";
    base::manual_clock clock;
    directory names;
    const session_ref alice{"connector-server-1", incarnation{70}, session_id{12}, "alice"};
    const request_id id{incarnation{70}, session_id{12}, 345};
};

TEST_F(request_log_test, a_line_when_it_comes_and_one_when_it_is_answered) {
    log_at(base::log::level::debug);
    const auto first = make(1, "5be2a1c09f3d7777");
    const auto second = make(2, "");
    const auto log = begin(id, &alice, first.get());
    clock.advance(810us);
    log->end(door::body{}, second.get());
    const auto refused = begin({incarnation{71}, session_id{}, 9}, nullptr, first.get());
    refused->end(error(errc::unknown_route, "no such route"), nullptr);
    begin(id, nullptr, nullptr)->end(door::body{}, nullptr);
    EXPECT_EQ(lines(),
              (texts{"server: request connector-server-1/12/345 begins: 'chat.chatHandler.send', "
                     "session 12 of connector-server-1 (alice), from 10.0.0.7:1",
                     "server: request connector-server-1/12/345 ends: 'chat.chatHandler.send', ok, "
                     "810 us, by chat.so 0.1.0 generation 2",
                     "server: request 71/0/9 begins: 'chat.chatHandler.send', no session, from "
                     "10.0.0.7:1",
                     "server: request 71/0/9 ends: 'chat.chatHandler.send', unknown_route: no such "
                     "route, 0 us, by chat.so 0.1.0 build 5be2a1c09f3d generation 1",
                     "server: request connector-server-1/12/345 begins: 'chat.chatHandler.send', "
                     "no session, from 10.0.0.7:1",
                     "server: request connector-server-1/12/345 ends: 'chat.chatHandler.send', ok, "
                     "0 us, by no generation"}));
}

TEST_F(request_log_test, above_debug_there_is_none) {
    log_at(base::log::level::info);
    EXPECT_EQ(begin(id, &alice, nullptr), nullptr);
    EXPECT_EQ(lines(), texts{});
}

} // namespace
} // namespace shaddock::server
