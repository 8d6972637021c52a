#include "cluster.hpp"
#include "edges.hpp"

#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>

#include <algorithm>

/// What a reload meets at its edges: work on other threads, clients that are not in yet, routes and
/// types that differ from build to build.
namespace shaddock::cluster_test {
namespace {

using edges::edge_door;
using edges::meeting;
using versions::seen;
using texts = std::vector<std::string>;

template <int V>
server::plugin_source build(std::string id = "") {
    return {&edge_door<V>(), "probe.so", std::move(id)};
}

struct reload_edges : testing::Test {
    reload_edges() {
        seen() = {};
        meeting = &together;
    }
    ~reload_edges() override {
        open();
        all.reset();
        seen().parked.clear();
        EXPECT_EQ(seen().alive[1], 0);
        EXPECT_EQ(seen().alive[2], 0);
    }
    void start(system::shape shape) {
        shape.probe = &edge_door<1>();
        shape.adjust = [this, more = shape.adjust](server::server_options& options) {
            options.generation_timeout = 300ms;
            options.drain_timeout = 500ms;
            options.blocking_pool = pool.get_executor();
            more(options);
        };
        all.emplace(std::move(shape));
    }
    void open() {
        if (!std::exchange(is_open, true)) {
            together.open.set_value();
        }
    }
    void reload(const std::string& id, server::plugin_source next) {
        std::optional<result<void>> outcome;
        all->at(id).reload({std::move(next)}, {.drain = {}},
                           [&](result<void> got) { outcome = std::move(got); });
        ASSERT_TRUE(all->until([&] { return outcome.has_value(); }));
        ASSERT_TRUE(*outcome) << outcome->error().text();
    }
    std::string ask(chat_client& from, std::string_view method, std::string_view body = "{}") {
        return all->ask(from, fmt::format("probe.edge.{}", method), body);
    }
    chat_client& client_of(const std::string& id) {
        auto& link = all->open(id);
        link.write_package(protocol::package_type::handshake, R"({"sys":{},"user":"ann"})");
        EXPECT_TRUE(all->until([] { return !seen().parked.empty(); }));
        go_on();
        EXPECT_TRUE(all->until([&] { return !link.packages.empty(); }));
        link.packages.clear();
        return all->admit(id, link);
    }
    texts look_ahead(const std::string& id, server::plugin_source next) {
        std::optional<texts> found;
        all->at(id).look_ahead({std::move(next)}, [&](texts said) { found = std::move(said); });
        EXPECT_TRUE(all->until([&] { return found.has_value(); }));
        return found.value_or(texts{"nothing was said"});
    }
    server::status probe() { return all->at("probe-server-1").now(); }
    static bool logged(std::string_view line) {
        return std::count(seen().log.begin(), seen().log.end(), line) != 0;
    }
    static void go_on() {
        auto first = std::move(seen().parked.front());
        seen().parked.erase(seen().parked.begin());
        first->done(door::body{});
    }

