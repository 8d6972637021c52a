#include "registry_world.hpp"
#ifdef SHADDOCK_HAS_NATS
#include "nats_registry_world.hpp"
#endif

#include <gtest/gtest.h>

namespace shaddock::contract {

namespace {

struct world_name {
    template <class World>
    static std::string GetName(int) {
        return World::name();
    }
};

template <class World>
class registry_contract : public testing::Test {
public:
    World in;
};
#ifdef SHADDOCK_HAS_NATS
using registry_worlds = testing::Types<local_world, linked_world, direct_world, nats_world>;
#else
using registry_worlds = testing::Types<local_world, linked_world, direct_world>;
#endif

} // namespace

TYPED_TEST_SUITE(registry_contract, registry_worlds, world_name);

TYPED_TEST(registry_contract, lists_all_expected_servers_sorted_by_id_up_or_down) {
    this->in.begin_with(records({"m", "z", "a"}));
    auto& m = this->in.add("m", 5);
    const auto now = m.list().now();
    ASSERT_NE(now, nullptr);
    ASSERT_EQ(now->servers.size(), 3U);
    EXPECT_EQ(now->servers[0].id, "a");
    EXPECT_EQ(now->servers[2].id, "z");
    EXPECT_FALSE(now->servers[0].is_up);
    EXPECT_TRUE(now->servers[1].is_up) << "itself is up at once";
    EXPECT_EQ(now->servers[1].life, static_cast<incarnation>(5));
    ASSERT_NE(now->find("z"), nullptr);
    EXPECT_EQ(now->find("z")->record_json, R"({"id":"z"})");
    EXPECT_EQ(now->find("b"), nullptr);
    EXPECT_EQ(now->find("zz"), nullptr);
}

TYPED_TEST(registry_contract, tells_everybody_who_comes_up_in_any_order) {
    this->in.begin_with(records({"a", "m", "z"}));
    for (const std::string id : {"m", "z", "a"}) {
        this->in.add(id, 5);
    }
    const auto epoch = this->in.member_of("m").list().now()->epoch;
    EXPECT_TRUE(this->in.all_say(fmt::format("{}: a@5 m@5 z@5", epoch)));
}

TYPED_TEST(registry_contract, keeps_the_epoch_while_servers_come_and_go) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto epoch = a.list().now()->epoch;
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@6", epoch)));
    this->in.remove("b");
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b-", epoch)));
    this->in.add("b", 7);
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@7", epoch)));
}

TYPED_TEST(registry_contract, keeps_a_server_that_died_on_the_list) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    this->in.add("b", 6);
    const auto epoch = a.list().now()->epoch;
    ASSERT_TRUE(this->in.runs_until([&] { return a.text() == fmt::format("{}: a@5 b@6", epoch); }));
    this->in.kill("b");
    ASSERT_TRUE(this->in.runs_until([&] { return a.text() == fmt::format("{}: a@5 b-", epoch); }));
    EXPECT_TRUE(this->in.runs_until([&] {
        return !a.hears.heard.empty() && a.hears.heard.back() == fmt::format("{}: a@5 b-", epoch);
    })) << "the listener was not told";
}

TYPED_TEST(registry_contract, changes_the_list_by_a_proposal_only_and_tells_everybody) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.all_say("1: a@5 b@6"));
    EXPECT_EQ(this->in.propose(a, records({"c", "a", "b"}), 1), "taken 2");
    ASSERT_TRUE(this->in.all_say("2: a@5 b@6 c-"));
    this->in.add("c", 7);
    ASSERT_TRUE(this->in.runs_until([&] { return a.text() == "2: a@5 b@6 c@7"; }));
}

