#include "cluster.hpp"
#include "versions.hpp"

#include <algorithm>
#include <set>

/// A server's plugin is replaced while real clients use it.
namespace shaddock::cluster_test {
namespace {

using versions::seen;
using versions::start_step;
using texts = std::vector<std::string>;

template <int V>
server::plugin_source version() {
    return {&versions::door<V>(), "probe.so"};
}

/// A server `probe-server-1` in versions, behind or as a frontend.
struct reload_test : testing::Test {
    explicit reload_test(bool is_frontend = false) {
        seen() = {};
        all.emplace(system::shape{.connectors = 1,
                                  .chats = 1,
                                  .probe = &versions::door<1>(),
                                  .is_probe_frontend = is_frontend,
                                  .adjust = [](server::server_options& options) {
                                      options.generation_timeout = 300ms;
                                      options.drain_timeout = 500ms;
                                  }});
        seen().log.clear();
    }
    ~reload_test() override {
        go_on(100);
        all.reset();
        seen().parked.clear();
        EXPECT_EQ(seen().alive[1], 0);
        EXPECT_EQ(seen().alive[2], 0);
        EXPECT_FALSE(seen().is_destroyed_in_frame);
    }

    server::server& probe() { return all->at("probe-server-1"); }
    void begin(server::plugin_source next, server::reload_options how = {.drain = {}}) {
        outcome.reset();
        probe().reload({std::move(next)}, how,
                       [this](result<void> got) { outcome = std::move(got); });
        EXPECT_FALSE(outcome) << "completed inline";
    }
    std::string word() {
        EXPECT_TRUE(all->until([&] { return outcome.has_value(); }));
        return !outcome ? "nothing" : *outcome ? "done" : outcome->error().text();
    }
    std::string reload(server::plugin_source next, server::reload_options how = {.drain = {}}) {
        begin(std::move(next), how);
        return word();
    }
    std::uint32_t send(chat_client& from, std::string_view method, int n = 0) {
        return from.send(fmt::format("probe.probeHandler.{}", method),
                         fmt::format(R"({{"n":{}}})", n));
    }
    std::string ask(chat_client& from, std::string_view method, int n = 0) {
        return all->answer(from, send(from, method, n));
    }
    bool parked(std::size_t count) {
        return all->until([&] { return seen().parked.size() >= count; });
    }
    static void go_on(std::size_t count = 1) {
        for (; count > 0 && !seen().parked.empty(); --count) {
            auto first = std::move(seen().parked.front());
            seen().parked.erase(seen().parked.begin());
            first->done(door::body{});
        }
    }
    bool ends() {
        return all->until([&] { return probe().now().ending == 0; });
    }
    static bool logged(std::string_view line) {
        return std::count(seen().log.begin(), seen().log.end(), line) != 0;
    }

    std::optional<system> all;
    std::optional<result<void>> outcome;
};
struct reload_frontend_test : reload_test {
    reload_frontend_test() : reload_test(true) {}
};

TEST_F(reload_test, a_request_in_flight_ends_on_the_old_and_the_next_one_is_served_by_the_new) {
    auto& alice = all->connect("connector-server-1");
    const auto waits = send(alice, "wait", 1);
    ASSERT_TRUE(parked(1));
    EXPECT_EQ(reload(version<2>()), "done");
    EXPECT_EQ(ask(alice, "who"), R"({"version":2,"count":1,"note":""})");
    const auto now = probe().now();
    EXPECT_EQ(now.generation, 2u);
    EXPECT_EQ(now.version, "2");
    EXPECT_EQ(now.ending, 1u);
    EXPECT_TRUE(now.is(control::server_state::ready));
    go_on();
    EXPECT_EQ(all->answer(alice, waits), R"({"version":1,"count":1,"note":""})");
    EXPECT_TRUE(ends());
    EXPECT_EQ(seen().alive[1], 0);
}

TEST_F(reload_test, calls_of_the_old_use_its_router_and_its_contracts_are_told_from_the_new_ones) {
    auto& alice = all->connect("connector-server-1");
    const auto calls = send(alice, "call", 1);
    ASSERT_TRUE(parked(1));
    EXPECT_EQ(reload(version<2>()), "done");
    seen().log.clear();
    go_on();
    EXPECT_EQ(
        all->answer(alice, calls),
        R"({"version":1,"count":2,"note":"probe.probeRemote.sum: argument 1 is a number there, a )"
        R"(text here; there is probe-server-1 (probe.so 1), here probe.so 2"})");
    EXPECT_EQ(std::count(seen().log.begin(), seen().log.end(), "routed by 1"), 2);
    EXPECT_FALSE(logged("routed by 2"));
    const auto again = send(alice, "call", 1);
    ASSERT_TRUE(parked(1));
    go_on();
    EXPECT_EQ(all->answer(alice, again), R"({"version":2,"count":2,"note":""})");
    EXPECT_TRUE(logged("routed by 2"));
}

