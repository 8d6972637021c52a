#include "channels.hpp"

#include "fakes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace shaddock::server {
namespace {

using wire::kind;

struct channels_test : ::testing::Test {
    boost::asio::io_context loop;
    fake_bus links;
    outgoing to_frontends{loop.get_executor(), links, {"chat-server-1", incarnation{100}}};
    std::vector<std::pair<std::string, std::string>> lost;
    channel_store store{to_frontends, [this](const std::string& channel, const door::member& gone) {
                            lost.emplace_back(channel, gone.ref.uid);
                        }};
    const bus::peer connector{"connector-server-1", incarnation{7}};
    /// One comes, and whoever tells a roster owes its seats if the test says so.
    struct fake_rooms final : rooms_to_come {
        bool is_anothers_by_name(std::string_view channel) const override {
            return channel != "ours";
        }
        bool owes_seats(const std::string&, std::uint64_t) override { return is_owed; }
        bool take_seat(std::uint64_t, const std::string& channel, const bus::peer&,
                       const door::member& who, bool is_lost) override {
            if (channel != "comes") {
                return false;
            }
            taken.push_back(who.ref.uid + (is_lost ? " is lost" : ""));
            return true;
        }
        bool is_owed = false;
        std::vector<std::string> taken;
    } rooms;

    void link(const bus::peer& frontend) {
        links.up.insert(frontend.id);
        store.on_link_up(frontend);
    }
    static session_ref ref(const bus::peer& frontend, std::uint64_t id, std::string uid) {
        return {frontend.id, frontend.life, session_id{id}, std::move(uid)};
    }
    void lose(const bus::peer& frontend, std::string_view channel, std::uint64_t id) {
        std::string bytes;
        wire::writer out(bytes);
        wire::write(out, wire::membership{channel, session_id{id}, {}, 0});
        store.on_member_lost(frontend, bytes);
    }
    void roster(const bus::peer& frontend, const std::vector<wire::membership>& seats,
                const std::vector<wire::membership>& gone = {}, std::uint64_t epoch = 0,
                std::string_view ours_by_name = {}) {
        std::string memberships;
        std::string lost_ones;
        for (const auto& [from, to] : {std::pair(&seats, &memberships), {&gone, &lost_ones}}) {
            wire::writer out(*to);
            for (const auto& each : *from) {
                wire::write(out, each);
            }
        }
        store.on_roster(frontend, wire::encoded(true, memberships, lost_ones, epoch, ours_by_name),
                        rooms);
    }
    using losses = std::vector<std::pair<std::string, std::string>>;
    std::vector<kind> sent() {
        std::vector<kind> kinds;
        for (const auto& each : std::exchange(links.casts, {})) {
            kinds.push_back(static_cast<kind>(each.kind));
        }
        return kinds;
    }
    /// The room comes from another owner. Gives who left on the way.
    std::vector<std::string> take_over(const channel_store::moved& from) {
        return uids_of(store.take_over("room", from, [](const auto&) { return false; }));
    }
    static std::vector<std::string> uids_of(const std::vector<door::member>& members) {
        std::vector<std::string> found;
        for (const auto& each : members) {
            found.push_back(each.ref.uid);
        }
        return found;
    }
    static std::vector<std::string> uids(const door::channel& channel) {
        std::vector<std::string> found;
        for (const auto& each : channel.members()) {
            found.push_back(each.ref.uid);
        }
        return found;
    }
};

TEST_F(channels_test, tell_the_frontend_of_a_join_before_any_push) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    ASSERT_TRUE(room->push("onChat", "{}"));
    EXPECT_TRUE(room->remove(ref(connector, 1, "")));
    ASSERT_TRUE(room->push("onChat", "{}"));
    EXPECT_EQ(sent(), (std::vector<kind>{kind::join, kind::push_channel, kind::leave}));
}

TEST_F(channels_test, take_nobody_in_and_push_nothing_while_others_may_own_them) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    bool may_own = false;
    store.fence_if([&] { return !may_own; });
    const auto refused = room->add(ref(connector, 2, "bob"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), errc::no_server);
    EXPECT_FALSE(room->push("onChat", "{}"));
    EXPECT_FALSE(room->push_to("onChat", "{}", std::vector{ref(connector, 1, "alice")}));
    EXPECT_EQ(uids(*room), std::vector<std::string>{"alice"});
    may_own = true;
    EXPECT_TRUE(room->add(ref(connector, 2, "bob")));
    EXPECT_TRUE(room->push("onChat", "{}"));
}

