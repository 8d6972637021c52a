#include "story.hpp"

#include "check/summary.hpp"

#include <gmock/gmock.h>

namespace shaddock::bench {
namespace {

using kind = violation_kind;

/// The report has exactly these violations, each as often as it is named.
void expect_only(const story& told, std::vector<kind> wanted) {
    std::array<std::size_t, violation_kinds> counts{};
    for (const kind one : wanted) {
        ++counts[static_cast<std::size_t>(one)];
    }
    const auto report = told.check();
    EXPECT_EQ(report.counts, counts) << summary(report);
    EXPECT_EQ(report.is_clean(), wanted.empty());
    EXPECT_EQ(report.explained.size(), std::min<std::size_t>(wanted.size(), 20));
}

/// Alice and Bob in one room, Carol in another.
struct three : testing::Test {
    story told;
    client_id alice = told.person("alice", "blue", {"alice"});
    client_id bob = [this] {
        const auto who = told.person("bob", "blue", {"alice", "bob"});
        told.sees_add(alice, "bob");
        return who;
    }();
    client_id carol = told.person("carol", "red", {"carol"});

    void hello() {
        told.said(alice, "hello");
        told.sees(alice, "hello", alice);
    }
};

using messages = three;
using requests = three;
using notices = three;
using memberships = three;
using troubles = three;

TEST_F(messages, are_clean_when_all_members_get_all_in_order) {
    hello();
    told.sees(bob, "hello", alice);
    told.said(bob, "psst", "alice");
    told.sees(alice, "psst", bob, "alice");
    told.said(carol, "alone");
    told.sees(carol, "alone", carol);
    expect_only(told, {});
    EXPECT_EQ(told.check().deliveries_owed, 4U);
    EXPECT_EQ(told.check().deliveries, 4U);
}

TEST_F(messages, may_arrive_before_the_answer) {
    told.send(alice, "hello");
    told.sees(bob, "hello", alice);
    told.sees(alice, "hello", alice);
    told.answered(alice);
    expect_only(told, {});
}

TEST_F(messages, lost) {
    hello();
    expect_only(told, {kind::lost});
}

TEST_F(messages, lost_to_the_sender) {
    told.said(alice, "hello");
    told.sees(bob, "hello", alice);
    expect_only(told, {kind::lost});
}

TEST_F(messages, lost_when_private) {
    told.said(alice, "psst", "bob");
    expect_only(told, {kind::lost});
}

TEST_F(messages, doubled) {
    hello();
    told.sees(bob, "hello", alice);
    told.sees(bob, "hello", alice);
    expect_only(told, {kind::doubled});
}

TEST_F(messages, reordered) {
    hello();
    told.said(alice, "again");
    told.sees(alice, "again", alice);
    told.sees(bob, "again", alice);
    told.sees(bob, "hello", alice);
    expect_only(told, {kind::reordered});
}

TEST_F(messages, of_different_senders_have_no_order) {
    told.said(alice, "a");
    told.said(bob, "b");
    for (const client_id who : {alice, bob}) {
        told.sees(who, "b", bob);
        told.sees(who, "a", alice);
    }
    expect_only(told, {});
}

TEST_F(messages, that_nobody_sent) {
    told.sees(bob, "boo", alice);
    expect_only(told, {kind::ghost_message});
}

TEST_F(messages, seen_before_they_were_sent) {
    told.sees(bob, "hello", alice);
    hello();
    expect_only(told, {kind::ghost_message});
}

TEST_F(messages, leaked_private) {
    const client_id dave = told.person("dave", "blue", {"alice", "bob", "dave"});
    told.sees_add(alice, "dave");
    told.sees_add(bob, "dave");
    told.said(alice, "psst", "bob");
    told.sees(bob, "psst", alice, "bob");
    told.sees(dave, "psst", alice, "bob");
    expect_only(told, {kind::leaked_private});
}

TEST_F(messages, private_ones_do_not_come_back_to_the_sender) {
    told.said(alice, "psst", "bob");
    told.sees(bob, "psst", alice, "bob");
    told.sees(alice, "psst", alice, "bob");
    expect_only(told, {kind::leaked_private});
}

TEST_F(messages, to_a_stranger) {
    hello();
    told.sees(bob, "hello", alice);
    told.sees(carol, "hello", alice);
    expect_only(told, {kind::stray_push});
}

TEST_F(messages, to_somebody_before_his_enter) {
    const client_id dave = told.stranger("dave");
    hello();
    told.sees(bob, "hello", alice);
    told.sees(dave, "hello", alice);
    expect_only(told, {kind::stray_push});
}

TEST_F(messages, under_a_false_name_or_target) {
    told.said(alice, "hello");
    told.sees(alice, "hello", alice);
    told.sees(bob, "hello", carol);
    told.said(alice, "again");
    told.sees(alice, "again", alice);
    told.sees(bob, "again", alice, "bob");
    expect_only(told, {kind::wrong_sender, kind::wrong_target});
}

TEST_F(messages, during_an_enter_may_or_may_not_come) {
    const client_id dave = told.stranger("dave");
    told.enter(dave, "blue");
    hello();
    told.sees(bob, "hello", alice);
    told.said(alice, "again");
    told.sees(alice, "again", alice);
    told.sees(bob, "again", alice);
    told.sees(dave, "again", alice);
    told.entered(dave, {"alice", "bob", "dave"});
    told.sees_add(alice, "dave");
    told.sees_add(bob, "dave");
    expect_only(told, {});
}

TEST_F(messages, during_a_leave_may_or_may_not_come) {
    told.send(alice, "hello");
    told.depart(bob);
    told.answered(alice);
    told.sees(alice, "hello", alice);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    expect_only(told, {});
}

TEST_F(messages, before_a_leave_must_come) {
    hello();
    told.depart(bob);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    expect_only(told, {kind::lost});
}

TEST_F(messages, after_a_switch_come_from_the_new_room_only) {
    told.enter(bob, "red");
    told.entered(bob, {"carol", "bob"});
    told.sees_add(carol, "bob");
    told.sees_leave(alice, "bob");
    hello();
    told.sees(bob, "hello", alice);
    told.said(carol, "welcome");
    told.sees(carol, "welcome", carol);
    expect_only(told, {kind::stray_push, kind::lost});
}

TEST_F(messages, during_a_failed_switch_still_come) {
    told.person("bob", "red", {"carol", "bob"});
    told.sees_add(carol, "bob");
    told.enter(bob, "red");
    hello();
    told.refused(bob);
    expect_only(told, {kind::lost});
}

TEST_F(messages, refused_by_an_error_are_owed_to_nobody) {
    told.send(alice, "hello", "nobody");
    told.refused(alice);
    expect_only(told, {});
}

TEST_F(requests, unanswered) {
    told.send(alice, "hello", "bob");
    told.sees(bob, "hello", alice, "bob");
    expect_only(told, {kind::unanswered});
}

TEST_F(requests, unanswered_are_excused_when_the_connection_closes) {
    told.send(bob, "bye", "bob");
    told.depart(bob);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    expect_only(told, {});
}

TEST_F(requests, unanswered_are_not_excused_when_the_close_comes_late) {
    told.send(bob, "bye", "bob");
    told.wait_ms(200);
    told.depart(bob);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    expect_only(told, {kind::unanswered});
}

TEST_F(requests, answered_twice) {
    told.said(alice, "psst", "bob");
    told.sees(bob, "psst", alice, "bob");
    told.answered(alice);
    expect_only(told, {kind::answered_twice});
}

TEST_F(requests, answered_with_another_id) {
    told.send(alice, "psst", "bob");
    told.sees(bob, "psst", alice, "bob");
    told.answered(alice, 77);
    expect_only(told, {kind::unasked_answer, kind::unanswered});
}

TEST_F(requests, send_refused_for_no_reason) {
    told.send(alice, "hello");
    told.refused(alice);
    expect_only(told, {kind::wrong_answer});
}

TEST_F(requests, send_to_nobody_succeeds) {
    told.said(alice, "hello", "nobody");
    told.said(alice, "hello again", "carol");
    expect_only(told, {kind::wrong_answer, kind::wrong_answer});
}

TEST_F(requests, send_from_outside_succeeds) {
    const client_id dave = told.stranger("dave");
    told.said(dave, "hello");
    expect_only(told, {kind::wrong_answer});
}

TEST_F(requests, enter_refused_for_no_reason) {
    told.enter(told.stranger("dave"), "blue");
    told.refused(3);
    expect_only(told, {kind::wrong_answer});
}

TEST_F(requests, enter_refused_for_a_good_reason) {
    told.enter(told.stranger("bob"), "blue");
    told.refused(3);
    told.enter(alice, "blue");
    told.refused(alice);
    expect_only(told, {});
}

TEST_F(requests, enter_under_a_name_that_is_taken) {
    told.person("bob", "blue", {"alice", "bob"});
    told.sees_add(alice, "bob");
    expect_only(told, {kind::wrong_answer, kind::out_of_turn});
}

TEST_F(requests, the_connection_closes_unasked) {
    told.closed(carol);
    expect_only(told, {kind::unexpected_close});
}

TEST_F(requests, kicked_or_fed_nonsense) {
    told.log.note(1, alice, event_kind::kicked, told.log.name("idle"));
    told.log.note(1, alice, event_kind::mangled, told.log.name("no JSON"));
    expect_only(told, {kind::unexpected_kick, kind::mangled});
}

TEST_F(notices, of_self) {
    told.sees_add(bob, "bob");
    expect_only(told, {kind::self_announced});
}

TEST_F(notices, of_self_after_a_switch) {
    told.enter(bob, "red");
    told.entered(bob, {"carol", "bob"});
    told.sees_add(carol, "bob");
    told.sees_leave(alice, "bob");
    told.sees_leave(bob, "bob");
    expect_only(told, {kind::self_announced});
}

TEST_F(notices, missing_add) {
    told.person("dave", "blue", {"alice", "bob", "dave"});
    told.sees_add(bob, "dave");
    expect_only(told, {kind::missing_add});
}

TEST_F(notices, doubled_add) {
    told.sees_add(alice, "bob");
    expect_only(told, {kind::doubled_add, kind::out_of_turn});
}

TEST_F(notices, stray_add) {
    told.sees_add(carol, "bob");
    expect_only(told, {kind::stray_add});
}

TEST_F(notices, missing_leave) {
    told.depart(bob);
    told.closed(bob);
    told.wait_ms(200);
    told.said(alice, "still here");
    told.sees(alice, "still here", alice);
    told.depart(alice);
    expect_only(told, {kind::missing_leave});
}

TEST_F(notices, missing_leave_after_a_switch) {
    told.enter(bob, "red");
    told.entered(bob, {"carol", "bob"});
    told.sees_add(carol, "bob");
    expect_only(told, {kind::missing_leave});
}

TEST_F(notices, a_leave_may_be_missed_by_one_who_leaves_within_the_grace) {
    told.depart(bob);
    told.closed(bob);
    told.depart(alice);
    told.closed(alice);
    expect_only(told, {});
}

TEST_F(notices, doubled_and_stray_leave) {
    told.depart(bob);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    told.sees_leave(alice, "bob");
    told.sees_leave(carol, "bob");
    expect_only(told,
                {kind::doubled_leave, kind::out_of_turn, kind::stray_leave, kind::out_of_turn});
}

TEST_F(notices, of_a_return_come_in_turn) {
    told.depart(bob);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    told.person("bob", "blue", {"alice", "bob"});
    told.sees_add(alice, "bob");
    expect_only(told, {});
}

TEST_F(notices, of_a_return_in_the_wrong_order) {
    told.depart(bob);
    told.closed(bob);
    told.person("bob", "blue", {"alice", "bob"});
    told.sees_add(alice, "bob");
    told.sees_leave(alice, "bob");
    expect_only(told, {kind::out_of_turn});
}

TEST_F(memberships, users_list_without_the_newcomer_or_a_member) {
    told.person("dave", "blue", {"alice"});
    told.sees_add(alice, "dave");
    told.sees_add(bob, "dave");
    expect_only(told, {kind::missing_user, kind::missing_user});
}

TEST_F(memberships, users_list_with_one_twice) {
    told.person("dave", "red", {"carol", "carol", "dave"});
    told.sees_add(carol, "dave");
    expect_only(told, {kind::doubled_user});
}

TEST_F(memberships, users_list_with_a_ghost) {
    told.depart(bob);
    told.closed(bob);
    told.sees_leave(alice, "bob");
    told.wait_ms(200);
    told.person("dave", "blue", {"alice", "bob", "dave"});
    told.sees_add(alice, "dave");
    expect_only(told, {kind::ghost_member});
}

TEST_F(memberships, one_who_just_left_may_still_be_listed) {
    told.depart(bob);
    told.closed(bob);
    told.person("dave", "blue", {"alice", "bob", "dave"});
    told.sees_leave(alice, "bob");
    told.sees_add(alice, "dave");
    expect_only(told, {});
}

TEST_F(troubles, excuse_refusals_losses_and_closes) {
    told.trouble_ms(1000);
    told.wait_ms(10);
    told.send(alice, "hello");
    told.refused(alice);
    told.said(bob, "does anybody hear");
    told.closed(carol);
    expect_only(told, {});
}

TEST_F(troubles, excuse_nothing_when_they_are_over) {
    told.trouble_ms(1000);
    told.wait_ms(2000);
    told.send(alice, "hello");
    told.refused(alice);
    told.said(bob, "does anybody hear");
    told.sees(bob, "does anybody hear", bob);
    expect_only(told, {kind::wrong_answer, kind::lost});
}

TEST_F(troubles, excuse_losses_only_of_those_whom_they_hurt) {
    told.trouble_ms(1000, false, hurt_ones{{"red"}, {"connector-server-2"}});
    told.said(alice, "hello");
    told.sees(alice, "hello", alice);
    auto left = told;
    told.wait_ms(2500);
    expect_only(told, {kind::lost}); // bob
    // Who went soon after it may have gone before it came.
    left.wait_ms(500);
    left.depart(bob);
    left.closed(bob);
    left.wait_ms(2500);
    expect_only(left, {});

    story other;
    const auto dan = other.person("dan", "red", {"dan"});
    const auto eva =
        other.person("eva@connector-server-2", "red", {"dan", "eva@connector-server-2"});
    other.sees_add(dan, "eva@connector-server-2");
    other.trouble_ms(1000, false, hurt_ones{{}, {"connector-server-2"}});
    other.said(dan, "hello");
    other.sees(dan, "hello", dan);
    other.wait_ms(2500);
    expect_only(other, {});
    other.said(eva, "do you hear me");
    other.sees(eva, "do you hear me", eva);
    expect_only(other, {kind::lost});
}

TEST_F(troubles, excuse_no_second_delivery_and_no_second_answer) {
    told.trouble_ms(1000);
    hello();
    told.sees(bob, "hello", alice);
    told.sees(bob, "hello", alice);
    told.answered(alice);
    expect_only(told, {kind::doubled, kind::answered_twice});
}

TEST_F(troubles, let_a_leave_be_told_late_but_told_if_they_say_so) {
    told.trouble_ms(1000, true);
    told.depart(bob);
    told.closed(bob);
    auto untold = told;
    told.wait_ms(900);
    told.sees_leave(alice, "bob");
    expect_only(told, {});
    expect_only(untold, {kind::missing_leave});
}

TEST_F(troubles, leave_a_refused_enter_in_doubt_until_they_end) {
    told.trouble_ms(1000);
    told.enter(carol, "blue");
    told.sees_add(alice, "carol");
    told.refused(carol);
    told.sees_leave(alice, "carol");
    told.sees_leave(bob, "carol");
    told.wait_ms(2000);
    told.said(carol, "alone");
    told.sees(carol, "alone", carol);
    expect_only(told, {});
}

TEST(histories, that_contradict_themselves_are_refused) {
    story told;
    const client_id alice = told.person("alice", "blue", {"alice"});
    told.said(alice, "hello");
    told.sees(alice, "hello", alice);
    told.send(alice, "hello");
    EXPECT_THROW(told.check(), std::runtime_error);
}

TEST(histories, explain_the_first_twenty_and_count_all) {
    story told;
    const client_id alice = told.person("alice", "blue", {"alice"});
    for (int i = 0; i < 30; ++i) {
        told.said(alice, std::to_string(i));
    }
    const auto report = told.check();
    EXPECT_EQ(report.count(kind::lost), 30U);
    EXPECT_EQ(report.explained.size(), 20U);
    EXPECT_THAT(report.explained[0].text, testing::AllOf(testing::HasSubstr("alice: never got '0'"),
                                                         testing::HasSubstr("since")));
}

TEST(histories, may_allow_a_kind) {
    story told;
    told.said(told.person("alice", "blue", {"alice"}), "hello");
    check_options options;
    allow(options, {"lost"});
    const auto report = check(told.log, options);
    EXPECT_TRUE(report.is_clean());
    EXPECT_EQ(report.count(kind::lost), 1U);
    EXPECT_THROW(allow(options, {"losst"}), std::invalid_argument);
}

TEST(violations, have_names_of_their_own) {
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        kind back = kind::lost;
        const auto word = to_string(static_cast<kind>(i));
        ASSERT_TRUE(parse(word, back)) << i;
        EXPECT_EQ(static_cast<std::size_t>(back), i) << word;
    }
}

} // namespace
} // namespace shaddock::bench