TEST_F(reload_test, what_does_not_fit_leaves_a_healthy_server) {
    auto& alice = all->connect("connector-server-1");
    const auto refused = [&](std::string_view why) {
        const auto said = reload(version<2>(), {.drain = {}, .setup = 50ms});
        EXPECT_TRUE(said.find(why) != said.npos) << said;
        const auto answer = ask(alice, "who");
        EXPECT_TRUE(answer.starts_with(R"({"version":1,)")) << answer;
        EXPECT_EQ(probe().now().generation, 1u);
        EXPECT_TRUE(ends()) << why;
        EXPECT_EQ(seen().alive[2], 0) << why;
        EXPECT_EQ(probe().now().kept, 0u) << why;
        versions::notes fresh;
        fresh.alive = seen().alive;
        fresh.apps = seen().apps;
        seen() = std::move(fresh);
    };
    seen().create_throws = true;
    refused("no wood");
    seen().is_route_twice = true;
    refused("'probe.probeHandler.who' is registered twice");
    seen().is_state_twice = true;
    refused("two objects save their state as 'state rooms'");
    seen().start = start_step::fails;
    refused("no water");
    seen().start = start_step::throws;
    refused("no power");
    seen().save_throws = true;
    refused("no ink");
    seen().restore_fails = true;
    refused("not these bytes");
    EXPECT_EQ(reload(version<2>()), "done");
    EXPECT_EQ(ask(alice, "who"), R"({"version":2,"count":8,"note":""})");
}

TEST_F(reload_test, only_a_server_that_serves_is_reloaded) {
    seen().start = start_step::is_slow;
    begin(version<2>());
    std::optional<result<void>> stopped;
    bool is_stopped = false;
    probe().stop("test", [&] { is_stopped = true; });
    probe().reload({version<2>()}, {}, [&](result<void> got) { stopped = std::move(got); });
    EXPECT_FALSE(stopped);
    EXPECT_TRUE(all->until([&] { return is_stopped && stopped; }));
    EXPECT_EQ(word(), "the server is stopping");
    EXPECT_EQ(stopped->error().text(), "the server is draining");
    EXPECT_FALSE(logged("serves 2"));
    EXPECT_EQ(seen().alive[2], 0);
    all->start("probe-server-1");
}

TEST_F(reload_test, a_stop_ends_cleanly_in_every_moment_of_a_reload) {
    for (const bool is_draining : {false, true}) {
        for (int turns = 0; turns < 12; ++turns) {
            auto& alice = all->connect("connector-server-1");
            const auto first = send(alice, "wait", 1);
            ASSERT_TRUE(parked(1));
            begin(version<2>(), {.drain = is_draining ? 10s : 0s});
            const auto second = send(alice, "who");
            for (int i = 0; i < turns; ++i) {
                all->loop.restart();
                all->loop.poll_one();
            }
            bool is_stopped = false;
            probe().stop("test", [&] { is_stopped = true; });
            all->settle();
            go_on();
            // Both are answered: by whom depends on the moment.
            (void)all->answer(alice, first);
            (void)all->answer(alice, second);
            (void)word();
            EXPECT_TRUE(all->until([&] { return is_stopped; })) << turns;
            EXPECT_EQ(seen().alive[1], 0) << turns;
            EXPECT_EQ(seen().alive[2], 0) << turns;
            all->start("probe-server-1");
            EXPECT_TRUE(all->until([&] {
                const auto now = all->at("connector-server-1").now();
                return now.links == now.expected;
            }));
        }
    }
}

