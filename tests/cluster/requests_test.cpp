#include "cluster.hpp"

#include "../plugin/modules/relay.hpp"

#include "base/log.hpp"

#include <shaddock/plugin.hpp>

#include <boost/asio/thread_pool.hpp>
#include <boost/describe.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

/// One request is one id in the logs of all servers that it touches.
namespace shaddock::relays {

struct trip {
    int hops = 0;
};
BOOST_DESCRIBE_STRUCT(trip, (), (hops))

/// Calls `hop` of the other server so many times over.
inline constexpr remote_method<int(int)> hop{"probe.relay.hop"};
inline constexpr remote_method<void(std::string)> note{"probe.relay.note"};

class relay {
public:
    explicit relay(app& with) : app_(with) {}

    awaitable<int> hop(int left) {
        if (left == 0) {
            co_return 0;
        }
        // All that a coroutine may wait for: what it began goes on with it.
        co_await app_.sleep(std::chrono::milliseconds(1));
        auto work = [] {};
        co_await app_.blocking(std::move(work));
        routing by(
            to_server(app_.server_id() == "probe-server-1" ? "probe-server-2" : "probe-server-1"));
        auto calling = app_.call(relays::hop, std::move(by), left - 1);
        auto got = co_await std::move(calling);
        co_return std::move(got).value() + 1;
    }
    void note(std::string) {}
    awaitable<trip> travel(trip wanted) {
        const auto hops = wanted.hops;
        auto made = co_await hop(hops);
        app_.post([&with = app_] {
            routing by(to_server("probe-server-2"));
            (void)with.cast(relays::note, by, "posted");
        });
        co_return trip{made};
    }

private:
    app& app_;
};

inline void setup(registrar& into) {
    into.handler<relay>("relay").method("travel", &relay::travel);
    into.remote<relay>("relay").method(hop, &relay::hop).method(note, &relay::note);
    into.on_session_closed([](app& with, const session&, std::string_view) {
        routing by(to_server("probe-server-2"));
        (void)with.cast(note, by, "closed");
    });
}

inline const door::plugin_door& relay_door() {
    static const auto made = detail::door_of<&setup>("probe", "3");
    return made;
}

} // namespace shaddock::relays

namespace shaddock::cluster_test {
namespace {

using texts = std::vector<std::string>;

/// Servers that log at debug into one file.
struct requests : testing::Test {
    requests() {
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        base::log::options wanted;
        wanted.threshold = base::log::level::debug;
        wanted.file = folder + "/log";
        wanted.console = false;
        base::log::start("test", wanted);
    }
    ~requests() override {
        all.reset();
        base::log::start("test", {});
        std::filesystem::remove_all(folder);
    }
    void start(system::shape shape) {
        shape.adjust = [this](server::server_options& options) {
            options.blocking_pool = pool.get_executor();
        };
        all.emplace(std::move(shape));
    }
    /// The lines about requests once all servers have stopped, from `request` on, without
    /// what differs from run to run.
    texts lines(std::string_view about = "request ") {
        all.reset();
        base::log::start("test", {});
        std::ifstream file(folder + "/log");
        texts found;
        for (std::string line; std::getline(file, line);) {
            const auto at = line.find("server: " + std::string(about));
            if (at == line.npos) {
                continue;
            }
            line.erase(0, at + 8);
            if (const auto port = line.find("127.0.0.1:"); port != line.npos) {
                line.resize(port + 9);
            }
            if (const auto took = line.find("ok, "); took != line.npos) {
                line.replace(took + 4, line.find(" us", took) - took - 4, "N");
            }
            found.push_back(line);
        }
        return found;
    }