TEST_F(channels_test, lose_the_members_of_a_frontend_that_has_left_the_system_without_a_link) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    store.on_forgotten(connector.id);
    EXPECT_EQ(uids(*room), std::vector<std::string>{"alice"}) << "its link will say how it ended";
    links.up.erase(connector.id);
    store.on_forgotten("connector-server-9");
    store.on_forgotten(connector.id);
    EXPECT_EQ(uids(*room), std::vector<std::string>{});
}

TEST_F(channels_test, send_one_push_per_frontend_however_many_members) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    auto* room = store.create("room");
    for (std::uint64_t i = 1; i <= 10; ++i) {
        ASSERT_TRUE(room->add(ref(i % 2 != 0 ? connector : other, i, "u" + std::to_string(i))));
    }
    (void)sent();
    ASSERT_TRUE(room->push("onChat", "{}"));
    EXPECT_EQ(sent(), (std::vector<kind>{kind::push_channel, kind::push_channel}));
}

TEST_F(channels_test, push_on_all_links_or_on_none) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "a")));
    ASSERT_TRUE(room->add(ref(other, 2, "b")));
    links.room_for[other.id] = 0;
    (void)sent();
    const std::vector to{ref(connector, 1, "a"), ref(other, 2, "b")};
    for (const auto& pushed : {room->push("onChat", "{}"), room->push_to("onChat", "{}", to)}) {
        ASSERT_TRUE(pushed.has_error());
        EXPECT_EQ(pushed.error().code(), errc::overloaded);
    }
    EXPECT_TRUE(sent().empty());
    // Memberships go all the same.
    ASSERT_TRUE(room->add(ref(other, 3, "c")));
    EXPECT_TRUE(room->remove(ref(other, 2, "b")));
    EXPECT_EQ(sent(), (std::vector<kind>{kind::join, kind::leave}));
}

TEST_F(channels_test, push_to_some_on_all_links_or_on_none_whatever_their_number) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    auto* room = store.create("room");
    std::vector to{ref(connector, 1, "a")};
    for (std::uint64_t i = 2; i <= 9; ++i) {
        to.push_back(ref(other, i, "b" + std::to_string(i)));
    }
    for (const auto& each : to) {
        ASSERT_TRUE(room->add(each));
    }
    ASSERT_TRUE(room->push_to("onChat", "{}", to));
    const auto longest = links.casts.back().bytes.size();
    ASSERT_GT(longest, links.casts.end()[-2].bytes.size());
    // One byte less than the longer of the two frames has.
    links.room_for[other.id] = longest - 1;
    (void)sent();
    const auto pushed = room->push_to("onChat", "{}", to);
    ASSERT_TRUE(pushed.has_error());
    EXPECT_EQ(pushed.error().code(), errc::overloaded);
    EXPECT_TRUE(sent().empty());
}

TEST_F(channels_test, refuse_a_uid_from_any_frontend_and_a_session_twice) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    EXPECT_EQ(room->add(ref(other, 1, "alice")).error().code(), errc::duplicate);
    EXPECT_EQ(room->add(ref(connector, 1, "other")).error().code(), errc::duplicate);
    EXPECT_EQ(uids(*room), std::vector<std::string>{"alice"});
    EXPECT_EQ(store.create("room"), room);
}

TEST_F(channels_test, refuse_members_of_a_frontend_that_is_not_linked_in_that_life) {
    auto* room = store.create("room");
    EXPECT_EQ(room->add(ref(connector, 1, "alice")).error().code(), errc::closed);
    link(connector);
    EXPECT_EQ(room->add(ref({connector.id, incarnation{6}}, 1, "alice")).error().code(),
              errc::closed);
    EXPECT_TRUE(room->add(ref(connector, 1, "alice")));
}

TEST_F(channels_test, a_closed_session_is_lost_once) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    lose(connector, "room", 1);
    lose(connector, "room", 1);
    lose(connector, "nowhere", 1);
    EXPECT_EQ(lost, (std::vector<std::pair<std::string, std::string>>{{"room", "alice"}}));
    EXPECT_TRUE(room->members().empty());
    EXPECT_EQ(room->find("alice"), nullptr);
}