TEST_F(reload_test, a_drain_does_not_hold_what_requests_in_flight_call) {
    auto& alice = all->connect("connector-server-1");
    const auto calls = send(alice, "call", 1); // and then a remote of its own server
    ASSERT_TRUE(parked(1));
    begin(version<2>(), {.drain = 10s});
    all->settle();
    const auto later = send(alice, "who", 2);
    go_on();
    EXPECT_EQ(all->answer(alice, calls), R"({"version":1,"count":1,"note":""})");
    EXPECT_EQ(word(), "done");
    EXPECT_EQ(all->answer(alice, later), R"({"version":2,"count":1,"note":""})");
}

TEST_F(reload_test, a_drain_holds_requests_of_clients_in_their_order) {
    auto& alice = all->connect("connector-server-1");
    const auto waits = send(alice, "wait", 1);
    ASSERT_TRUE(parked(1));
    begin(version<2>(), {.drain = 10s});
    all->settle();
    std::vector<std::uint32_t> ids;
    for (int n = 0; n < 20; ++n) {
        ids.push_back(send(alice, "echo", n));
    }
    all->settle();
    EXPECT_TRUE(alice.answers.empty());
    EXPECT_TRUE(alice.pushes.empty());
    go_on();
    EXPECT_EQ(all->answer(alice, waits), R"({"version":1,"count":1,"note":""})");
    EXPECT_EQ(word(), "done");
    for (int n = 0; n < 20; ++n) {
        EXPECT_EQ(all->answer(alice, ids[static_cast<std::size_t>(n)]),
                  fmt::format(R"({{"version":2,"count":{0},"note":"2:{0}"}})", n));
    }
    const auto pushes = all->pushes(alice, 20);
    ASSERT_EQ(pushes.size(), 20u);
    for (std::size_t n = 0; n < 20; ++n) {
        EXPECT_EQ(pushes[n], fmt::format(R"(onEcho {{"version":2,"count":{},"note":""}})", n));
    }
}

/// One more server beside a system, on its loop, that nobody else knows.
struct lone_server {
    explicit lone_server(system& beside, bool is_check = false)
        : self(info()), list({self}),
          links(bus::make_local(beside.loop.get_executor(), beside.clock, beside.network, self.id,
                                self.life)),
          registry(cluster::make_local_registry(beside.loop.get_executor(), list)),
          server(beside.loop.get_executor(), beside.clock, *links, *registry,
                 options(self, is_check)) {}

    static door::server_info info() {
        door::server_info self;
        self.id = "other-server-1";
        self.type = "probe";
        self.life = incarnation{99};
        return self;
    }
    static server::server_options options(const door::server_info& self, bool is_check) {
        server::server_options made;
        made.self = self;
        made.is_check = is_check;
        return made;
    }

    door::server_info self;
    cluster::local_directory list;
    std::unique_ptr<bus::bus> links;
    std::unique_ptr<cluster::registry> registry;
    shaddock::server::server server;
};

TEST_F(reload_test, a_server_that_starts_is_not_reloaded) {
    seen().start = start_step::is_slow;
    lone_server lone(*all);
    auto& other = lone.server;
    std::optional<result<void>> started;
    other.start({version<2>()}, [&](result<void> got) { started = std::move(got); });
    other.reload({version<1>()}, {}, [this](result<void> got) { outcome = std::move(got); });
    EXPECT_EQ(word(), "the server is starting");
    EXPECT_TRUE(all->until([&] { return started.has_value(); }));
    EXPECT_TRUE(*started);
    EXPECT_EQ(other.now().version, "2");
    bool is_stopped = false;
    other.stop("test", [&] { is_stopped = true; });
    EXPECT_TRUE(all->until([&] { return is_stopped; }));
}

