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
    seats.close(alice, [&](const std::string& owner, const std::string& channel) {
        told.push_back(owner + "/" + channel);
    });
    EXPECT_EQ(told, (std::vector<std::string>{"chat-1/a", "chat-2/b"}));
    EXPECT_EQ(seats.find("chat-1", "a"), nullptr);
    ASSERT_NE(seats.find("chat-2", "b"), nullptr);
    EXPECT_EQ(seats.find("chat-2", "b")->members.size(), 1u);
}

} // namespace
} // namespace shaddock::server