    edges::rendezvous together;
    bool is_open = false;
    boost::asio::thread_pool pool{1};
    std::optional<system> all;
};

// ---- work on another thread

struct blocking_edges : reload_edges {
    blocking_edges() { start({.connectors = 1, .chats = 1}); }
    /// A request that waits for a thread, under way when its generation is replaced.
    void begin() {
        alice = &all->connect("connector-server-1");
        (void)ask(*alice, "spawn");
        blocks = alice->send("probe.edge.block", "{}");
        ASSERT_TRUE(all->until([&] { return together.begun == 1; }));
        reload("probe-server-1", build<2>());
        EXPECT_EQ(ask(*alice, "who"), R"({"version":2,"count":0,"note":""})");
        EXPECT_EQ(probe().ending, 1U);
    }
    chat_client* alice = nullptr;
    std::uint32_t blocks = 0;
};

TEST_F(blocking_edges, what_waits_for_a_thread_ends_on_the_old_generation) {
    begin();
    EXPECT_FALSE(alice->answers.contains(blocks));
    open();
    EXPECT_EQ(all->answer(*alice, blocks), R"({"version":1,"count":1,"note":"worked"})");
    EXPECT_TRUE(all->until([&] { return probe().ending == 0; }));
    EXPECT_EQ(seen().alive[1], 0);
    EXPECT_EQ(probe().kept, 0U);
    EXPECT_EQ(ask(*alice, "who"), R"({"version":2,"count":0,"note":""})");
}

TEST_F(blocking_edges, a_thread_may_come_back_when_its_server_has_stopped) {
    alice = &all->connect("connector-server-1");
    blocks = alice->send("probe.edge.block", "{}");
    ASSERT_TRUE(all->until([&] { return together.begun == 1; }));
    all->stop("probe-server-1");
    EXPECT_EQ(all->answer(*alice, blocks), R"({"code":500})");
    open();
    pool.join();
    all->settle();
    EXPECT_EQ(seen().alive[1], 0);
}

TEST_F(blocking_edges, past_the_timeout_it_is_answered_500_when_its_thread_comes_back) {
    begin();
    ASSERT_TRUE(all->until([] { return logged("sleep: cancelled"); }));
    EXPECT_FALSE(alice->answers.contains(blocks));
    open();
    EXPECT_EQ(all->answer(*alice, blocks), R"({"code":500})");
    EXPECT_TRUE(all->until([&] { return probe().ending == 0; }));
    EXPECT_EQ(probe().kept, 0U);
    EXPECT_EQ(seen().alive[1], 0);
    EXPECT_EQ(ask(*alice, "who"), R"({"version":2,"count":0,"note":""})");
}

TEST_F(blocking_edges, a_thread_that_does_not_come_back_keeps_the_generation) {
    begin();
    ASSERT_TRUE(all->until([&] { return probe().kept == 1; }));
    EXPECT_GT(seen().alive[1], 0);
    // The deadline of the call, two seconds here, answers for it.
    EXPECT_EQ(all->answer(*alice, blocks), R"({"code":500})");
    open();
    pool.join();
    all->settle();
    EXPECT_EQ(ask(*alice, "who"), R"({"version":2,"count":0,"note":""})");
}

TEST_F(blocking_edges, who_waits_only_so_long_goes_on_without_the_thread) {
    alice = &all->connect("connector-server-1");
    EXPECT_EQ(ask(*alice, "block_briefly"),
              R"({"version":1,"count":1,"note":"blocking work took longer than 20 ms"})");
    EXPECT_FALSE(is_open);
    reload("probe-server-1", build<2>());
    EXPECT_EQ(probe().ending, 1U);
    open();
    EXPECT_TRUE(all->until([&] { return probe().ending == 0; }));
    EXPECT_EQ(seen().alive[1], 0);
    EXPECT_EQ(probe().kept, 0U);
}

TEST_F(blocking_edges, a_late_result_is_dropped_when_the_server_has_stopped) {
    alice = &all->connect("connector-server-1");
    EXPECT_EQ(ask(*alice, "block_briefly"),
              R"({"version":1,"count":1,"note":"blocking work took longer than 20 ms"})");
    all->stop("probe-server-1");
    open();
    pool.join();
    all->settle();
    EXPECT_EQ(seen().alive[1], 0);
}

// ---- clients that are not in yet

struct handshake_edges : reload_edges {
    handshake_edges() { start({.connectors = 1, .chats = 1, .is_probe_frontend = true}); }
    net::testing::client& knock(std::string_view name, std::string_view type = "any") {
        auto& link = all->open("probe-server-1");
        link.write_package(protocol::package_type::handshake,
                           fmt::format(R"({{"sys":{{"type":"{}"}},"user":"{}"}})", type, name));
        return link;
    }
    /// All that the client was told; a second answer has had its time.
    texts told(net::testing::client& link) {
        EXPECT_TRUE(all->until([&] { return !link.packages.empty(); }));
        all->settle();
        texts bodies;
        for (const auto& each : link.packages) {
            bodies.push_back(each.body);
        }
        return bodies;
    }
};

TEST_F(handshake_edges, a_handshake_is_decided_by_the_generation_that_it_met) {
    auto& ann = knock("ann");
    ASSERT_TRUE(all->until([] { return seen().parked.size() == 1; }));
    reload("probe-server-1", build<2>());
    auto& bob = knock("bob");
    ASSERT_TRUE(all->until([] { return seen().parked.size() == 2; }));
    EXPECT_TRUE(logged("greets ann in 1"));
    EXPECT_TRUE(logged("greets bob in 2"));
    EXPECT_TRUE(ann.packages.empty());
    std::swap(seen().parked[0], seen().parked[1]);
    go_on();
    EXPECT_EQ(told(bob), texts{R"({"code":200,"sys":{},"user":{"version":2,"name":"bob"}})"});
    EXPECT_TRUE(ann.packages.empty());
    EXPECT_EQ(probe().ending, 1U) << "a handshake is under way on it";
    go_on();
    EXPECT_EQ(told(ann), texts{R"({"code":200,"sys":{},"user":{"version":1,"name":"ann"}})"});
    EXPECT_TRUE(all->until([&] { return probe().ending == 0; }));
    EXPECT_EQ(seen().alive[1], 0);
}

TEST_F(handshake_edges, the_check_of_clients_changes_with_the_swap) {
    EXPECT_EQ(told(knock("ann", "only 2")), texts{R"({"code":501})"});
    reload("probe-server-1", build<2>());
    EXPECT_EQ(told(knock("bob", "only 1")), texts{R"({"code":501})"});
    auto& carol = knock("carol", "only 2");
    ASSERT_TRUE(all->until([] { return seen().parked.size() == 1; }));
    go_on();
    EXPECT_EQ(told(carol), texts{R"({"code":200,"sys":{},"user":{"version":2,"name":"carol"}})"});
}

TEST_F(handshake_edges, one_that_outlives_its_generation_is_refused_once) {
    auto& ann = knock("ann");
    ASSERT_TRUE(all->until([] { return seen().parked.size() == 1; }));
    reload("probe-server-1", build<2>());
    ASSERT_TRUE(all->until([&] { return probe().kept == 1; }));
    EXPECT_TRUE(ann.packages.empty());
    seen().parked.clear(); // what it waits for will never come
    EXPECT_EQ(told(ann), texts{R"({"code":500})"});
    EXPECT_TRUE(all->until([&] { return ann.is_ended; }));
}

// ---- routes that come and go

/// Lists routes as a frontend does when it starts.
struct route_list final : door::registration {
    void handler(const door::method_info& info, door::callable*) noexcept override {
        routes.push_back(fmt::format("probe.{}.{}", info.object, info.method));
    }
    void remote(const door::method_info&, door::callable*) noexcept override {}
    void route(std::string_view, door::router*) noexcept override {}
    void filter(door::global_filter*) noexcept override {}
    void hook(door::hooks*) noexcept override {}
    void part(door::component*) noexcept override {}
    void handshake(door::handshake_hook*) noexcept override {}
    void call(std::string_view, std::uint64_t, std::string_view) noexcept override {}
    texts routes;
};

struct route_edges : reload_edges {
    route_edges() {
        start({.connectors = 1, .chats = 1, .adjust = [this](server::server_options& options) {
                   if (options.self.type == "connector") {
                       route_list found;
                       on_disk->describe(found);
                       options.dictionary = std::make_shared<protocol::route_dictionary>(
                           *protocol::route_dictionary::build(std::move(found.routes), {}));
                       codes = options.dictionary;
                   }
               }});
    }
    std::string ask_by_code(chat_client& from, std::uint16_t code) {
        const auto id = from.next_id++;
        std::string package;
        (void)protocol::append_message_package(
            package, {.id = id, .route_code = code, .route = {}, .body = "{}"});
        from.link->write_frame(package);
        return all->answer(from, id);
    }
    /// What a frontend that starts now reads.
    const door::plugin_door* on_disk = &edge_door<1>();
    std::shared_ptr<const protocol::route_dictionary> codes;
};

TEST_F(route_edges, an_added_route_works_by_its_text_at_once_and_a_removed_one_is_refused) {
    auto& alice = all->connect("connector-server-1");
    const auto of_removed = codes->code_of("probe.edge.removed");
    EXPECT_EQ(ask(alice, "added"), R"({"code":500})");
    EXPECT_EQ(ask(alice, "removed"), R"({"version":1,"count":0,"note":""})");
    EXPECT_EQ(ask_by_code(alice, of_removed), R"({"version":1,"count":0,"note":""})");
    reload("probe-server-1", build<2>());
    EXPECT_EQ(ask(alice, "added"), R"({"version":2,"count":0,"note":""})");
    EXPECT_EQ(ask(alice, "removed"), R"({"code":500})");
    EXPECT_EQ(ask_by_code(alice, of_removed), R"({"code":500})");
}

TEST_F(route_edges, codes_keep_their_meaning_until_the_frontend_starts_again) {
    auto& alice = all->connect("connector-server-1");
    const auto told = all->last_handshake;
    const auto of_who = codes->code_of("probe.edge.who");
    const auto of_block = codes->code_of("probe.edge.block");
    on_disk = &edge_door<2>();
    reload("probe-server-1", build<2>());
    reload("connector-server-1", {&door_of("connector"), "connector.so"});
    // `added` would be the first of the new list, and shift all that follow it.
    EXPECT_EQ(of_block, 1);
    EXPECT_EQ(ask_by_code(alice, of_who), R"({"version":2,"count":0,"note":""})");
    auto& bob = all->connect("connector-server-1");
    EXPECT_EQ(all->last_handshake, told);
    EXPECT_EQ(ask_by_code(bob, of_who), R"({"version":2,"count":0,"note":""})");

    all->stop("connector-server-1");
    all->start("connector-server-1");
    ASSERT_TRUE(all->until([&] {
        const auto now = all->at("connector-server-1").now();
        return now.links == now.expected;
    }));
    auto& carol = all->connect("connector-server-1");
    EXPECT_NE(all->last_handshake, told);
    EXPECT_NE(all->last_handshake.find(R"("1":"probe.edge.added")"), std::string::npos);
    EXPECT_EQ(codes->code_of("probe.edge.block"), 2);
    EXPECT_EQ(ask_by_code(carol, 1), R"({"version":2,"count":0,"note":""})");
}

// ---- servers of a type in different builds

TEST_F(reload_edges, a_rolling_reload_that_changes_types_names_both_builds) {
    start({.connectors = 1, .chats = 1, .is_probe_frontend = true, .probes = 2});
    reload("probe-server-1", build<1>("aaaaaaaaaaaaaaaaaaaa"));
    reload("probe-server-2", build<1>("aaaaaaaaaaaaaaaaaaaa"));
    auto& first = client_of("probe-server-1");
    auto& second = client_of("probe-server-2");
    const auto to_first = R"({"server":"probe-server-1"})";
    const auto to_second = R"({"server":"probe-server-2"})";
    EXPECT_EQ(ask(first, "sum", to_second), R"({"version":1,"count":1,"note":""})");

    reload("probe-server-1", build<2>("bbbbbbbbbbbbbbbbbbbb"));
    EXPECT_EQ(
        ask(first, "sum", to_second),
        R"({"version":2,"count":0,"note":"probe.probeRemote.sum: argument 1 is a text there, a )"
        R"(number here; there is probe-server-1 (probe.so 2 build bbbbbbbbbbbb), here probe.so )"
        R"(1 build aaaaaaaaaaaa"})");
    EXPECT_EQ(
        ask(second, "sum", to_first),
        R"({"version":1,"count":0,"note":"probe.probeRemote.sum: argument 1 is a number there, )"
        R"(a text here; there is probe-server-2 (probe.so 1 build aaaaaaaaaaaa), here probe.so )"
        R"(2 build bbbbbbbbbbbb"})");
    // Whom the second reload would cut off is known before: the caller has the old types.
    EXPECT_THAT(look_ahead("probe-server-2", build<2>()), testing::IsEmpty())
        << "the first has the new ones";
    EXPECT_THAT(look_ahead("probe-server-2", build<1>()),
                testing::ElementsAre("cuts off calls of probe-server-1: probe.probeRemote.sum: "
                                     "argument 1 is a text there, a number here; there is "
                                     "probe-server-1, here the new build"));

    reload("probe-server-2", build<2>("bbbbbbbbbbbbbbbbbbbb"));
    EXPECT_EQ(ask(first, "sum", to_second), R"({"version":2,"count":2,"note":""})");
    EXPECT_EQ(ask(second, "sum", to_first), R"({"version":2,"count":2,"note":""})");
}

