#include "nats_server.hpp"
#include "nats_world.hpp"

#include <algorithm>

namespace shaddock::contract {

namespace {

using lines = std::vector<std::string>;

/// On a server of NATS that the test ends. `host_lost` is 500 ms there.
class bus_over_nats : public testing::Test {
protected:
    test::nats_server over{{.has_jetstream = false}};
    nats_world in{over.url()};

    void link(server& a, server& b) {
        ASSERT_TRUE(a.start({"b"}));
        ASSERT_TRUE(b.start({"a"}));
        in.link(a, "b");
        in.link(b, "a");
    }
};

} // namespace

TEST_F(bus_over_nats, judges_nobody_while_its_own_connection_is_down) {
    auto& a = in.add("a", 1);
    auto& b = in.add("b", 2);
    link(a, b);
    over.kill();
    ASSERT_TRUE(in.runs_until([&] { return a.link_news().size() == 2; }));
    in.runs_for(1200ms); // more than twice host_lost
    EXPECT_EQ(a.link_news(), (lines{"up b@2", "down b@2 lost"}));
    EXPECT_EQ(b.link_news(), (lines{"up a@1", "down a@1 lost"}));
    const auto refused = call(in, a, "b", echo, "x");
    ASSERT_TRUE(in.runs_until([&] { return refused->is_done(); }));
    EXPECT_EQ(refused->code(), errc::no_server);
    over.start();
    in.link(a, "b");
    in.link(b, "a");
    EXPECT_EQ(a.link_news(), (lines{"up b@2", "down b@2 lost", "up b@2"}));
    const auto done = call(in, a, "b", echo, "again");
    ASSERT_TRUE(in.runs_until([&] { return done->is_done(); }));
    EXPECT_TRUE(done->what);
}

TEST_F(bus_over_nats, waits_anew_before_it_judges_when_its_connection_is_back) {
    auto& a = in.add("a", 1);
    ASSERT_TRUE(a.start({"z"}));
    auto z = in.add_victim("z", 5, {"a"});
    in.link(a, "z");
    over.kill();
    ASSERT_TRUE(in.runs_until([&] { return a.link_news().size() == 2; }));
    z->kill();
    in.runs_for(700ms);
    EXPECT_EQ(a.link_news().size(), 2U);
    over.start();
    ASSERT_TRUE(in.runs_until([&] { return in.connection(0).is_up(); }));
    const auto back = std::chrono::steady_clock::now();
    ASSERT_TRUE(in.runs_until([&] { return a.has_heard("dead z@5"); }));
    EXPECT_GE(std::chrono::steady_clock::now() - back, 400ms);
    EXPECT_LT(std::chrono::steady_clock::now() - back, 2s);
}

TEST_F(bus_over_nats, takes_nobody_s_absence_for_death_at_once) {
    auto& a = in.add("a", 1);
    ASSERT_TRUE(a.start({"z"}));
    auto z = in.add_victim("z", 5, {"a"});
    in.link(a, "z");
    z->kill();
    ASSERT_TRUE(in.runs_until([&] { return a.has_heard("down z@5 lost"); }));
    const auto lost = std::chrono::steady_clock::now();
    ASSERT_TRUE(in.runs_until([&] { return a.absent.contains("z"); }));
    EXPECT_FALSE(a.has_heard("dead z@5"));
    ASSERT_TRUE(in.runs_until([&] { return a.has_heard("dead z@5"); }));
    EXPECT_GE(std::chrono::steady_clock::now() - lost, 400ms);
    EXPECT_EQ(a.link_news(), (lines{"up z@5", "down z@5 lost", "dead z@5"}));
    // The other's word is proof at once: its master saw it end.
    auto next = in.add_victim("z", 6, {"a"});
    ASSERT_TRUE(in.runs_until([&] { return a.has_heard("up z@6"); }));
    next->kill();
    a.links().report_dead({"z", incarnation{6}});
    ASSERT_TRUE(in.runs_until([&] { return a.has_heard("down z@6 dead"); }));
}

TEST_F(bus_over_nats, declares_the_silent_dead_which_learns_so_when_it_is_back) {
    for (const std::string id : {"a", "z"}) { // on both sides of the one who dials
        auto& m = in.add("m", 1);
        ASSERT_TRUE(m.start({id}));
        auto stands = in.add_victim(id, 5, {"m"});
        in.link(m, id);
        const auto flying = call(in, m, id, never, "x");
        in.runs_for(20ms);
        stands->freeze();
        ASSERT_TRUE(in.runs_until([&] { return m.link_news().size() == 2; }));
        EXPECT_EQ(m.link_news().back(), "down " + id + "@5 dead");
        EXPECT_EQ(flying->code(), errc::disconnected);
        stands->thaw();
        ASSERT_TRUE(in.runs_until([&] { return m.link_news().size() == 3; }));
        EXPECT_TRUE(m.link_news().back().starts_with("up " + id + "@"));
        EXPECT_NE(m.link_news().back(), "up " + id + "@5");
        stands->kill();
        in.remove(m);
    }
}

TEST_F(bus_over_nats, goes_on_when_the_server_is_restarted_again_and_again) {
    auto& a = in.add("a", 1);
    auto& b = in.add("b", 2);
    link(a, b);
    for (int i = 0; i < 3; ++i) {
        over.kill();
        over.start();
        ASSERT_TRUE(in.runs_until([&] {
            return std::ranges::count(a.heard, "down b@2 lost") == i + 1 &&
                   std::ranges::count(b.heard, "down a@1 lost") == i + 1;
        }));
        in.link(a, "b");
        in.link(b, "a");
    }
    EXPECT_FALSE(a.has_heard("dead b@2"));
    EXPECT_FALSE(b.has_heard("dead a@1"));
    EXPECT_EQ(a.links().counts().links_lost, 3U);
}

TEST_F(bus_over_nats, uses_a_socket_for_a_pair_on_one_machine) {
    in.local = {"a", "b"};
    auto& a = in.add("a", 1);
    auto& b = in.add("b", 2);
    auto& c = in.add("c", 3);
    ASSERT_TRUE(a.start({"b", "c"}));
    ASSERT_TRUE(b.start({"a", "c"}));
    // To it, everybody is far.
    in.local.clear();
    in.local = {"a", "b"};
    ASSERT_TRUE(c.start({}));
    in.link(a, "b");
    over.kill();
    in.runs_for(300ms);
    EXPECT_TRUE(a.links().is_linked("b")) << "it needs no NATS";
    EXPECT_TRUE(b.links().is_linked("a"));
    EXPECT_FALSE(a.has_heard("down b@2 lost"));
    in.remove(b);
    ASSERT_TRUE(in.runs_until([&] { return a.has_heard("down b@2 bye"); }));
}

TEST_F(bus_over_nats, refuses_who_comes_by_the_wrong_way_until_both_know_the_same) {
    auto& a = in.add("a", 1);
    ASSERT_TRUE(a.start({"b"}));
    auto& b = in.add("b", 2);
    ASSERT_TRUE(b.start({"a"}));
    in.local = {"a"}; // "b" takes "a" for local, "a" takes "b" for far
    in.runs_for(700ms);
    EXPECT_TRUE(a.link_news().empty());
    EXPECT_TRUE(b.link_news().empty());
    in.local = {"a", "b"};
    in.link(a, "b");
    in.link(b, "a");
    EXPECT_EQ(a.link_news(), (lines{"up b@2"}));
}

TEST_F(bus_over_nats, keeps_two_clusters_on_one_server_apart) {
    nats_world other{over.url()};
    auto& a = in.add("a", 1);
    ASSERT_TRUE(a.start({"b"}));
    auto& b = other.add("b", 2);
    ASSERT_TRUE(b.start({"a"}));
    in.runs_for(100ms);
    other.runs_for(100ms);
    in.runs_for(100ms);
    EXPECT_TRUE(a.link_news().empty());
    EXPECT_TRUE(b.link_news().empty());
}

TEST_F(bus_over_nats, bounds_what_waits_for_a_peer_that_takes_nothing) {
    auto& a = in.add("a", 1, {.queue_limit = 256 * 1024, .declares_dead = false});
    ASSERT_TRUE(a.start({"z"}));
    auto z = in.add_victim("z", 5, {"a"});
    in.link(a, "z");
    z->freeze();
    std::size_t taken = 0;
    while (taken < 10000 && a.links().cast("z", {1, std::string(4000, 'x')})) {
        ++taken;
    }
    // Its queue, and what may be under way.
    EXPECT_LT(taken * 4000, 1024U * 1024);
    EXPECT_LT(in.connection(0).waiting(), 1024U * 1024);
    z->thaw();
    ASSERT_TRUE(in.runs_until([&] { return bool(a.links().cast("z", {1, "x"})); }));
    EXPECT_EQ(a.link_news(), (lines{"up z@5"}));
}

} // namespace shaddock::contract
