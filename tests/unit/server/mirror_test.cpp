#include "mirror.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

namespace shaddock::server {
namespace {

struct mirror_test : ::testing::Test {
    session_store store{"connector-server-1", incarnation{5}};
    fake_connection first{1};
    fake_connection second{2};
    session& alice = store.open(first);
    session& bob = store.open(second);
    mirror seats;
};

TEST_F(mirror_test, keeps_the_same_room_of_two_owners_apart) {
    seats.join("chat-1", "room", alice, "alice", 1);
    seats.join("chat-2", "room", bob, "bob", 2);
    ASSERT_NE(seats.find("chat-1", "room"), nullptr);
    EXPECT_EQ(seats.find("chat-1", "room")->members.size(), 1u);
    EXPECT_EQ(seats.of_owner("chat-2").size(), 1u);
    seats.destroy("chat-1", "room");
    EXPECT_EQ(seats.find("chat-1", "room"), nullptr);
    EXPECT_TRUE(alice.channels.empty());
    EXPECT_EQ(bob.channels.size(), 1u);
}

TEST_F(mirror_test, a_repeated_join_is_one_seat) {
    seats.join("chat-1", "room", alice, "alice", 1);
    seats.join("chat-1", "room", alice, "alice2", 7);
    const auto* room = seats.find("chat-1", "room");
    ASSERT_EQ(room->members.size(), 1u);
    EXPECT_EQ(room->members[0].uid, "alice2");
    EXPECT_EQ(room->members[0].joined, 7u);
    EXPECT_TRUE(seats.leave("chat-1", "room", alice));
    EXPECT_FALSE(seats.leave("chat-1", "room", alice));
    EXPECT_EQ(seats.find("chat-1", "room"), nullptr);
}

TEST_F(mirror_test, a_closed_session_leaves_all_and_each_is_told) {
    seats.join("chat-1", "a", alice, "alice", 1);
    seats.join("chat-2", "b", alice, "alice", 2);
    seats.join("chat-2", "b", bob, "bob", 3);
    std::vector<std::string> told;
    seats.close(alice, [&](const mirrored_channel& of, const mirrored_channel::entry& was) {
        told.push_back(of.owner + "/" + of.name + " " + was.uid + std::to_string(was.joined));
    });
    EXPECT_EQ(told, (std::vector<std::string>{"chat-1/a alice1", "chat-2/b alice2"}));
    EXPECT_EQ(seats.find("chat-1", "a"), nullptr);
    ASSERT_NE(seats.find("chat-2", "b"), nullptr);
    EXPECT_EQ(seats.find("chat-2", "b")->members.size(), 1u);
}

TEST_F(mirror_test, a_room_that_moves_keeps_its_seats_beside_those_that_its_new_owner_gave) {
    seats.join("chat-1", "room", alice, "alice", 1);
    seats.join("chat-1", "room", bob, "bob", 2);
    seats.join("chat-1", "other", bob, "bob", 3);
    seats.join("chat-2", "room", bob, "bob", 9);
    seats.move("chat-1", "room", "chat-2");
    EXPECT_EQ(seats.find("chat-1", "room"), nullptr);
    ASSERT_EQ(seats.find("chat-2", "room")->members.size(), 2u);
    EXPECT_EQ(seats.find("chat-2", "room")->members[0].joined, 9u);
    EXPECT_EQ(alice.channels.size(), 1u);
    EXPECT_EQ(bob.channels.size(), 2u);
    seats.move("chat-1", "nowhere", "chat-2");
    EXPECT_TRUE(seats.leave("chat-2", "room", alice));
}

TEST_F(mirror_test, who_was_lost_is_remembered_until_the_owner_knows) {
    seats.remember_lost("chat-1", {"room", session_id{1}, "alice", 7});
    seats.remember_lost("chat-1", {"room", session_id{1}, "alice", 7});
    seats.remember_lost("chat-1", {"room", session_id{2}, "bob", 8});
    EXPECT_EQ(seats.lost_of("chat-1").size(), 2u);
    EXPECT_TRUE(seats.lost_of("chat-2").empty());
    seats.forget_lost("chat-2", "room", session_id{2});
    seats.forget_lost("chat-1", "other", session_id{2});
    seats.forget_lost("chat-1", "room", session_id{2});
    EXPECT_EQ(seats.lost_of("chat-1"),
              std::vector{wire::encoded(wire::membership{"room", session_id{1}, "alice", 7})});
}

TEST_F(mirror_test, in_a_new_life_nobody_is_anywhere) {
    seats.join("chat-1", "a", alice, "alice", 1);
    seats.remember_lost("chat-1", {"a", session_id{9}, "carol", 7});
    seats.clear();
    EXPECT_TRUE(alice.channels.empty());
    EXPECT_TRUE(seats.of_owner("chat-1").empty());
    EXPECT_TRUE(seats.lost_of("chat-1").empty());
}

} // namespace
} // namespace shaddock::server
