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
    line to_frontends{loop.get_executor(), links, {"chat-server-1", incarnation{100}}};
    std::vector<std::pair<std::string, std::string>> lost;
    channel_store store{to_frontends, [this](const std::string& channel, const door::member& gone) {
                            lost.emplace_back(channel, gone.ref.uid);
                        }};
    const bus::peer connector{"connector-server-1", incarnation{7}};

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
    void roster(const bus::peer& frontend, const std::vector<wire::membership>& seats) {
        std::string memberships;
        wire::writer out(memberships);
        for (const auto& each : seats) {
            wire::write(out, each);
        }
        store.on_roster(frontend, wire::encoded(true, memberships));
    }
    std::vector<kind> sent() {
        std::vector<kind> kinds;
        for (const auto& each : std::exchange(links.casts, {})) {
            kinds.push_back(static_cast<kind>(each.kind));
        }
        return kinds;
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
    links.full.insert(other.id);
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
    EXPECT_EQ(sent(), (std::vector<kind>{kind::leave}));
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

TEST_F(channels_test, of_two_members_with_one_uid_from_an_earlier_life_each_goes_alone) {
    const bus::peer other{"connector-server-2", incarnation{8}};
    link(connector);
    link(other);
    roster(connector, {{"room", session_id{1}, "alice", 11}, {"room", session_id{2}, "bob", 12}});
    roster(other, {{"room", session_id{1}, "alice", 12}}); // joined when bob has, it says
    auto* room = store.find("room");
    ASSERT_NE(room, nullptr);
    ASSERT_EQ(room->members().size(), 3u);
    EXPECT_EQ(room->find(ref(other, 1, ""))->ref.frontend, other.id);
    EXPECT_EQ(room->find(ref(connector, 2, ""))->ref.uid, "bob");
    EXPECT_TRUE(room->remove(ref(connector, 1, "")));
    ASSERT_NE(room->find(std::string_view("alice")), nullptr);
    EXPECT_EQ(room->find(std::string_view("alice"))->ref.frontend, other.id);
    EXPECT_EQ(room->find(std::string_view("bob"))->ref.frontend, connector.id);
    EXPECT_TRUE(room->remove(ref(other, 1, "")));
    EXPECT_EQ(room->find(std::string_view("alice")), nullptr);
    EXPECT_EQ(uids(*room), std::vector<std::string>{"bob"});
}

} // namespace
} // namespace shaddock::server