TEST_F(reload_test, a_check_starts_and_stops_and_serves_nothing) {
    lone_server lone(*all, true);
    auto& tried = lone.server;
    seen().log.clear();
    seen().start = start_step::is_slow;
    seen().tick_period = 1ms;
    bool is_started = false;
    tried.start({version<2>()}, [&](const result<void>& got) { is_started = got.has_value(); });
    EXPECT_TRUE(all->until([&] { return is_started; }));
    bool is_stopped = false;
    tried.stop("checked", [&] { is_stopped = true; });
    EXPECT_TRUE(all->until([&] { return is_stopped; }));
    EXPECT_EQ(seen().log, (texts{"starts 2", "stops 2"}));
    EXPECT_EQ(seen().stopped[2], "check");
}

// ---- a frontend

TEST_F(reload_frontend_test, a_global_filters_before_and_after_are_of_one_generation) {
    auto& alice = all->connect("probe-server-1");
    const auto waits = send(alice, "wait", 1);
    ASSERT_TRUE(parked(1));
    EXPECT_EQ(reload(version<2>()), "done");
    seen().log.clear();
    go_on();
    (void)all->answer(alice, waits);
    EXPECT_TRUE(ends());
    EXPECT_EQ(seen().log, (texts{"ends 1 in 1", "after 1", "stops 1"}));
    seen().log.clear();
    (void)ask(alice, "who");
    EXPECT_EQ(seen().log, (texts{"before 2", "filter 2", "after 2"}));
}

TEST_F(reload_frontend_test, a_forwarded_request_keeps_the_generation_that_filtered_it) {
    auto& alice = all->connect("probe-server-1");
    // The gate has no such method: it answers, but only once the loop turns.
    const auto asks = alice.send("gate.gateHandler.nothing", "{}");
    ASSERT_TRUE(all->until([&] { return logged("before 1"); }));
    EXPECT_EQ(reload(version<2>()), "done");
    EXPECT_EQ(all->answer(alice, asks), R"({"code":500})");
    EXPECT_TRUE(logged("after 1"));
    EXPECT_FALSE(logged("after 2"));
    EXPECT_TRUE(ends());
}

TEST_F(reload_frontend_test, serial_requests_of_a_session_stay_one_at_a_time_and_in_order) {
    auto& alice = all->connect("probe-server-1");
    std::vector<std::uint32_t> ids;
    for (int n = 1; n <= 3; ++n) {
        ids.push_back(send(alice, "serial", n));
    }
    ASSERT_TRUE(parked(1));
    EXPECT_EQ(reload(version<2>()), "done");
    ids.push_back(send(alice, "serial", 4));
    for (const auto id : ids) {
        all->settle();
        EXPECT_EQ(seen().parked.size(), 1u);
        go_on();
        (void)all->answer(alice, id);
    }
    texts begun;
    std::copy_if(seen().log.begin(), seen().log.end(), std::back_inserter(begun),
                 [](const auto& line) { return line.starts_with("begins"); });
    EXPECT_EQ(begun, (texts{"begins 1 in 1", "begins 2 in 1", "begins 3 in 1", "begins 4 in 2"}));
}

TEST_F(reload_frontend_test, a_session_that_closes_is_told_to_the_generation_that_serves_then) {
    auto& alice = all->connect("probe-server-1");
    auto& bob = all->connect("probe-server-1");
    alice.link->drop();
    ASSERT_TRUE(all->until([&] { return logged("closed in 1"); }));
    EXPECT_EQ(reload(version<2>()), "done");
    EXPECT_EQ(probe().now().sessions, 1u);
    bob.link->drop();
    EXPECT_TRUE(all->until([&] { return logged("closed in 2"); }));
    EXPECT_EQ(std::count(seen().log.begin(), seen().log.end(), "closed in 1"), 1);
}