TEST_F(channels_test, a_dead_frontend_takes_its_members_and_no_others) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    ASSERT_TRUE(room->add(ref(other, 1, "bob")));
    ASSERT_TRUE(room->add(ref(connector, 2, "carol")));
    store.on_dead({connector.id, incarnation{6}}); // news of an older life
    EXPECT_TRUE(lost.empty());
    store.on_dead(connector);
    EXPECT_EQ(lost, (std::vector<std::pair<std::string, std::string>>{{"room", "alice"},
                                                                      {"room", "carol"}}));
    EXPECT_EQ(uids(*room), std::vector<std::string>{"bob"});
}

TEST_F(channels_test, after_a_lost_link_only_differences_are_announced) {
    link(connector);
    roster(connector, {});
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    ASSERT_TRUE(room->add(ref(connector, 2, "bob")));
    ASSERT_TRUE(room->add(ref(connector, 3, "carol")));
    const auto joined = [&](const char* uid) { return room->find(std::string_view(uid))->joined; };
    const auto alice = joined("alice");
    const auto carol = joined("carol");
    links.up.clear();
    EXPECT_TRUE(room->remove(ref(connector, 3, ""))); // the leave cannot be sent
    link(connector);
    ASSERT_TRUE(
        room->add(ref(connector, 4, "dave"))); // joined on the new link: not in the roster yet
    (void)sent();
    roster(connector,
           {{"room", session_id{1}, "alice", alice}, {"room", session_id{3}, "carol", carol}});
    EXPECT_EQ(lost, (std::vector<std::pair<std::string, std::string>>{{"room", "bob"}}));
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"alice", "dave"}));
    EXPECT_EQ(sent(), (std::vector<kind>{kind::leave})); // carol's, again
}

TEST_F(channels_test, a_new_owner_takes_back_the_members_of_its_earlier_life_in_order) {
    link(connector);
    roster(connector, {{"room", session_id{2}, "bob", 12}, {"room", session_id{1}, "alice", 11}});
    auto* room = store.find("room");
    ASSERT_NE(room, nullptr);
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"alice", "bob"}));
    EXPECT_TRUE(lost.empty());
    ASSERT_TRUE(room->add(ref(connector, 3, "carol")));
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"alice", "bob", "carol"}));
}

TEST_F(channels_test, a_frontend_declared_dead_does_not_bring_its_members_back) {
    link(connector);
    roster(connector, {});
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    store.on_dead(connector); // it was only silent
    link(connector);
    (void)sent();
    roster(connector, {{"room", session_id{1}, "alice", 101}});
    EXPECT_TRUE(room->members().empty());
    ASSERT_EQ(links.casts.size(), 1u);
    EXPECT_EQ(links.casts[0].bytes,
              wire::encoded(wire::membership{"room", session_id{1}, {}, 101}, wire::leave_and_kick))
        << "the host took her out, so that she is to come back";
    EXPECT_EQ(sent(), (std::vector<kind>{kind::leave}));
}

TEST_F(channels_test, take_nothing_back_of_a_room_that_has_fallen_to_another_by_a_later_list) {
    std::string named;
    wire::writer(named).text("room");
    const auto tell = [&](std::uint64_t epoch) {
        link(connector);
        roster(connector, {{"room", session_id{1}, "ann", 11}, {"lobby", session_id{2}, "bob", 12}},
               {{"room", session_id{3}, "eve", 13}}, epoch, named);
    };
    store.set_epoch(5);
    tell(4);
    EXPECT_EQ(store.names(), (std::vector<std::string>{"lobby"})) << "no name has given it to us";
    tell(4);
    EXPECT_EQ(sent(), std::vector<kind>{}) << "neither a leave nor an acknowledgement of a loss";
    EXPECT_TRUE(lost.empty());
}

TEST_F(channels_test, take_back_what_is_told_by_a_list_that_is_no_older) {
    std::string named;
    wire::writer(named).text("room");
    store.set_epoch(5);
    link(connector);
    roster(connector, {{"room", session_id{1}, "ann", 11}}, {}, 6, named);
    EXPECT_EQ(store.names(), (std::vector<std::string>{"room"}));
}

