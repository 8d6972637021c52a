#include "keeper_world.hpp"

namespace shaddock::test {

namespace {

using claim_over_nats = keeper_test;

TEST_F(claim_over_nats, goes_to_one_of_two_that_start_at_once_and_the_other_is_told_who_has_it) {
    auto& one = add("a", "m1", {"a"}, {}, "one");
    auto& other = add("a", "m2", {"a"}, {}, "other");
    ASSERT_TRUE(runs_until([&] { return !one.claimed.empty() && !other.claimed.empty(); }));
    auto& winner = one.claimed == "ok" ? one : other;
    auto& loser = one.claimed == "ok" ? other : one;
    EXPECT_EQ(winner.claimed, "ok");
    EXPECT_TRUE(loser.claimed.starts_with(
        fmt::format("server 'a' runs on machine '{}' since 20", &winner == &one ? "m1" : "m2")))
        << loser.claimed;
    EXPECT_FALSE(loser.keeper->has_lease());
}

TEST_F(claim_over_nats, is_free_at_once_after_a_stop_and_on_the_machine_that_had_it) {
    times.host_lost = 60s;
    up("a", "m1");
    stop("a");
    auto& second = up("a", "m2");
    second.clock.stop();
    auto& third = add("a", "m2", {"a", "b"}, {}, "third");
    ASSERT_TRUE(runs_until([&] { return third.claimed == "ok"; }))
        << "the lock of the run folder says that the other one is gone";
    second.clock.go_on();
    EXPECT_TRUE(runs_until([&] { return second.lost_to == lines{"m2"}; }));
}

TEST_F(claim_over_nats, of_a_silent_machine_is_taken_after_its_lease_has_ended_and_it_learns_so) {
    way to_a(io, server->port());
    auto& old = up("a", "m1", {"a", "b"}, to_a.url());
    up("b", "m3");
    to_a.cut();
    auto& next = add("a", "m2", {"a", "b"}, {}, "next");
    ASSERT_TRUE(runs_until([&] { return next.claimed == "ok"; })) << next.claimed;
    ASSERT_FALSE(old.leases.back().first) << "two have the lease";
    EXPECT_GE(next.claimed_at - old.leases.back().second, times.margin() / 2);
    EXPECT_TRUE(old.lost_to.empty()) << "it cannot know yet";
    to_a.mend();
    ASSERT_TRUE(runs_until([&] { return old.lost_to == lines{"m2"}; }));
    EXPECT_FALSE(old.keeper->has_lease());
    EXPECT_TRUE(next.keeper->has_lease());
}

TEST_F(claim_over_nats, is_kept_by_who_was_cut_off_for_a_while) {
    way to_a(io, server->port());
    auto& a = up("a", "m1", {"a", "b"}, to_a.url());
    auto& b = up("b", "m2");
    EXPECT_TRUE(runs_until([&] { return b.keeper->may_own("a"); }));
    to_a.cut();
    ASSERT_TRUE(runs_until([&] { return !a.keeper->has_lease(); }));
    EXPECT_TRUE(b.keeper->may_own("a")) << "others wait longer";
    ASSERT_TRUE(runs_until([&] { return !b.keeper->may_own("a"); }));
    EXPECT_EQ(propose(b, {"b"}, 1), "taken 2");
    to_a.mend();
    ASSERT_TRUE(runs_until([&] { return a.keeper->has_lease(); }));
    EXPECT_EQ(a.text(), "2: b (a)") << "it has the lease only when it knows the list";
    EXPECT_TRUE(a.lost_to.empty());
    EXPECT_TRUE(runs_until([&] { return b.keeper->may_own("a"); }));
}

TEST_F(claim_over_nats, says_who_is_a_guest) {
    auto& a = up("a", "m1", {"a"});
    up("x.y", "m2", {"a"});
    ASSERT_TRUE(all_say("1: a (x.y)"));
    EXPECT_EQ(a.keeper->now()->find("x.y")->record_json, R"({"id":"x.y","n":1e3})");
    stop("x.y");
    EXPECT_TRUE(all_say("1: a"));
}

TEST_F(claim_over_nats, that_is_garbage_is_taken_like_that_of_a_silent_server) {
    times.machine_lost = 1s;
    auto& a = up("a", "m1");
    put("claim.b", "17");
    put("claim.c", R"({"life":7,"machine":"m9","boot":"x","record":{"id":"d"}})");
    put("claim.e", R"({"life":7,"machine":"m\n9","boot":"x","record":{"id":"e","type":"chat"}})");
    put("claim.f", R"({"life":7,"machine":"m9","boot":"x","record":{"id":"f","type":"ch\nat"}})");
    ASSERT_TRUE(runs_until([&] { return a.keeper->may_own("b"); })) << "perhaps a later version's";
    ASSERT_TRUE(runs_until([&] { return !a.keeper->may_own("b"); }));
    run_for(300ms);
    EXPECT_EQ(a.text(), "1: a b") << "nobody's machine was lost";
    up("b", "m2");
    EXPECT_TRUE(all_say("1: a b"));
}

TEST_F(claim_over_nats, goes_on_in_a_new_life) {
    auto& a = up("a", "m1");
    a.keeper->live_anew(static_cast<incarnation>(77));
    run_for(200ms);
    EXPECT_TRUE(a.keeper->has_lease());
    EXPECT_TRUE(a.lost_to.empty());
}

TEST_F(claim_over_nats, of_machines_that_are_lost_leave_the_list_by_one_change) {
    times.machine_lost = 1500ms;
    way to_lost(io, server->port());
    const lines everybody{"a", "b", "c", "d", "e"};
    auto& a = up("a", "m1", everybody);
    up("b", "m1", everybody);
    up("c", "m3", everybody);
    auto& d = up("d", "m2", everybody, to_lost.url());
    auto& e = up("e", "m2", everybody, to_lost.url());
    to_lost.cut();
    ASSERT_TRUE(runs_until([&] { return a.text() == "2: a b c"; }));
    EXPECT_FALSE(d.keeper->has_lease());
    EXPECT_EQ(a.keeper->lost(), (lines{"d", "e"}));
    run_for(300ms);
    EXPECT_EQ(a.text(), "2: a b c") << "once, though three have seen it";
    to_lost.mend();
    ASSERT_TRUE(runs_until([&] { return d.lost_to == lines{"-"} && e.lost_to == lines{"-"}; }));
    EXPECT_FALSE(d.keeper->has_lease()) << "in its old life";
    d.keeper->live_anew(static_cast<incarnation>(78));
    e.keeper->live_anew(static_cast<incarnation>(79));
    ASSERT_TRUE(all_are_whole());
    ASSERT_TRUE(all_say("2: a b c (d) (e)"));
    EXPECT_EQ(propose(a, everybody, 2), "taken 3");
    ASSERT_TRUE(all_say("3: a b c d e"));
    EXPECT_EQ(a.keeper->lost(), lines{});
}

TEST_F(claim_over_nats, of_a_machine_where_one_server_lives_keeps_all_in_the_list) {
    times.machine_lost = 1s;
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    up("c", "m2");
    b.clock.stop();
    run_for(2500ms);
    EXPECT_EQ(a.text(), "1: a b (c)");
    stop("c");
    ASSERT_TRUE(runs_until([&] { return a.text() == "2: a"; }));
}

TEST_F(claim_over_nats, of_a_server_that_crashed_leaves_it_in_the_list_and_a_new_life_has_it) {
    times.machine_lost = 2s;
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    auto& master = watch("m2");
    const auto life = lives;
    b.clock.stop();
    master.keeper->tell_over("b", static_cast<incarnation>(life));
    ASSERT_TRUE(runs_until([&] { return !a.keeper->may_own("b"); }, 500ms)) << "at once";
    ASSERT_TRUE(runs_until([&] { return a.over == lines{"b"} && master.over == lines{"b"}; }));
    run_for(500ms);
    EXPECT_EQ(a.text(), "1: a b") << "it is started again in a moment";
    auto& again = add("b", "m2", {"a", "b"}, {}, "again");
    ASSERT_TRUE(runs_until([&] { return again.claimed == "ok"; }, 500ms)) << "at once";
    ASSERT_TRUE(runs_until([&] { return a.keeper->may_own("b"); }));
    EXPECT_EQ(master.over, lines{"b"}) << "once";
    EXPECT_EQ(a.text(), "1: a b");
    again.clock.stop();
    master.keeper->tell_over("b", static_cast<incarnation>(lives));
    ASSERT_TRUE(runs_until([&] { return a.text() == "2: a"; }, 3s)) << "not twice machine_lost";
}

TEST_F(claim_over_nats, ends_at_its_time_where_no_timer_could_say_so) {
    auto& a = up("a", "m1");
    a.clock.stop();
    EXPECT_TRUE(a.keeper->has_lease());
    run_for(times.lease());
    EXPECT_TRUE(a.leases.back().first) << "nobody was told";
    EXPECT_FALSE(a.keeper->has_lease());
}

TEST_F(claim_over_nats, that_a_lost_bucket_had_is_not_taken_from_who_lives) {
    auto& a = up("a", "m1");
    auto& other = add("a", "m2", {"a", "b"}, {}, "other");
    ASSERT_TRUE(runs_until([&] { return other.keeper->is_current(); }));
    a.clock.stop(); // it writes nothing more by itself, and perhaps once when it is connected again
    server->kill();
    ASSERT_TRUE(runs_until([&] { return !other.keeper->is_current(); }));
    server->lose_store();
    server->start();
    ASSERT_TRUE(runs_until([&] { return other.keeper->is_current(); }));
    run_for(200ms);
    EXPECT_NE(other.claimed, "ok") << "it may live yet";
    a.clock.go_on();
    ASSERT_TRUE(runs_until([&] { return !other.claimed.empty(); }));
    EXPECT_TRUE(other.claimed.starts_with("server 'a' runs on machine 'm1'")) << other.claimed;
}

TEST_F(claim_over_nats, that_was_given_back_is_no_lost_machine) {
    times.machine_lost = 1s;
    auto& a = up("a", "m1");
    up("b", "m2");
    stop("b");
    run_for(2s);
    EXPECT_EQ(a.text(), "1: a b");
}

} // namespace

} // namespace shaddock::test