TEST_F(reload_test, a_connector_and_its_chat_are_replaced_under_people_who_talk) {
    auto& alice = all->enter("connector-server-1", "alice", "room");
    auto& bob = all->enter("connector-server-1", "bob", "room");
    (void)all->pushes(alice, 1);
    for (const std::string type : {"connector", "chat", "connector", "chat"}) {
        const auto id = type + "-server-1";
        const auto before = all->at(id).now();
        outcome.reset();
        all->at(id).reload({{&door_of(type), type + ".so"}}, {},
                           [this](result<void> got) { outcome = std::move(got); });
        EXPECT_EQ(word(), "done") << type;
        const auto now = all->at(id).now();
        EXPECT_EQ(now.generation, before.generation + 1);
        EXPECT_EQ(now.sessions, before.sessions);
        EXPECT_EQ(now.channels, before.channels);
        EXPECT_EQ(now.members, before.members);
        // Bindings and settings: who speaks and in which room is in the session.
        const auto said = fmt::format("after {} {}", type, now.generation);
        EXPECT_EQ(all->say(alice, said).find("500"), std::string::npos);
        const auto heard = all->pushes(bob, 1);
        EXPECT_TRUE(heard[0].find(said) != heard[0].npos) << heard[0];
        EXPECT_TRUE(heard[0].find("alice") != heard[0].npos) << heard[0];
    }
    auto& carol = all->enter("connector-server-1", "carol", "room");
    EXPECT_EQ(all->pushes(carol, 0), texts{});
    bob.link->drop();
    const auto left = all->pushes(carol, 1);
    EXPECT_EQ(left, texts{R"(onLeave {"route":"onLeave","user":"bob"})"});
}

// ---- many

TEST_F(reload_test, a_thousand_reloads_lose_double_and_reorder_nothing) {
    constexpr int clients = 4;
    constexpr int reloads = 1000;
    struct talker {
        chat_client* client = nullptr;
        int sent = 0;
        int heard = 0;
        int last_generation = 0;
    };
    std::vector<talker> talkers(clients);
    for (auto& each : talkers) {
        each.client = &all->connect("connector-server-1");
    }
    const auto objects = seen().alive[1];
    std::size_t most_ending = 0;
    int generation = 1;
    std::size_t answered = 0;
    const auto listen = [&](talker& one) {
        for (const auto& push : one.client->take_pushes()) {
            const auto id = static_cast<std::uint32_t>(one.heard + 1);
            const int v = push.find(R"("version":1)") != push.npos ? 1 : 2;
            ASSERT_EQ(push,
                      fmt::format(R"(onEcho {{"version":{},"count":{},"note":""}})", v, one.heard));
            // The push came first, on the same link.
            if (!one.client->answers.contains(id)) {
                ASSERT_TRUE(all->until([&] { return one.client->answers.contains(id); }));
            }
            ASSERT_EQ(
                one.client->answers.at(id),
                fmt::format(R"({{"version":{0},"count":{1},"note":"{0}:{1}"}})", v, one.heard))
                << "an answer and its push are of one version";
            one.client->answers.erase(id);
            ++one.heard;
            ++answered;
        }
    };
    for (int i = 0; i < reloads; ++i) {
        const bool is_two = i % 2 == 0;
        begin(is_two ? version<2>() : version<1>(),
              {.drain = i % 3 == 0 ? 100ms : 0ms, .setup = 2s});
        do {
            for (auto& one : talkers) {
                while (one.sent - one.heard < 8) {
                    (void)send(*one.client, "echo", one.sent++);
                }
            }
            (void)all->until([turned = false]() mutable { return std::exchange(turned, true); });
            for (auto& one : talkers) {
                listen(one);
            }
        } while (!outcome);
        ASSERT_TRUE(*outcome) << outcome->error().text();
        ++generation;
        most_ending = std::max(most_ending, probe().now().ending);
    }
    EXPECT_EQ(probe().now().generation, static_cast<std::uint32_t>(generation));
    for (auto& one : talkers) {
        EXPECT_TRUE(all->until([&] {
            listen(one);
            return one.heard == one.sent;
        }));
        EXPECT_GT(one.sent, 100);
    }
    EXPECT_TRUE(ends());
    EXPECT_EQ(probe().now().kept, 0u);
    EXPECT_EQ(seen().alive[1], objects);
    EXPECT_EQ(seen().alive[2], 0);
    std::printf("%d reloads, %zu requests, at most %zu generations ending\n", reloads, answered,
                most_ending);
}

} // namespace
} // namespace shaddock::cluster_test
