#include "keeper_world.hpp"

namespace shaddock::test {

namespace {

using list_over_nats = keeper_test;

TEST_F(list_over_nats, is_that_of_the_first_who_comes) {
    auto& a = up("a", "m1", {"a", "b"});
    auto& b = up("b", "m2", {"b", "c"});
    EXPECT_EQ(a.text(), "1: a b");
    EXPECT_EQ(b.text(), "1: a b");
    EXPECT_EQ(b.keeper->now()->find("a")->record_json, R"({"id":"a","n":1e3})");
}

TEST_F(list_over_nats, changes_by_one_of_two_proposals) {
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    lines answers;
    const auto hear = [&](result<cluster::proposal> made) {
        answers.push_back(made->is_taken ? "taken" : "late");
        EXPECT_EQ(made->now->epoch, 2U);
    };
    a.keeper->propose(records_of({"a", "b", "c"}), 1, hear);
    b.keeper->propose(records_of({"a", "b", "d"}), 1, hear);
    ASSERT_TRUE(runs_until([&] { return answers.size() == 2; }));
    std::ranges::sort(answers);
    EXPECT_EQ(answers, (lines{"late", "taken"}));
    ASSERT_TRUE(runs_until([&] { return a.text() == b.text(); }));
    EXPECT_TRUE(a.text() == "2: a b c" || a.text() == "2: a b d") << a.text();
}

TEST_F(list_over_nats, takes_many_proposals_of_one_process_in_turn) {
    auto& a = up("a", "m1");
    lines answers;
    for (int i = 0; i != 3; ++i) {
        a.keeper->propose(records_of({"a", fmt::format("x{}", i)}), 1, [&](auto made) {
            answers.push_back(
                fmt::format("{} {}", made->is_taken ? "taken" : "late", made->now->epoch));
        });
    }
    ASSERT_TRUE(runs_until([&] { return answers.size() == 3; }));
    EXPECT_EQ(answers, (lines{"taken 2", "late 2", "late 2"}));
}

TEST_F(list_over_nats, is_as_before_when_the_server_was_killed_and_has_its_store) {
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    EXPECT_EQ(propose(a, {"a", "b", "c"}, 1), "taken 2");
    ASSERT_TRUE(all_say("2: a b c"));
    server->kill();
    ASSERT_TRUE(runs_until([&] { return !a.keeper->is_current() && !b.keeper->is_current(); }));
    EXPECT_EQ(propose(a, {"a"}, 2), "no_server");
    EXPECT_EQ(a.text(), "2: a b c") << "the last list goes on";
    server->start();
    const auto since = clock.now();
    ASSERT_TRUE(all_are_whole());
    EXPECT_EQ(propose(a, {"a", "b"}, 2), "taken 3");
    ASSERT_TRUE(all_say("3: a b"));
    EXPECT_LT(clock.now() - since, 5s);
    no_epoch_went_back();
}

TEST_F(list_over_nats, is_written_again_when_the_store_was_lost) {
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    EXPECT_EQ(propose(a, {"a", "b", "c"}, 1), "taken 2");
    ASSERT_TRUE(all_say("2: a b c"));
    server->kill();
    ASSERT_TRUE(runs_until([&] { return !a.keeper->is_current() && !b.keeper->is_current(); }));
    server->lose_store();
    server->start();
    const auto since = clock.now();
    ASSERT_TRUE(all_are_whole());
    EXPECT_EQ(propose_when_settled(b, {"a", "b"}, 2), "taken 3");
    ASSERT_TRUE(all_say("3: a b"));
    EXPECT_LT(clock.now() - since, 5s);
    no_epoch_went_back();
    auto& c = add("a", "m9", {"a", "b"}, {}, "again");
    ASSERT_TRUE(runs_until([&] { return !c.claimed.empty(); }));
    EXPECT_NE(c.claimed, "ok") << "claims are there again too";
}

TEST_F(list_over_nats, of_the_highest_epoch_stays_when_the_store_was_lost) {
    way to_b(io, server->port());
    auto& a = up("a", "m1");
    auto& b = up("b", "m2", {"a", "b"}, to_b.url());
    to_b.cut();
    ASSERT_TRUE(runs_until([&] { return !b.keeper->is_current(); }));
    EXPECT_EQ(propose(a, {"a", "b", "c"}, 1), "taken 2");
    server->kill();
    ASSERT_TRUE(runs_until([&] { return !a.keeper->is_current(); }));
    server->lose_store();
    // Who comes first knows less than the last: a newcomer its files, b the first list.
    a.clock.stop();
    to_b.mend();
    server->start();
    up("n", "m4", {"n"});
    a.clock.go_on();
    EXPECT_TRUE(runs_until([&] {
        return std::ranges::all_of(all, [&](const auto& one) {
            return one.second->text() == a.text() && a.text().ends_with(": a b c (n)");
        });
    })) << a.text()
        << "; " << b.text();
    no_epoch_went_back();
}

TEST_F(list_over_nats, has_an_epoch_of_its_own_when_two_went_on_from_one) {
    auto& a = up("a", "m1");
    EXPECT_EQ(propose(a, {"a", "b", "c"}, 1), "taken 2");
    put("list", R"({"epoch":2,"servers":[{"id":"x","type":"chat"}]})");
    EXPECT_TRUE(runs_until([&] { return a.text() == "3: a b c"; })) << a.text();
    auto& b = up("b", "m2");
    EXPECT_EQ(b.text(), "3: a b c");
    no_epoch_went_back();
}

TEST_F(list_over_nats, that_somebody_writes_with_a_lower_epoch_is_put_right) {
    auto& a = up("a", "m1");
    EXPECT_EQ(propose(a, {"a", "b", "c"}, 1), "taken 2");
    put("list", R"({"epoch":1,"servers":[{"id":"x","type":"chat"}]})");
    run_for(200ms);
    EXPECT_EQ(a.text(), "2: a b c");
    auto& b = up("b", "m2");
    EXPECT_EQ(b.text(), "2: a b c");
    put("list", "");
    run_for(200ms);
    EXPECT_EQ(propose(a, {"a", "b"}, 2), "taken 3") << "erased, it was written again";
}

TEST_F(list_over_nats, that_is_garbage_is_left_alone_and_the_last_one_goes_on) {
    auto& a = up("a", "m1");
    for (const auto* garbage :
         {R"({"epoch":"seven"})", R"({"epoch":9007199254740993})",
          R"({"epoch":2,"servers":[{"id":"x\ny","type":"chat"}]})",
          R"({"epoch":2,"servers":[{"id":"x","type":"ch\nat"}]})"}) {
        put("list", garbage);
        ASSERT_TRUE(runs_until([&] { return propose(a, {"a"}, 1) == "no_server"; })) << garbage;
        EXPECT_EQ(a.text(), "1: a b");
    }
    EXPECT_TRUE(a.keeper->has_lease());
    auto& b = add("b", "m2");
    run_for(300ms);
    EXPECT_EQ(b.claimed, "") << "it cannot know who is expected";
    put("list", "");
    ASSERT_TRUE(runs_until([&] { return b.claimed == "ok"; }));
    EXPECT_EQ(b.text(), "1: a b");
    EXPECT_EQ(propose(a, {"a"}, 1), "taken 2");
}

TEST_F(list_over_nats, of_a_neighbouring_version_is_understood) {
    auto& a = up("a", "m1");
    put("list", R"({"epoch":5,"later":[1],"servers":[{"id":"a","type":"chat","mood":"good"}]})");
    EXPECT_TRUE(runs_until([&] { return a.text() == "5: a"; })) << a.text();
}

TEST_F(list_over_nats,
       and_claims_outlive_a_server_that_stands_still_for_longer_than_anybody_may_be_silent) {
    times.machine_lost = 1s;
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    server->freeze();
    run_for(3s);
    EXPECT_FALSE(a.keeper->has_lease()) << "it cannot renew it";
    EXPECT_FALSE(b.keeper->has_lease());
    server->thaw();
    ASSERT_TRUE(all_are_whole());
    run_for(1500ms);
    EXPECT_EQ(a.text(), "1: a b");
    EXPECT_TRUE(a.lost_to.empty() && b.lost_to.empty()) << "nobody judges who hears nothing";
    EXPECT_EQ(propose(a, {"a"}, 1), "taken 2");
    EXPECT_TRUE(all_say("2: a (b)"));
}

TEST_F(list_over_nats, and_claims_outlive_a_long_outage) {
    times.machine_lost = 1s;
    auto& a = up("a", "m1");
    auto& b = up("b", "m2");
    server->kill();
    run_for(4s);
    server->start();
    ASSERT_TRUE(all_are_whole());
    run_for(1500ms);
    EXPECT_TRUE(all_say("1: a b"));
    EXPECT_TRUE(a.lost_to.empty() && b.lost_to.empty());
    no_epoch_went_back();
}

} // namespace

} // namespace shaddock::test
