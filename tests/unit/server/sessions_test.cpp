#include "sessions.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

namespace shaddock::server {
namespace {

struct sessions_test : ::testing::Test {
    session_store store{"connector-server-1", incarnation{5}};
    // Sessions count for themselves.
    fake_connection first{11};
    fake_connection second{7};
};

TEST_F(sessions_test, have_ids_of_their_own_that_never_come_back) {
    auto& one = store.open(first);
    EXPECT_EQ(one.id(), session_id{1});
    EXPECT_EQ(store.open(second).id(), session_id{2});
    store.close(one);
    EXPECT_EQ(store.open(first).id(), session_id{3});
    EXPECT_EQ(store.find(session_id{11}), nullptr);
}

TEST_F(sessions_test, know_their_clients_address_whatever_changes) {
    auto& one = store.open(first);
    ASSERT_TRUE(store.bind(one, "alice"));
    EXPECT_EQ(one.data->address, "192.0.2.1");
    EXPECT_EQ(one.data->reached_at, "2001:db8::5");
}

TEST_F(sessions_test, are_found_by_id_and_by_every_uid) {
    auto& one = store.open(first);
    auto& two = store.open(second);
    ASSERT_TRUE(store.bind(one, "alice"));
    ASSERT_TRUE(store.bind(two, "alice"));
    EXPECT_EQ(store.find(session_id{1}), &one);
    EXPECT_EQ(store.of_uid("alice").size(), 2u);
    store.close(one);
    EXPECT_EQ(store.find(session_id{1}), nullptr);
    EXPECT_EQ(store.of_uid("alice"), std::vector<session*>{&two});
}

TEST_F(sessions_test, of_another_life_or_frontend_are_not_found) {
    auto& one = store.open(first);
    EXPECT_EQ(store.find(session_ref{"connector-server-1", incarnation{5}, session_id{1}, ""}),
              &one);
    EXPECT_EQ(store.find(session_ref{"connector-server-1", incarnation{4}, session_id{1}, ""}),
              nullptr);
    EXPECT_EQ(store.find(session_ref{"connector-server-2", incarnation{5}, session_id{1}, ""}),
              nullptr);
}

TEST_F(sessions_test, a_second_uid_is_refused_and_rebind_replaces) {
    auto& one = store.open(first);
    ASSERT_TRUE(store.bind(one, "alice*a"));
    EXPECT_TRUE(store.bind(one, "alice*a"));
    const auto refused = store.bind(one, "alice*b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), errc::duplicate);
    ASSERT_TRUE(store.rebind(one, "alice*b"));
    EXPECT_TRUE(store.of_uid("alice*a").empty());
    EXPECT_EQ(store.of_uid("alice*b").size(), 1u);
    store.unbind(one);
    EXPECT_EQ(one.data->ref.uid, "");
    EXPECT_TRUE(store.of_uid("alice*b").empty());
}

TEST_F(sessions_test, a_snapshot_does_not_change_with_the_session) {
    auto& one = store.open(first);
    ASSERT_TRUE(store.set(one, {{"rid", "\"a\""}}));
    const auto before = one.data;
    ASSERT_TRUE(store.set(one, {{"rid", "\"b\""}, {"x", "1"}}));
    EXPECT_EQ(before->settings.size(), 1u);
    EXPECT_EQ(before->settings[0].json, "\"a\"");
    ASSERT_EQ(one.data->settings.size(), 2u);
    EXPECT_EQ(one.data->settings[0].json, "\"b\"");
}

TEST_F(sessions_test, settings_are_bounded_and_a_refusal_changes_nothing) {
    auto& one = store.open(first);
    const auto refused = store.set(one, {{"big", std::string(70'000, 'x')}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), errc::overloaded);
    EXPECT_TRUE(one.data->settings.empty());
}

} // namespace
} // namespace shaddock::server