    std::string folder = testing::TempDir() + "requests_XXXXXX";
    boost::asio::thread_pool pool{1};
    std::optional<system> all;
};

long count(const texts& in, std::string_view start) {
    return std::count_if(in.begin(), in.end(),
                         [&](const auto& line) { return line.starts_with(start); });
}

TEST_F(requests, have_one_id_on_all_servers_that_they_touch) {
    start({.connectors = 1, .chats = 1});
    auto& alice = all->enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all->say(alice, "hi"), "{}");
    EXPECT_EQ(all->ask(alice, "chat.chatHandler.nothing", "{}"), R"({"code":500})");
    const auto found = lines();
    // The connector serves `enter` itself and calls a remote of the chat server for it.
    const std::string by_connector = " us, by connector.so 0.1.0 generation 1";
    const std::string by_chat = " us, by chat.so 0.1.0 generation 1";
    const texts wanted{
        "request connector-server-1/1/1 begins: 'connector.entryHandler.enter', session 1 of "
        "connector-server-1, from 127.0.0.1",
        "request connector-server-1/1/1 begins: 'chat.chatRemote.add', no session, from "
        "connector-server-1",
        "request connector-server-1/1/1 ends: 'chat.chatRemote.add', ok, N" + by_chat,
        "request connector-server-1/1/1 ends: 'connector.entryHandler.enter', ok, N" + by_connector,
        "request connector-server-1/1/2 begins: 'chat.chatHandler.send', session 1 of "
        "connector-server-1 (alice*room), from 127.0.0.1",
        "request connector-server-1/1/2 begins: 'chat.chatHandler.send', session 1 of "
        "connector-server-1 (alice*room), from connector-server-1",
        "request connector-server-1/1/2 ends: 'chat.chatHandler.send', ok, N" + by_chat,
        "request connector-server-1/1/2 ends: 'chat.chatHandler.send', ok, N" + by_connector,
    };
    ASSERT_GE(found.size(), wanted.size());
    EXPECT_EQ(texts(found.begin(), found.begin() + static_cast<long>(wanted.size())), wanted);
    const std::string failed = "request connector-server-1/1/3 ends: 'chat.chatHandler.nothing', "
                               "unknown_route: 'chat.chatHandler.nothing' is not registered by "
                               "this server, ";
    EXPECT_EQ(count(found, failed), 2) << "on both servers";
}

TEST_F(requests, name_sessions_which_are_logged_with_their_connections) {
    start({.connectors = 1, .chats = 1});
    all->open("connector-server-1");
    all->connect("connector-server-1");
    EXPECT_EQ(lines("session "), texts{"session 1 is connection 2 of 127.0.0.1"});
}

TEST_F(requests, keep_it_over_all_that_their_coroutines_wait_for) {
    start({.connectors = 1, .chats = 1, .probe = &relays::relay_door(), .probes = 2});
    auto& alice = all->connect("connector-server-1");
    EXPECT_EQ(all->ask(alice, "probe.relay.travel", R"({"hops":3})"), R"({"hops":3})");
    all->settle();
    const auto found = lines();
    const std::string id = "request connector-server-1/1/1 ";
    EXPECT_EQ(count(found, id), static_cast<long>(found.size())) << found.back();
    EXPECT_EQ(count(found, id + "begins: 'probe.relay.hop'"), 3);
    EXPECT_EQ(count(found, id + "ends: 'probe.relay.hop', ok"), 3);
    EXPECT_EQ(count(found, id + "begins: 'probe.relay.note', no session, from probe-server-"), 1);
    EXPECT_EQ(count(found, id + "ends: 'probe.relay.note', ok"), 1);
    // Frontend and backend.
    EXPECT_EQ(count(found, id + "ends: 'probe.relay.travel', ok"), 2);
}

TEST_F(requests, of_a_server_s_own_accord_have_ids_of_their_own) {
    start({.connectors = 1,
           .chats = 1,
           .probe = &relays::relay_door(),
           .is_probe_frontend = true,
           .probes = 2});
    all->connect("probe-server-1").link->drop();
    ASSERT_TRUE(all->until([&] { return all->at("probe-server-2").now().requests == 1; }));
    all->connect("probe-server-1").link->drop();
    ASSERT_TRUE(all->until([&] { return all->at("probe-server-2").now().requests == 2; }));
    const auto found = lines();
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0], "request probe-server-1/0/1 begins: 'probe.relay.note', no session, from "
                        "probe-server-1");
    EXPECT_TRUE(found[1].starts_with("request probe-server-1/0/1 ends: ")) << found[1];
    EXPECT_TRUE(found[2].starts_with("request probe-server-1/0/2 begins: ")) << found[2];
}

/// A client on a connector, and two servers that call each other.
struct calls_of_a_request : testing::Test {
    relaying::ending ask(std::string_view wish) {
        const auto answer = all.ask(client, "probe.relayHandler.bounded", wish);
        return json::decode<relaying::ending>(answer, "ending").value();
    }
    static const door::plugin_door& relay_door() {
        static const auto made = detail::door_of<&relaying::setup>("probe", "1");
        return made;
    }
    system all{system::shape{.connectors = 1, .chats = 1, .probe = &relay_door(), .probes = 2}};
    chat_client& client = all.connect("connector-server-1");
};

TEST_F(calls_of_a_request, end_when_its_caller_stops_waiting) {
    const auto bounded = ask(R"({"is_beside":false,"own_ms":0})");
    EXPECT_EQ(bounded.code, "timeout");
    EXPECT_GE(bounded.ms, 400);
    EXPECT_LT(bounded.ms, 1900) << "their own 2 s";
    const auto shorter = ask(R"({"is_beside":false,"own_ms":50})");
    EXPECT_EQ(shorter.code, "timeout");
    EXPECT_LT(shorter.ms, 400);
}

TEST_F(calls_of_a_request, that_begin_after_its_answer_have_their_own_time) {
    EXPECT_GE(ask(R"({"is_beside":true,"own_ms":800})").ms, 790);
}

} // namespace
} // namespace shaddock::cluster_test
