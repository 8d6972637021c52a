#include "keeper_world.hpp"

namespace shaddock::test {

namespace {

/// Three NATS servers, which need some seconds to find a leader.
class three_nats_servers : public keeper_test {
protected:
    void SetUp() override {
        keeper_test::SetUp();
        if (IsSkipped()) {
            return;
        }
        server.reset();
        three.emplace();
        times.machine_lost = 1s;
        a = &add("a", "m1");
        b = &add("b", "m2");
        ASSERT_TRUE(all_are_whole(40s)) << a->to.trouble();
        ASSERT_EQ(a->claimed + b->claimed, "okok");
    }
    void TearDown() override {
        keeper_test::TearDown();
        three.reset();
    }
    process* a = nullptr;
    process* b = nullptr;
};

TEST_F(three_nats_servers, are_rolled_and_list_and_claims_stay) {
    for (std::size_t i = 0; i != three->size(); ++i) {
        three->at(i).stop();
        run_for(1s);
        ASSERT_TRUE(all_are_whole(40s)) << i;
        three->at(i).start();
        three->wait_until_healthy();
        ASSERT_TRUE(all_are_whole(40s)) << i;
    }
    run_for(1500ms);
    EXPECT_TRUE(all_say("1: a b"));
    EXPECT_TRUE(a->lost_to.empty() && b->lost_to.empty());
}

TEST_F(three_nats_servers, two_of_which_are_away_for_long_and_nobody_is_given_up) {
    three->at(1).kill();
    three->at(2).kill();
    ASSERT_TRUE(runs_until([&] { return !a->keeper->has_lease() && !b->keeper->has_lease(); }))
        << "nothing can be written";
    run_for(4s);
    three->at(1).start();
    three->at(2).start();
    ASSERT_TRUE(all_are_whole(40s));
    run_for(1500ms);
    EXPECT_TRUE(all_say("1: a b"));
    EXPECT_TRUE(a->lost_to.empty() && b->lost_to.empty());
    no_epoch_went_back();
}

} // namespace

} // namespace shaddock::test