TEST_F(channels_test, do_not_announce_again_who_had_left_before_the_channel_came) {
    const door::member bob{{"connector-server-2", incarnation{8}, session_id{2}, "bob"}, 12};
    channel_store::moved from;
    from.members = {bob};
    from.is_told = true; // and so without alice, whose leave has been told
    (void)take_over(from);
    link(connector);
    roster(connector, {}, {{"room", session_id{1}, "alice", 13}});
    EXPECT_TRUE(lost.empty());
    EXPECT_EQ(sent(), (std::vector<kind>{kind::lost_taken}));
}

TEST_F(channels_test, kick_who_has_a_seat_of_a_list_that_was_not_heard_unless_its_channel_comes) {
    link(connector);
    roster(connector, {});
    (void)sent();
    link(connector);
    roster(connector, {{"room", session_id{1}, "ann", 11}});
    ASSERT_EQ(links.casts.size(), 1U);
    EXPECT_EQ(links.casts[0].bytes.back(), '\0') << "she has missed her leave";
    (void)sent();
    rooms.is_owed = true;
    link(connector);
    roster(connector, {{"room", session_id{1}, "ann", 11}, {"comes", session_id{2}, "bob", 12}},
           {{"comes", session_id{3}, "eve", 13}});
    EXPECT_EQ(rooms.taken, (std::vector<std::string>{"eve is lost", "bob"}));
    ASSERT_EQ(links.casts.size(), 1U);
    EXPECT_EQ(links.casts[0].bytes.back(), static_cast<char>(wire::leave_and_kick));
}

// ---- recovery

TEST_F(channels_test, recover_until_every_frontend_has_told_its_roster_or_does_not_run) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    store.begin_recovery({connector.id, other.id, "gate-server-1"});
    link(connector);
    roster(connector, {{"room", session_id{1}, "alice", 11}});
    EXPECT_TRUE(store.is_recovering());
    EXPECT_EQ(store.create("room")->add(ref(connector, 2, "dave")).error().code(),
              errc::recovering);
    store.expect_nothing_of("gate-server-1");
    EXPECT_TRUE(store.is_recovering());
    store.on_dead(other);
    EXPECT_FALSE(store.is_recovering());
    EXPECT_TRUE(store.create("room")->add(ref(connector, 2, "dave")));
    EXPECT_EQ(uids(*store.find("room")), (std::vector<std::string>{"alice", "dave"}));
}

TEST_F(channels_test, announce_who_left_meanwhile_once_when_all_members_are_back) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    store.begin_recovery({connector.id, other.id});
    link(connector);
    roster(connector, {{"room", session_id{1}, "alice", 11}, {"room", session_id{5}, "eve", 15}},
           {{"room", session_id{3}, "carol", 13}, {"room", session_id{2}, "bob", 12}});
    lose(connector, "room", 5);
    EXPECT_TRUE(lost.empty()) << "those of the other frontend would not hear of it";
    (void)sent();
    link(other);
    roster(other, {{"room", session_id{1}, "dave", 14}});
    EXPECT_EQ(lost, (losses{{"room", "bob"}, {"room", "carol"}, {"room", "eve"}}));
    EXPECT_EQ(uids(*store.find("room")), (std::vector<std::string>{"alice", "dave"}));
    EXPECT_EQ(sent(), (std::vector<kind>(3, kind::lost_taken)));
    // The link breaks before the frontend hears so.
    link(connector);
    roster(connector, {{"room", session_id{1}, "alice", 11}},
           {{"room", session_id{2}, "bob", 12}, {"room", session_id{5}, "eve", 15}});
    EXPECT_EQ(lost.size(), 3u);
    EXPECT_EQ(sent(), (std::vector<kind>(2, kind::lost_taken)));
}

TEST_F(channels_test, do_not_announce_who_is_back_by_another_session) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    store.begin_recovery({connector.id, other.id});
    link(connector);
    roster(connector, {}, {{"room", session_id{2}, "bob", 12}});
    link(other);
    roster(other, {{"room", session_id{7}, "bob", 17}});
    EXPECT_TRUE(lost.empty());
    EXPECT_EQ(uids(*store.find("room")), (std::vector<std::string>{"bob"}));
}