TYPED_TEST(registry_contract, takes_no_proposal_that_knows_an_older_list) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    auto& b = this->in.add("b", 6);
    ASSERT_TRUE(this->in.all_say("1: a@5 b@6"));
    EXPECT_EQ(this->in.propose(a, records({"a"}), 1), "taken 2");
    EXPECT_EQ(this->in.propose(b, records({"a", "b", "c"}), 1), "late 2");
    EXPECT_EQ(this->in.propose(b, records({"a", "b", "c"}), 3), "late 2");
    EXPECT_EQ(this->in.propose(b, records({"a", "b", "c"}), 2), "taken 3");
    EXPECT_TRUE(this->in.all_say("3: a@5 b@6 c-"));
}

TYPED_TEST(registry_contract, keeps_who_leaves_the_list_as_a_guest_and_takes_it_back) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.all_say("1: a@5 b@6"));
    EXPECT_EQ(this->in.propose(a, records({"a"}), 1), "taken 2");
    ASSERT_TRUE(this->in.all_say("2: a@5 (b@6)")) << "it is still linked";
    ASSERT_NE(a.list().now()->find("b"), nullptr);
    EXPECT_EQ(this->in.propose(a, records({"a", "b"}), 2), "taken 3");
    EXPECT_TRUE(this->in.all_say("3: a@5 b@6"));
}

TYPED_TEST(registry_contract, says_who_leaves_and_takes_it_back) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.all_say("1: a@5 b@6"));
    auto wanted = records({"a", "b"});
    wanted[1].is_leaving = true;
    EXPECT_EQ(this->in.propose(a, wanted, 1), "taken 2");
    ASSERT_TRUE(this->in.all_say("2: a@5 b@6~")) << "it is in the list still";
    EXPECT_EQ(this->in.propose(a, wanted, 2), "taken 2") << "the same list again";
    this->in.remove("b");
    ASSERT_TRUE(this->in.all_say("2: a@5 b-~"));
    EXPECT_EQ(this->in.propose(a, records({"a", "b"}), 2), "taken 3");
    EXPECT_TRUE(this->in.all_say("3: a@5 b-"));
}

TYPED_TEST(registry_contract, lets_in_who_is_not_on_the_list_as_a_guest) {
    this->in.begin_with(records({"a"}));
    this->in.add("a", 5);
    auto& b = this->in.add("b", 6);
    EXPECT_EQ(b.list().now()->epoch, 1U);
    ASSERT_EQ(b.list().now()->servers.size(), 1U);
    ASSERT_EQ(b.list().now()->guests.size(), 1U);
    EXPECT_TRUE(b.list().now()->guests[0].is_up);
}

TYPED_TEST(registry_contract, keeps_the_epoch_when_the_same_list_is_proposed) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto before = a.text();
    EXPECT_EQ(this->in.propose(a, records({"b", "a"}), 1), "taken 1");
    EXPECT_EQ(a.text(), before);
}

TYPED_TEST(registry_contract, counts_another_record_of_the_same_id_as_a_change) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    auto changed = records({"a", "b"});
    changed[1].client_port = 3051;
    EXPECT_EQ(this->in.propose(a, changed, 1), "taken 2");
    EXPECT_EQ(a.list().now()->find("b")->client_port, 3051);
    EXPECT_TRUE(a.list().now()->find("a")->is_up);
}

TYPED_TEST(registry_contract, keeps_an_old_view_as_it_was) {
    this->in.begin_with(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto old = a.list().now();
    const auto text = text_of(*old);
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.runs_until([&] { return a.list().now() != old; }));
    EXPECT_EQ(text_of(*old), text);
}

TYPED_TEST(registry_contract, refuses_an_id_that_is_registered) {
    this->in.begin_with(records({"a"}));
    this->in.add("a", 5);
    auto second = this->in.make("a", 6);
    const auto started = second->start(record("a"));
    ASSERT_TRUE(started.has_error());
    EXPECT_EQ(started.error().code(), errc::duplicate);
}

TYPED_TEST(registry_contract, tells_nothing_after_it_was_stopped) {
    this->in.begin_with(records({"a", "b"}));
    this->in.add("a", 5);
    const auto [a, heard] = this->in.stop("a");
    EXPECT_EQ(a->hears.heard, heard);
}

} // namespace shaddock::contract