TEST_F(reload_edges, a_rolling_reload_that_adds_members_cuts_nobody_off) {
    start({.connectors = 1, .chats = 1, .is_probe_frontend = true, .probes = 2});
    auto& first = client_of("probe-server-1");
    auto& second = client_of("probe-server-2");
    const auto to_first = R"({"server":"probe-server-1"})";
    const auto to_second = R"({"server":"probe-server-2"})";
    EXPECT_EQ(ask(first, "find", to_second), R"({"version":1,"count":0,"note":"up"})");
    EXPECT_THAT(look_ahead("probe-server-1", build<2>()), testing::IsEmpty());
    reload("probe-server-1", build<2>());
    EXPECT_EQ(ask(first, "find", to_second), R"({"version":2,"count":20,"note":"up"})")
        << "what the old one does not send keeps its initialiser";
    EXPECT_EQ(ask(second, "find", to_first), R"({"version":1,"count":0,"note":"up to 20"})");
    EXPECT_EQ(ask(second, "find", R"({"server":"probe-server-2"})"),
              R"({"version":1,"count":0,"note":"up"})");
    reload("probe-server-2", build<2>());
    EXPECT_EQ(ask(second, "find", to_first), R"({"version":2,"count":7,"note":"up to 20"})");
}

} // namespace
} // namespace shaddock::cluster_test