TEST_F(channels_test, take_a_uid_back_once_and_have_the_other_session_kicked) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    roster(connector, {{"room", session_id{1}, "alice", 11}});
    (void)sent();
    roster(other, {{"room", session_id{9}, "alice", 12}});
    EXPECT_EQ(uids(*store.find("room")), (std::vector<std::string>{"alice"}));
    ASSERT_EQ(links.casts.size(), 1u);
    EXPECT_EQ(links.casts[0].to, other.id);
    EXPECT_EQ(links.casts[0].bytes,
              wire::encoded(wire::membership{"room", session_id{9}, {}, 0}, wire::leave_and_kick));
}

TEST_F(channels_test, keep_the_order_of_joining_though_the_clock_was_set_back) {
    // The incarnation of this life is 100; the one before had a later date.
    link(connector);
    roster(connector, {{"room", session_id{2}, "bob", 5001}, {"room", session_id{1}, "al", 5000}});
    auto* room = store.find("room");
    ASSERT_TRUE(room->add(ref(connector, 3, "carol")));
    ASSERT_TRUE(room->add(ref(connector, 4, "dave")));
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"al", "bob", "carol", "dave"}));
    // And after a lost link, too: who joined before it and is not in the roster has left.
    link(connector);
    roster(connector, {{"room", session_id{1}, "al", 5000}});
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"al"}));
}

TEST_F(channels_test, in_a_new_life_keep_the_members_and_compare) {
    link(connector);
    roster(connector, {});
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    ASSERT_TRUE(room->add(ref(connector, 2, "bob")));
    ASSERT_TRUE(room->add({"chat-server-1", incarnation{100}, session_id{1}, "own"}));
    to_frontends.live_anew(incarnation{200});
    store.live_anew({"chat-server-1", incarnation{100}});
    store.begin_recovery({connector.id});
    link(connector);
    roster(connector, {{"room", session_id{1}, "alice", 100}},
           {{"room", session_id{2}, "bob", 101}});
    EXPECT_EQ(lost, (losses{{"room", "own"}, {"room", "bob"}}))
        << "those of its own sessions are of the old life";
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"alice"}));
    EXPECT_TRUE(room->add({"chat-server-1", incarnation{200}, session_id{2}, "new"}));
}

TEST_F(channels_test, a_private_push_goes_only_to_members) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    (void)sent();
    const std::vector<session_ref> to{ref(connector, 1, ""), ref(connector, 2, "")};
    ASSERT_TRUE(room->push_to("onChat", "{}", to));
    ASSERT_EQ(links.casts.size(), 1u);
    EXPECT_EQ(links.casts[0].bytes, wire::encode_push("onChat", "{}", std::vector{session_id{1}}));
}

TEST_F(channels_test, a_destroyed_channel_is_taken_from_the_mirrors) {
    link(connector);
    ASSERT_TRUE(store.create("room")->add(ref(connector, 1, "alice")));
    (void)sent();
    store.destroy("room");
    EXPECT_EQ(sent(), (std::vector<kind>{kind::destroy_channel}));
    EXPECT_EQ(store.find("room"), nullptr);
    EXPECT_TRUE(lost.empty());
}

// ---- channels that come from another owner

TEST_F(channels_test, who_is_lost_from_a_channel_that_came_is_taken_out_whoever_has_told) {
    link(connector);
    const std::vector<door::member> both{{ref(connector, 1, "ann"), 11},
                                         {ref(connector, 2, "bob"), 12}};
    const auto gone = take_over({.members = both, .is_told = true, .lost = {{connector, both[1]}}});
    EXPECT_EQ(gone, std::vector<std::string>{"bob"});
    EXPECT_EQ(uids(*store.find("room")), std::vector<std::string>{"ann"});
}

TEST_F(channels_test, who_has_no_seat_in_a_late_list_is_taken_out_unless_it_joined_here) {
    link(connector);
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(other);
    take_over({.members = {{ref(connector, 1, "ann"), 11},
                           {ref(connector, 2, "bob"), 12},
                           {ref(connector, 3, "eve"), 13},
                           {ref(other, 1, "zoe"), 14}},
               .is_told = true});
    ASSERT_TRUE(store.find("room")->add(ref(connector, 4, "dan")));
    const std::vector<std::pair<bus::peer, door::member>> gone_before{
        {connector, {ref(connector, 3, "eve"), 13}}};
    const auto gone = store.take_late(
        connector, "room", {.seats = {{ref(connector, 1, "ann"), 11}}, .lost = gone_before});
    EXPECT_EQ(uids_of(gone), (std::vector<std::string>{"eve", "bob"}));
    EXPECT_EQ(uids(*store.find("room")), (std::vector<std::string>{"ann", "zoe", "dan"}));
}

TEST_F(channels_test, a_loss_in_a_channel_that_has_moved_away_is_left_to_its_new_owner) {
    link(connector);
    for (const auto* name : {"room", "other"}) {
        ASSERT_TRUE(store.create(name)->add(ref(connector, 1, "ann")));
    }
    store.begin_release();
    store.release("room");
    (void)sent();
    lose(connector, "room", 1);
    EXPECT_EQ(sent(), std::vector<kind>{});
    store.begin_release();
    lose(connector, "room", 1);
    EXPECT_EQ(sent(), std::vector<kind>{kind::lost_taken}) << "it moved by an older list";
}

TEST_F(channels_test, members_that_come_stay_though_their_frontend_is_not_reached) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    const bus::peer stranger{"connector-server-3", incarnation{9}};
    for (const auto& each : {connector, other}) {
        link(each);
        roster(each, {});
    }
    links.up.clear();
    store.on_dead(other);
    const auto gone = take_over({.members = {{ref(connector, 1, "ann"), 11},
                                             {ref(other, 1, "bob"), 12},
                                             {ref(stranger, 1, "eve"), 13},
                                             {ref(stranger, 2, "dan"), 14},
                                             {ref({connector.id, incarnation{6}}, 1, "old"), 15}},
                                 .is_told = true});
    EXPECT_EQ(gone, (std::vector<std::string>{"bob", "old"}));
    EXPECT_EQ(uids(*store.find("room")), (std::vector<std::string>{"ann", "eve", "dan"}));
    link(stranger);
    roster(stranger, {}, {{"room", session_id{1}, "eve", 13}});
    EXPECT_EQ(lost, (losses{{"room", "dan"}, {"room", "eve"}}));
    link({connector.id, incarnation{10}});
    EXPECT_EQ(lost.size(), 3U) << "ann was of an earlier life";
    EXPECT_EQ(uids(*store.find("room")), std::vector<std::string>{});
}

TEST_F(channels_test, whose_uid_is_in_a_channel_that_came_is_kicked) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    for (const auto& each : {connector, other}) {
        link(each);
        roster(each, {});
    }
    links.up.erase(other.id);
    take_over({.members = {{ref(connector, 1, "ann"), 11},
                           {ref(connector, 2, "ann"), 12},
                           {ref(other, 3, "ann"), 13}},
               .is_told = true});
    const auto kicked = [](std::uint64_t id, std::uint64_t joined) {
        return wire::encoded(wire::membership{"room", session_id{id}, {}, joined},
                             wire::leave_and_kick);
    };
    ASSERT_EQ(links.casts.size(), 1U);
    EXPECT_EQ(links.casts[0].bytes, kicked(2, 0));
    link(other);
    roster(other, {{"room", session_id{3}, "ann", 13}});
    ASSERT_EQ(links.casts.size(), 2U);
    EXPECT_EQ(links.casts[1].bytes, kicked(3, 13));
}

// ---- who is where

TEST_F(channels_test, find_each_member_whoever_came_and_went) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    auto* room = store.create("room");
    const auto of = [&](std::uint64_t i) {
        return ref(i % 2 != 0 ? connector : other, i / 2, "u" + std::to_string(i));
    };
    std::vector<std::uint64_t> there;
    for (std::uint64_t i = 0; i < 300; ++i) {
        ASSERT_TRUE(room->add(of(i)));
        there.push_back(i);
        if (i % 3 == 2) {
            const auto gone = static_cast<std::ptrdiff_t>((i * 7) % there.size());
            ASSERT_TRUE(room->remove(of(there[static_cast<std::size_t>(gone)])));
            there.erase(there.begin() + gone);
        }
    }
    ASSERT_EQ(room->members().size(), there.size());
    std::size_t place = 0;
    for (std::uint64_t i = 0; i < 300; ++i) {
        const bool is_there = std::find(there.begin(), there.end(), i) != there.end();
        const auto* by_session = room->find(of(i));
        ASSERT_EQ(by_session != nullptr, is_there) << i;
        ASSERT_EQ(room->find(of(i).uid), by_session) << i;
        ASSERT_TRUE(!is_there || by_session == &room->members()[place++]) << "order of joining";
    }
}

TEST_F(channels_test, find_nobody_who_is_not_quite_the_member) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    EXPECT_NE(room->find(ref(connector, 1, "another name")), nullptr) << "the uid is an attribute";
    EXPECT_EQ(room->find(ref(connector, 2, "alice")), nullptr);
    EXPECT_EQ(room->find(ref({connector.id, incarnation{8}}, 1, "alice")), nullptr);
    EXPECT_EQ(room->find(ref({"connector-server-2", connector.life}, 1, "alice")), nullptr);
    // The sum of the two is the same.
    EXPECT_EQ(room->find(ref({connector.id, incarnation{6}}, 2, "alice")), nullptr);
    EXPECT_EQ(room->find(std::string_view("")), nullptr);
}

TEST_F(channels_test, a_member_without_a_uid_is_found_by_its_session_only) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "")));
    ASSERT_TRUE(room->add(ref(connector, 2, ""))) << "no uid is no duplicate";
    EXPECT_EQ(room->find(ref(connector, 2, "")), &room->members()[1]);
    EXPECT_EQ(room->find(std::string_view("")), nullptr);
    EXPECT_TRUE(room->remove(ref(connector, 1, "")));
    EXPECT_EQ(room->find(ref(connector, 2, "")), &room->members()[0]);
}

TEST_F(channels_test, a_member_keeps_the_uid_it_joined_with_when_its_session_is_bound_anew) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    EXPECT_EQ(room->add(ref(connector, 1, "ann")).error().code(), errc::duplicate);
    EXPECT_EQ(room->find(std::string_view("ann")), nullptr);
    EXPECT_EQ(room->add(ref(connector, 2, "alice")).error().code(), errc::duplicate);
    EXPECT_TRUE(room->remove(ref(connector, 1, "ann")));
    EXPECT_EQ(room->find(std::string_view("alice")), nullptr);
    ASSERT_TRUE(room->add(ref(connector, 1, "ann")));
    ASSERT_TRUE(room->add(ref(connector, 2, "alice")));
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"ann", "alice"}));
}

TEST_F(channels_test, who_left_and_joins_again_is_the_last) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    ASSERT_TRUE(room->add(ref(connector, 2, "bob")));
    EXPECT_TRUE(room->remove(ref(connector, 1, "")));
    EXPECT_FALSE(room->remove(ref(connector, 1, "")));
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    EXPECT_EQ(uids(*room), (std::vector<std::string>{"bob", "alice"}));
    EXPECT_EQ(room->find(ref(connector, 1, "")), &room->members()[1]);
}

TEST_F(channels_test, a_member_that_was_lost_may_join_again) {
    link(connector);
    auto* room = store.create("room");
    ASSERT_TRUE(room->add(ref(connector, 1, "alice")));
    ASSERT_TRUE(room->add(ref(connector, 2, "bob")));
    lose(connector, "room", 1);
    EXPECT_EQ(room->find(ref(connector, 1, "")), nullptr);
    EXPECT_EQ(room->find(ref(connector, 2, "")), &room->members()[0]);
    ASSERT_TRUE(room->add(ref(connector, 3, "alice"))) << "her next session";
    EXPECT_EQ(room->find(std::string_view("alice"))->ref.id, session_id{3});
}

TEST_F(channels_test, of_two_members_who_joined_at_one_time_each_goes_alone) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    roster(connector, {{"room", session_id{1}, "alice", 11}, {"room", session_id{2}, "bob", 12}});
    roster(other, {{"room", session_id{1}, "carol", 12}}); // joined when bob has, it says
    auto* room = store.find("room");
    ASSERT_NE(room, nullptr);
    ASSERT_EQ(room->members().size(), 3u);
    EXPECT_EQ(room->find(ref(other, 1, ""))->ref.frontend, other.id);
    EXPECT_EQ(room->find(ref(connector, 2, ""))->ref.uid, "bob");
    EXPECT_TRUE(room->remove(ref(connector, 2, "")));
    ASSERT_NE(room->find(std::string_view("carol")), nullptr);
    EXPECT_EQ(room->find(std::string_view("bob")), nullptr);
    EXPECT_TRUE(room->remove(ref(other, 1, "")));
    EXPECT_EQ(room->find(std::string_view("carol")), nullptr);
    EXPECT_EQ(uids(*room), std::vector<std::string>{"alice"});
}

} // namespace
} // namespace shaddock::server
