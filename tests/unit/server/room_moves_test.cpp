#include "room_moves.hpp"

#include "fakes.hpp"
#include "incoming.hpp"
#include "plugin_host.hpp"
#include "protocol/message.hpp"

#include <shaddock/dispatch.hpp>
#include <shaddock/testing/fake_host.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;
using wire::kind;

/// probe-server-2, and what others say to it.
struct room_moves_test : ::testing::Test {
    room_moves_test() {
        living = std::make_shared<generation>(std::make_unique<shaddock::testing::fake_host>(),
                                              "probe", 1);
        calls.use(living);
        options.self = self;
        options.listener = net::listener_options{};
        links.peers = {one, connector};
        for (const auto& each : links.peers) {
            links.up.insert(each.id);
            channels.on_link_up(each);
        }
    }
    ~room_moves_test() override {
        moves.stop();
        calls.cancel_all();
        calls.use(nullptr);
        living->destroy();
    }

    static door::server_info record(std::string id, std::string type) {
        door::server_info made;
        made.id = std::move(id);
        made.type = std::move(type);
        made.is_frontend = made.type == "connector";
        return made;
    }
    /// So many probes, and a connector.
    static cluster::view_ptr view_of(std::uint64_t epoch, int probes,
                                     std::string_view leaving = {}) {
        cluster::view made;
        made.epoch = epoch;
        made.servers.push_back(record("connector-server-1", "connector"));
        for (int n = 1; n <= probes; ++n) {
            made.servers.push_back(record(fmt::format("probe-server-{}", n), "probe"));
            made.servers.back().is_leaving = made.servers.back().id == leaving;
        }
        return std::make_shared<const cluster::view>(std::move(made));
    }
    void know(std::uint64_t epoch, int probes, std::string_view leaving = {}) {
        moves.on_view(view_of(epoch, probes, leaving));
    }
    void say(const bus::peer& from, kind what, std::uint64_t epoch) {
        moves.on_cast(from, what, wire::encoded(epoch));
    }
    /// The owner before tells of a room with one member, or none.
    void tell_state(std::uint64_t epoch, const std::string& room, bool has_ann = true) {
        std::string members;
        wire::writer out(members);
        if (has_ann) {
            wire::write(out, ann);
            out.u64(joined);
        }
        moves.on_cast(one, kind::room_state,
                      wire::encoded(epoch, std::string_view(room), std::string_view(),
                                    std::string_view(members), joined + 1));
    }
    /// The frontend tells that it has that one, or has lost it.
    void tell_seat(std::uint64_t epoch, const std::string& room, bool is_last = true) {
        tell_roster(epoch, is_last, seat_in(room), {});
    }
    void tell_roster(std::uint64_t epoch, bool is_last, std::string_view seats,
                     std::string_view gone) {
        moves.on_cast(connector, kind::moved_roster, wire::encoded(epoch, is_last, seats, gone));
    }
    std::string seat_in(const std::string& room) const {
        return wire::encoded(wire::membership{room, ann.id, ann.uid, joined});
    }
    /// One that is the first's of `before` servers, and ours of `after`.
    static std::string room_of(std::size_t before, std::size_t after) {
        for (int n = 0;; ++n) {
            auto name = fmt::format("room{}", n);
            if (dispatch_index(name, before) == 0 &&
                (before == after || dispatch_index(name, after) == 1)) {
                return name;
            }
        }
    }
    std::size_t members_of(const std::string& room) {
        const auto* found = channels.find(room);
        return found == nullptr ? 0 : found->members().size();
    }
    void pass(base::duration time) {
        for (base::duration gone{}; gone < time; gone += 5ms) {
            clock.advance(5ms);
        }
    }

    const bus::peer one{"probe-server-1", incarnation{1}, wire::staying_version};
    const bus::peer connector{"connector-server-1", incarnation{7}, wire::moves_version};
    const bus::peer self_peer{"probe-server-2", incarnation{100}};
    const session_ref ann{connector.id, connector.life, session_id{1}, "ann"};
    std::uint64_t joined = 11;
    const door::server_info self = record("probe-server-2", "probe");
    boost::asio::io_context loop;
    base::manual_clock clock;
    fake_bus links;
    server_options options;
    outgoing servers{loop.get_executor(), links, {self.id, incarnation{100}}};
    directory list;
    dispatcher calls{loop.get_executor(), clock, 64};
    std::vector<std::string> lost;
    channel_store channels{servers, [this](const std::string&, const door::member& gone) {
                               lost.push_back(gone.ref.uid);
                           }};
    room_moves moves{clock, self, servers, list, calls, channels, nullptr};
    fake_registry registry;
    list_catch_up catch_up{clock, servers, registry, {}};
    std::shared_ptr<generation> living;
};

TEST_F(room_moves_test, a_room_of_the_next_list_waits_for_that) {
    const auto room = room_of(2, 3);
    know(1, 1);
    know(2, 2);
    say(connector, kind::rooms_told, 2);
    tell_state(3, room);
    pass(450ms);
    EXPECT_EQ(channels.find(room), nullptr);
    know(3, 3);
    pass(100ms);
    say(one, kind::rooms_released, 3);
    tell_seat(3, room);
    say(connector, kind::rooms_told, 3);
    pass(450ms);
    EXPECT_EQ(members_of(room), 1U);
    EXPECT_TRUE(lost.empty());
}

TEST_F(room_moves_test, a_list_that_begins_in_time_and_ends_late_counts_whole) {
    const auto room = room_of(1, 2);
    know(1, 1);
    know(2, 2);
    tell_state(2, room);
    tell_seat(2, room, false);
    pass(450ms);
    EXPECT_EQ(members_of(room), 1U);
    tell_roster(2, true, {}, {});
    EXPECT_EQ(members_of(room), 1U);
    EXPECT_TRUE(lost.empty());
}

TEST_F(room_moves_test, who_is_lost_by_a_late_list_is_taken_out_and_announced) {
    const auto room = room_of(1, 2);
    know(1, 1);
    know(2, 2);
    tell_state(2, room);
    pass(450ms);
    EXPECT_EQ(members_of(room), 1U);
    tell_roster(2, true, {}, seat_in(room));
    EXPECT_EQ(members_of(room), 0U);
    EXPECT_EQ(lost, std::vector<std::string>{"ann"});
}

TEST_F(room_moves_test, who_stood_still_waits_anew_for_what_others_have_said_meanwhile) {
    const auto room = room_of(1, 2);
    know(1, 1);
    know(2, 2);
    clock.stand_still(2s);
    clock.advance(5ms); // its timer is due before it reads
    tell_state(2, room);
    EXPECT_EQ(members_of(room), 0U);
    pass(350ms);
    EXPECT_EQ(members_of(room), 0U);
    pass(100ms);
    EXPECT_EQ(members_of(room), 1U);
}

TEST_F(room_moves_test, who_links_while_rooms_move_has_told_nobody_and_kept_nothing_back) {
    incoming port(clock, 10s, list, calls, channels, moves, catch_up, nullptr);
    know(1, 1);
    know(2, 2);
    EXPECT_TRUE(moves.is_early(connector.id, 2, false)) << "it has linked after it had the list";
    say(connector, kind::list_known, 2);
    EXPECT_FALSE(moves.is_early(connector.id, 2, false)) << "it keeps back what is for these rooms";
    port.on_link_up(connector); // without a link it did not wait for this server
    EXPECT_TRUE(moves.is_early(connector.id, 2, false));
    say(one, kind::rooms_released, 2);
    pass(450ms);
    EXPECT_FALSE(moves.is_early(connector.id, 2, false));
}

TEST_F(room_moves_test, nobody_is_taken_out_by_the_last_words_of_a_link_that_has_ended) {
    incoming port(clock, 10s, list, calls, channels, moves, catch_up, nullptr);
    const auto room = room_of(1, 2);
    know(1, 1);
    know(2, 2);
    tell_state(2, room);
    pass(600ms);
    const auto gone = seat_in(room);
    bus::envelope_view what{static_cast<std::uint8_t>(kind::member_lost), gone, true, true};
    port.on_cast(connector, what);
    EXPECT_EQ(members_of(room), 1U) << "the others' links may have ended too: nobody would hear it";
    what.is_last_word = false;
    port.on_cast(connector, what);
    EXPECT_EQ(members_of(room), 0U);
    EXPECT_EQ(lost, std::vector<std::string>{"ann"});
}

TEST_F(room_moves_test, who_is_lost_while_the_room_is_on_its_way_does_not_come_with_it) {
    const auto room = room_of(1, 2);
    know(1, 1);
    know(2, 2);
    EXPECT_FALSE(moves.keeps_lost(connector, seat_in(room)));
    tell_state(2, room);
    tell_seat(2, room);
    EXPECT_TRUE(moves.keeps_lost(connector, seat_in(room)));
    say(one, kind::rooms_released, 2);
    say(connector, kind::rooms_told, 2);
    EXPECT_EQ(members_of(room), 0U);
    EXPECT_EQ(lost, std::vector<std::string>{"ann"});
}

TEST_F(room_moves_test, who_left_before_the_room_moved_is_not_announced_again_by_a_late_list) {
    const auto room = room_of(1, 2);
    know(1, 1);
    know(2, 2);
    joined = 500;               // as the owner before counts, whose life is a later one than ours
    tell_state(2, room, false); // her leave has been told
    pass(450ms);
    tell_roster(2, true, {}, seat_in(room));
    EXPECT_EQ(lost, std::vector<std::string>{}) << "only its acknowledgement has not come";
    EXPECT_EQ(links.casts.back().kind, static_cast<std::uint8_t>(kind::lost_taken));
}

TEST_F(room_moves_test, a_request_by_a_list_that_is_not_known_waits_for_that_for_a_second) {
    know(1, 1);
    int served = 0;
    say(connector, kind::list_known, 2);
    ASSERT_TRUE(moves.is_early(connector.id, 2, false));
    moves.keep_request(connector.id, 2, false, 100, [&] { ++served; });
    EXPECT_EQ(served, 0);
    know(2, 2);
    EXPECT_EQ(served, 1);
    ASSERT_TRUE(moves.is_early(connector.id, 3, false));
    moves.keep_request(connector.id, 3, false, 100, [&] { ++served; });
    pass(900ms);
    EXPECT_EQ(served, 1);
    pass(200ms);
    EXPECT_EQ(served, 2);
}

TEST_F(room_moves_test, a_request_waits_for_rooms_only_of_who_had_moved_them_before_this_server) {
    know(1, 1);
    know(2, 2);
    const bus::peer other{"connector-server-2", incarnation{8}, wire::moves_version};
    say(connector, kind::list_known, 2);
    say(connector, kind::rooms_told, 2);
    EXPECT_FALSE(moves.is_early(connector.id, 2, false)) << "it keeps back what is for these rooms";
    pass(600ms);
    say(other, kind::list_known, 3);
    say(connector, kind::list_known, 3);
    say(connector, kind::rooms_told, 3); // this server has stood still
    know(3, 3);
    ASSERT_TRUE(moves.is_early(connector.id, 3, false));
    EXPECT_FALSE(moves.is_early(other.id, 3, false));
    bool is_served = false;
    moves.keep_request(connector.id, 3, false, 100, [&] { is_served = true; });
    EXPECT_FALSE(is_served);
    say(one, kind::rooms_released, 3);
    say(self_peer, kind::rooms_released, 3);
    EXPECT_TRUE(is_served);
}

TEST_F(room_moves_test, a_kept_request_whose_time_is_over_does_not_run) {
    incoming port(clock, 10s, list, calls, channels, moves, catch_up, nullptr);
    know(1, 1);
    say(connector, kind::list_known, 2);
    std::vector<errc> answers;
    const auto ask = [&](base::duration patience) {
        const auto request = wire::encode("probe.probeHandler.ask", {}, 0, nullptr, "", "", 2);
        port.on_call(connector, {static_cast<std::uint8_t>(kind::client_request), request},
                     bus::responder(clock.now() + patience, [&](const result<std::string>& answer) {
                         answers.push_back(answer.error().code());
                     }));
    };
    ask(500ms);
    ask(5s);
    pass(900ms);
    EXPECT_TRUE(answers.empty());
    know(2, 2);
    EXPECT_EQ(answers, (std::vector<errc>{errc::timeout, errc::unknown_route}));
}

TEST_F(room_moves_test, a_kept_request_does_not_run_where_others_may_own_the_rooms_by_now) {
    incoming port(clock, 10s, list, calls, channels, moves, catch_up, nullptr);
    know(1, 1);
    say(connector, kind::list_known, 2);
    std::optional<errc> answer;
    const auto request = wire::encode("probe.probeHandler.ask", {}, 0, nullptr, "", "", 2);
    port.on_call(connector, {static_cast<std::uint8_t>(kind::client_request), request},
                 bus::responder(clock.now() + 5s, [&](const result<std::string>& said) {
                     answer = said.error().code();
                 }));
    EXPECT_FALSE(answer);
    channels.fence_if([] { return true; });
    know(2, 2);
    EXPECT_EQ(answer, errc::no_server);
}

TEST_F(room_moves_test, a_roster_tells_seats_that_were_told_while_this_server_stood_still) {
    const auto room = room_of(1, 2);
    const door::member seat{ann, joined};
    know(1, 1);
    EXPECT_FALSE(moves.owes_seats(connector.id, 0));
    EXPECT_TRUE(moves.owes_seats(connector.id, 2)) << "that list has not come here";
    EXPECT_TRUE(moves.take_seat(2, room, connector, seat, false));
    EXPECT_FALSE(moves.take_seat(1, room, connector, seat, false)) << "that list has settled";
    know(2, 2);
    pass(600ms);
    EXPECT_EQ(members_of(room), 1U);
    know(3, 3);
    EXPECT_TRUE(moves.owes_seats(connector.id, 2));
    EXPECT_FALSE(moves.take_seat(3, room, connector, seat, false)) << "it was here before";
    say(connector, kind::rooms_told, 3);
    EXPECT_FALSE(moves.owes_seats(connector.id, 3));
}

/// This server has stood still, or nothing was to be done.
struct old_requests_test : room_moves_test {
    void ask(std::uint64_t epoch, bool may_be_old = true) {
        const auto request = wire::encode("probe.probeHandler.ask", {}, 0, nullptr, "", "", epoch);
        port.on_call(asks, {static_cast<std::uint8_t>(kind::client_request), request, may_be_old},
                     bus::responder(clock.now() + 5s, [&](const result<std::string>& answer) {
                         answers.push_back(answer.error().code());
                     }));
    }
    void tell(kind what, std::uint64_t epoch) {
        const auto bytes = wire::encoded(epoch);
        port.on_cast(asks, {static_cast<std::uint8_t>(what), bytes, true});
    }

    const bus::peer asks{connector.id, connector.life, wire::outdated_version};
    incoming port{clock, 10s, list, calls, channels, moves, catch_up, nullptr};
    std::vector<errc> answers;
    // What is served has no such route.
    const std::vector<errc> served{errc::unknown_route};
};

TEST_F(old_requests_test, wait_for_the_rest_of_what_their_sender_has_said) {
    know(1, 1);
    ask(1);
    EXPECT_TRUE(answers.empty());
    port.on_read_up(one);
    EXPECT_TRUE(answers.empty());
    port.on_read_up(asks);
    EXPECT_EQ(answers, served);
    ask(1, false);
    EXPECT_EQ(answers.size(), 2U) << "it has come just now";
}

TEST_F(old_requests_test, are_refused_when_their_sender_has_gone_on_by_a_later_list) {
    know(1, 1);
    ask(1);
    tell(kind::list_known, 2);
    tell(kind::rooms_told, 2);
    port.on_read_up(asks);
    EXPECT_TRUE(answers.empty()) << "this server has not heard of that list yet";
    know(2, 2);
    EXPECT_EQ(answers, std::vector<errc>{wire::outdated});
}

TEST_F(old_requests_test, are_refused_when_the_later_list_does_not_come_in_time) {
    know(1, 2);
    pass(600ms);
    ask(1);
    tell(kind::rooms_told, 2);
    port.on_read_up(asks);
    pass(2s);
    EXPECT_EQ(answers, std::vector<errc>{wire::outdated});
}

TEST_F(old_requests_test, are_served_in_order_where_the_later_list_does_not_concern_this_server) {
    know(1, 2);
    pass(600ms);
    ask(1);
    tell(kind::rooms_told, 2);
    ask(2);
    port.on_read_up(asks);
    EXPECT_TRUE(answers.empty());
    know(2, 2);
    EXPECT_EQ(answers, (std::vector<errc>{errc::unknown_route, errc::unknown_route}));
}

TEST_F(old_requests_test, are_served_while_their_sender_waits_for_this_server) {
    know(1, 1);
    ask(1);
    tell(kind::list_known, 2);
    port.on_read_up(asks);
    EXPECT_EQ(answers, served);
}

TEST_F(old_requests_test, wait_for_their_rooms_where_their_sender_has_told_of_those) {
    know(1, 1);
    know(2, 2);
    tell(kind::rooms_told, 2);
    ask(2);
    port.on_read_up(asks);
    EXPECT_TRUE(answers.empty());
    say(one, kind::rooms_released, 2);
    say(self_peer, kind::rooms_released, 2);
    EXPECT_EQ(answers, served);
}

TEST_F(old_requests_test, do_not_run_when_the_link_ends) {
    know(1, 1);
    ask(1);
    ask(2);
    port.on_link_down(asks, bus::link_end::lost);
    port.on_read_up(asks);
    EXPECT_EQ(answers, (std::vector<errc>(2, errc::internal))) << "nobody is there to take it";
}

TEST_F(old_requests_test, run_some_in_a_turn_and_in_order) {
    know(1, 1);
    constexpr std::size_t count = 600;
    for (std::size_t n = 0; n < count; ++n) {
        ask(1);
    }
    port.on_read_up(asks);
    EXPECT_LT(answers.size(), count);
    const auto before = answers.size();
    ask(1, false);
    EXPECT_EQ(answers.size(), before) << "it comes behind those that have waited";
    pass(10ms);
    EXPECT_EQ(answers.size(), count + 1);
}

TEST_F(room_moves_test, who_is_refused_when_a_list_settles_may_ask_again_at_once) {
    std::vector<std::string> said;
    const directory::target ours{"probe-server-2", true};
    const auto ask_twice = [&] {
        list.when_open(ours, [&](const error* why, const std::string&) {
            said.emplace_back(why != nullptr ? shaddock::to_string(why->code()) : "goes");
            list.when_open(ours, [&](const error* still, const std::string&) {
                said.emplace_back(still != nullptr ? shaddock::to_string(still->code()) : "goes");
            });
        });
    };
    know(1, 1);
    know(2, 2);
    ask_twice();
    pass(600ms);
    EXPECT_EQ(said, (std::vector<std::string>{"recovering", "goes"}));
    said.clear();
    know(3, 3);
    ask_twice();
    EXPECT_TRUE(said.empty());
    moves.stop();
    EXPECT_EQ(said, (std::vector<std::string>{"cancelled", "goes"}));
    EXPECT_EQ(list.waiting(), 0U);
}

/// probe-server-1 has a room that falls to this server, and says nothing of it.
struct silent_owner_test : room_moves_test {
    silent_owner_test() {
        moves.ask_who_may_own([this](std::string_view id) { return may_own.contains(id); });
        channels.fence_rooms_if([this](auto name) { return moves.is_others_still(name); });
        know(1, 1);
        know(2, 2);
        tell_seat(2, room);
        say(connector, kind::rooms_told, 2);
    }
    bool serves(const std::string& name) {
        links.casts.clear();
        return (channels.find(name) != nullptr ? channels.find(name) : channels.create(name))
            ->push("onChat", "{}")
            .has_value();
    }
    bool lets_in(const std::string& name) {
        return channels.find(name)
            ->add({connector.id, connector.life, session_id{5}, "bob"})
            .has_value();
    }

    std::set<std::string, std::less<>> may_own{one.id};
    const std::string room = room_of(1, 2);
};

TEST_F(silent_owner_test, serves_its_rooms_alone_until_it_says_that_it_gave_them_away) {
    pass(600ms);
    EXPECT_EQ(members_of(room), 0U);
    EXPECT_FALSE(serves(room));
    EXPECT_FALSE(lets_in(room));
    pass(5s);
    EXPECT_FALSE(serves(room));
    say(one, kind::rooms_released, 2);
    EXPECT_EQ(members_of(room), 1U);
    EXPECT_TRUE(serves(room));
    EXPECT_TRUE(lets_in(room));
}

TEST_F(silent_owner_test, serves_them_no_longer_than_it_may) {
    pass(5s);
    EXPECT_FALSE(serves(room));
    may_own.clear();
    pass(100ms);
    EXPECT_TRUE(serves(room));
    EXPECT_EQ(members_of(room), 1U);
}

TEST_F(silent_owner_test, tells_of_its_rooms_also_late) {
    pass(600ms);
    tell_state(2, room);
    EXPECT_FALSE(serves(room));
    say(one, kind::rooms_released, 2);
    EXPECT_EQ(members_of(room), 1U);
    EXPECT_TRUE(serves(room));
    EXPECT_TRUE(lost.empty());
}

TEST_F(silent_owner_test, has_members_who_leave_meanwhile) {
    pass(600ms);
    EXPECT_TRUE(moves.keeps_lost(connector, seat_in(room)));
    tell_state(2, room); // it has not heard of that
    say(one, kind::rooms_released, 2);
    EXPECT_EQ(members_of(room), 0U);
    EXPECT_EQ(lost, std::vector<std::string>{"ann"});
}

TEST_F(silent_owner_test, has_members_of_whom_a_frontend_tells_late) {
    pass(600ms);
    joined = 12;
    tell_roster(2, true, wire::encoded(wire::membership{room, session_id{2}, "bob", joined}), {});
    say(one, kind::rooms_released, 2);
    EXPECT_EQ(members_of(room), 2U);
}

/// By its name it was and is others'; this server has made it all the same.
TEST_F(silent_owner_test, has_no_rooms_that_do_not_move) {
    pass(600ms);
    std::string lobby;
    for (int n = 0; lobby.empty(); ++n) {
        auto name = fmt::format("lobby{}", n);
        if (dispatch_index(name, 2) == 0) {
            lobby = std::move(name);
        }
    }
    EXPECT_TRUE(serves(lobby));
}

TEST_F(silent_owner_test, is_known_to_a_guest_by_the_time_it_comes_into_the_list) {
    moves.stop();
    room_moves guest(clock, self, servers, list, calls, channels, nullptr);
    guest.ask_who_may_own([](std::string_view id) { return id == "probe-server-1"; });
    guest.on_view(view_of(10, 1));
    pass(600ms);
    // The first server's rooms go to the third, then to this one.
    const auto with_third = [this](std::uint64_t epoch, bool has_self) {
        cluster::view made{.epoch = epoch, .servers = {record("probe-server-1", "probe")}};
        if (has_self) {
            made.servers.push_back(self);
        }
        made.servers.push_back(record("probe-server-3", "probe"));
        return std::make_shared<const cluster::view>(std::move(made));
    };
    guest.on_view(with_third(11, false));
    pass(600ms);
    guest.on_cast({"probe-server-3", incarnation{3}}, kind::rooms_released,
                  wire::encoded(std::uint64_t{12}));
    guest.on_view(with_third(12, true));
    pass(600ms);
    std::string was_its_own; // the first's by list 10, the third's by 11, this one's by 12
    for (int n = 0; was_its_own.empty(); ++n) {
        auto name = fmt::format("r{}", n);
        if (dispatch_index(name, 2) == 1 && dispatch_index(name, 3) == 1) {
            was_its_own = std::move(name);
        }
    }
    EXPECT_TRUE(guest.is_others_still(was_its_own));
    guest.on_cast(one, kind::rooms_released, wire::encoded(std::uint64_t{12}));
    EXPECT_FALSE(guest.is_others_still(was_its_own));
    guest.stop();
}

TEST_F(silent_owner_test, keeps_only_its_own_rooms_through_a_later_list) {
    pass(600ms);
    std::string ours; // by the second list and the third
    for (int n = 0; ours.empty(); ++n) {
        auto name = fmt::format("r{}", n);
        if (dispatch_index(name, 2) == 1 && dispatch_index(name, 3) == 1) {
            ours = std::move(name);
        }
    }
    know(3, 3);
    pass(600ms);
    EXPECT_FALSE(serves(ours)) << "the first server has had all of them by the first list";
    say(one, kind::rooms_released, 3);
    EXPECT_TRUE(serves(ours));
}

TEST_F(room_moves_test, an_owner_that_told_in_time_is_not_asked_about) {
    moves.ask_who_may_own([](std::string_view id) {
        ADD_FAILURE() << id;
        return true;
    });
    know(1, 1);
    know(2, 2);
    say(one, kind::rooms_released, 2);
    say(connector, kind::rooms_told, 2);
    pass(600ms);
    EXPECT_FALSE(moves.is_others_still(room_of(1, 2)));
}

TEST_F(room_moves_test, who_links_is_told_of_the_last_list_by_which_rooms_were_given_away) {
    know(4, 2);
    links.casts.clear();
    moves.on_link_up(one);
    ASSERT_EQ(links.casts.size(), 2U);
    EXPECT_EQ(static_cast<kind>(links.casts[0].kind), kind::rooms_released);
    EXPECT_EQ(links.casts[0].bytes, wire::encoded(std::uint64_t{4}));
    EXPECT_EQ(static_cast<kind>(links.casts[1].kind), kind::rooms_ready);
    EXPECT_EQ(links.casts[1].bytes, wire::encoded(std::uint64_t{4}));
}

TEST_F(room_moves_test, a_list_that_takes_no_rooms_from_it_lets_others_know_all_the_same) {
    know(1, 2);
    pass(600ms);
    links.casts.clear();
    auto now = *view_of(2, 2);
    now.servers.push_back(record("connector-server-2", "connector"));
    moves.on_view(std::make_shared<const cluster::view>(std::move(now)));
    pass(600ms);
    const auto said = std::ranges::count_if(links.casts, [&](const auto& each) {
        return each.to == one.id && static_cast<kind>(each.kind) == kind::rooms_released &&
               each.bytes == wire::encoded(std::uint64_t{2});
    });
    EXPECT_EQ(said, 1);
}

TEST_F(room_moves_test, what_goes_to_a_server_that_is_only_met_with_the_list_waits_for_its_link) {
    std::vector<std::string> said;
    const bus::peer three{"probe-server-3", incarnation{3}, wire::staying_version};
    const auto ask = [&] {
        list.when_open({three.id, true}, [&](const error* why, const std::string&) {
            said.emplace_back(why != nullptr ? shaddock::to_string(why->code()) : "goes");
        });
    };
    know(1, 2);
    pass(600ms);
    know(2, 3);
    ask();
    pass(100ms);
    EXPECT_TRUE(said.empty());
    links.peers.push_back(three);
    links.up.insert(three.id);
    moves.on_link_up(three);
    pass(50ms);
    EXPECT_TRUE(said.empty()) << "its rooms are not there yet";
    say(three, kind::rooms_ready, 2);
    EXPECT_EQ(said, std::vector<std::string>{"goes"});
}

TEST_F(room_moves_test, what_goes_to_a_new_server_that_does_not_run_does_not_wait) {
    std::vector<std::string> said;
    know(1, 2);
    pass(600ms);
    know(2, 3);
    list.when_open({"probe-server-3", true}, [&](const error* why, const std::string&) {
        said.emplace_back(why != nullptr ? shaddock::to_string(why->code()) : "goes");
    });
    pass(50ms);
    EXPECT_TRUE(said.empty());
    moves.on_absent("probe-server-3");
    pass(10ms);
    EXPECT_EQ(said, std::vector<std::string>{"goes"}) << "the call finds out that it is down";
}

/// Notes how its call ended.
struct noted_end final : door::completion {
    explicit noted_end(std::vector<errc>& all) : ends(all) {}
    void done(result<door::body> outcome) noexcept override {
        ends.push_back(outcome ? errc{} : outcome.error().code());
    }
    std::vector<errc>& ends;
};

TEST_F(room_moves_test, a_call_that_may_not_go_ends_by_post) {
    std::map<std::string, std::string, std::less<>> settings;
    plugin_host plugin(
        {loop.get_executor(), clock, options, servers, list, calls, channels, nullptr, settings});
    std::vector<errc> ends;
    const auto room = room_of(2, 2);
    know(1, 2, one.id); // it has not told what stays
    pass(600ms);
    door::call_target to;
    to.param.text = room;
    plugin.call("probe.probeRemote.ask", 0, to, "[]", std::make_unique<noted_end>(ends));
    EXPECT_TRUE(ends.empty());
    loop.poll();
    EXPECT_EQ(ends, std::vector<errc>{errc::recovering});
    plugin.stop();
    plugin.discard();
}

TEST_F(room_moves_test, what_comes_before_its_list_waits_for_a_second_at_most) {
    frontend clients(loop.get_executor(), clock, options, servers, list, calls);
    room_moves with_clients(clock, self, servers, list, calls, channels, &clients);
    with_clients.on_cast(one, kind::rooms_ready, wire::encoded(std::uint64_t{5}));
    EXPECT_TRUE(with_clients.keeps(one, kind::lost_taken, ""));
    pass(900ms);
    EXPECT_TRUE(with_clients.keeps(one, kind::lost_taken, ""));
    pass(200ms);
    EXPECT_FALSE(with_clients.keeps(one, kind::lost_taken, ""));
}

TEST_F(room_moves_test, each_list_that_others_know_is_waited_for_for_a_second) {
    frontend clients(loop.get_executor(), clock, options, servers, list, calls);
    room_moves with_clients(clock, self, servers, list, calls, channels, &clients);
    fake_connection link(1);
    link.agreed = std::make_shared<const agreement>();
    clients.on_ready(link);
    const auto ask = [&] {
        std::string message;
        (void)protocol::append_message(message, {.type = protocol::message_type::request,
                                                 .id = 1,
                                                 .route = "connector.entryHandler.enter",
                                                 .body = "{}"});
        EXPECT_TRUE(clients.on_data(link, message));
        return list.waiting();
    };
    with_clients.on_view(view_of(1, 1));
    with_clients.on_cast(connector, kind::list_known, wire::encoded(std::uint64_t{2}));
    EXPECT_EQ(ask(), 1U);
    pass(900ms);
    with_clients.on_view(view_of(2, 1));
    EXPECT_EQ(list.waiting(), 0U);
    with_clients.on_cast(connector, kind::list_known, wire::encoded(std::uint64_t{3}));
    EXPECT_EQ(ask(), 1U);
    pass(900ms);
    EXPECT_EQ(list.waiting(), 1U);
    pass(200ms);
    EXPECT_EQ(list.waiting(), 0U);
    with_clients.stop();
    clients.on_closed(link, "over");
}

TEST_F(room_moves_test, what_comes_before_its_list_counts_when_the_server_stops) {
    frontend clients(loop.get_executor(), clock, options, servers, list, calls);
    room_moves with_clients(clock, self, servers, list, calls, channels, &clients);
    fake_connection link(1);
    const auto& seat = clients.sessions().open(link);
    with_clients.on_cast(one, kind::rooms_ready, wire::encoded(std::uint64_t{5}));
    EXPECT_TRUE(with_clients.keeps(
        one, kind::join,
        wire::encoded(wire::membership{"hall", seat.id(), "ann", 11}, std::uint64_t{5})));
    with_clients.stop();
    clients.send_roster(one, [](const auto&) { return false; });
    EXPECT_NE(links.casts.back().bytes.find("hall"), std::string::npos);
}

TEST_F(room_moves_test, what_stays_is_of_the_list_that_is_known_though_one_between_was_skipped) {
    const auto old = room_of(2, 2);
    const auto fresh = old + "'";
    const auto tell = [&](const bus::peer& from, std::uint64_t epoch, const std::string& room) {
        std::string names;
        wire::writer(names).text(room);
        moves.on_cast(from, kind::rooms_staying, wire::encoded(epoch, true, names));
    };
    const auto stays = [&] { return *list.leaving(one.id)->stays; };
    know(1, 2);
    pass(600ms);
    know(2, 2, one.id);
    tell(one, 2, old);
    pass(600ms);
    EXPECT_EQ(stays(), room_names{old});
    // It was taken back, and leaves again: told after that list has come, or before.
    know(4, 2, one.id);
    tell(one, 4, fresh);
    pass(600ms);
    EXPECT_EQ(stays(), room_names{fresh});
    tell(one, 6, old);
    know(6, 2, one.id);
    pass(600ms);
    EXPECT_EQ(stays(), room_names{old});
    // It has crashed while it leaves: what has not come back stays no more, and nothing else does.
    auto anew = one;
    anew.life = incarnation{2};
    tell(anew, 6, fresh);
    EXPECT_EQ(stays(), room_names{});
}

TEST_F(room_moves_test, what_stays_is_told_to_nobody_whose_build_does_not_know_of_it) {
    know(1, 2);
    pass(600ms);
    know(2, 2, self.id);
    say(self_peer, kind::list_known, 2);
    say(one, kind::list_known, 2);
    say(connector, kind::list_known, 2);
    pass(300ms);
    ASSERT_NE(list.leaving(self.id)->stays, nullptr);
    std::vector<std::string> told;
    for (const auto& each : links.casts) {
        if (each.kind == static_cast<std::uint8_t>(kind::rooms_staying)) {
            told.push_back(each.to);
        }
    }
    EXPECT_EQ(told, std::vector<std::string>{one.id});
}

TEST_F(room_moves_test, what_stays_is_told_anew_by_one_that_has_skipped_a_list) {
    const auto told = [&] {
        const auto all = std::exchange(links.casts, {});
        return std::ranges::count(all, static_cast<std::uint8_t>(kind::rooms_staying),
                                  &fake_bus::cast_record::kind);
    };
    links.peers = {one};
    know(1, 2);
    pass(600ms);
    know(2, 2, self.id);
    pass(600ms);
    EXPECT_EQ(told(), 1);
    know(3, 3, self.id);
    pass(600ms);
    EXPECT_EQ(told(), 0) << "that is another server's business";
    know(5, 3, self.id); // which may have been taken back meanwhile
    pass(600ms);
    EXPECT_EQ(told(), 1);
    EXPECT_NE(list.leaving(self.id)->stays, nullptr);
}

TEST_F(room_moves_test, nobody_joins_here_what_stays_with_a_server_that_is_down) {
    channels.refuse_if([this](std::string_view room) { return moves.is_anothers(room); });
    std::string names;
    wire::writer(names).text("hall");
    wire::writer(names).text("lobby");
    know(1, 2);
    pass(600ms);
    know(2, 2, one.id);
    moves.on_cast(one, kind::rooms_staying, wire::encoded(std::uint64_t{2}, true, names));
    pass(600ms);
    const session_ref bob{connector.id, connector.life, session_id{2}, "bob"};
    auto& lobby = *channels.create("lobby"); // each server has one of its own, by no list
    EXPECT_TRUE(lobby.add(ann));
    links.up.erase(one.id);
    links.peers = {connector};
    EXPECT_EQ(channels.create("hall")->add(ann).error().code(), errc::recovering);
    EXPECT_TRUE(channels.create("other")->add(ann));
    EXPECT_TRUE(lobby.add(bob));
    links.up.insert(one.id);
    EXPECT_TRUE(channels.create("hall")->add(ann)) << "whoever sends here may ask that one, too";
}

TEST_F(room_moves_test, rooms_that_stay_are_known_also_when_they_come_before_their_list) {
    know(1, 2);
    pass(600ms);
    const auto room = room_of(2, 2);
    std::string names;
    wire::writer(names).text(room);
    moves.on_cast(one, kind::rooms_staying, wire::encoded(std::uint64_t{2}, false, names));
    moves.on_cast(one, kind::rooms_staying, wire::encoded(std::uint64_t{2}, true, std::string()));
    know(2, 2, one.id);
    ASSERT_NE(list.leaving(one.id), nullptr);
    EXPECT_TRUE(list.leaving(one.id)->stays->contains(room));
    // Taken back, and leaving again: what was told then counts no more.
    pass(600ms);
    know(3, 2);
    pass(600ms);
    know(4, 2, one.id);
    ASSERT_NE(list.leaving(one.id), nullptr);
    EXPECT_EQ(list.leaving(one.id)->stays, nullptr);
}

TEST_F(room_moves_test, a_join_by_an_older_list_is_taken_of_nobody_but_the_owner_by_the_newest) {
    frontend clients(loop.get_executor(), clock, options, servers, list, calls);
    fake_connection link(1);
    const auto& seat = clients.sessions().open(link);
    know(1, 1);
    know(2, 2);
    pass(600ms);
    clients.set_epoch(2);
    const auto join = [&](const std::string& room, std::uint64_t epoch) {
        links.casts.clear();
        clients.on_cast(one, kind::join,
                        wire::encoded(wire::membership{room, seat.id(), "ann", 11}, epoch));
    };
    const auto is_taken = [&](const std::string& room) {
        links.casts.clear();
        clients.send_roster(one, [](const auto&) { return false; });
        return std::ranges::any_of(links.casts, [&](const auto& cast) {
            return cast.bytes.find(room) != std::string::npos;
        });
    };
    const auto moved = room_of(1, 2);
    join(moved, 1);
    ASSERT_EQ(links.casts.size(), 1U) << "the owner before is told";
    EXPECT_EQ(links.casts[0].to, one.id);
    EXPECT_EQ(links.casts[0].kind, static_cast<std::uint8_t>(kind::member_lost));
    EXPECT_EQ(links.casts[0].bytes, wire::encoded(wire::membership{moved, seat.id(), "ann", 11}));
    EXPECT_FALSE(is_taken(moved));
    // By the newest list, which has reached that one before this.
    join(moved, 3);
    EXPECT_TRUE(is_taken(moved));
    // It is its own by every list.
    std::string own = "a";
    for (; dispatch_index(own, 2) != 0; own += "a") {
    }
    join(own, 1);
    EXPECT_TRUE(links.casts.empty());
    EXPECT_TRUE(is_taken(own));
}

TEST_F(room_moves_test, a_late_leave_of_the_owner_before_takes_the_seat_that_came_from_it_alone) {
    frontend clients(loop.get_executor(), clock, options, servers, list, calls);
    fake_connection link(1);
    const auto& seat = clients.sessions().open(link);
    const bus::peer three{"probe-server-3", incarnation{3}};
    std::string room = "a";
    while (dispatch_index(room, 2) != 0 || dispatch_index(room, 3) != 2) {
        room += "a";
    }
    const auto send = [&](const bus::peer& from, kind what, std::string_view uid,
                          std::uint64_t joined_then) {
        links.casts.clear();
        clients.on_cast(from, what,
                        wire::encoded(wire::membership{room, seat.id(), uid, joined_then}));
    };
    know(1, 2);
    send(one, kind::join, "ann", 11);
    know(2, 3);
    clients.move_rooms(one.id, 2, [&](const std::string&) { return &three.id; });
    send(one, kind::leave, "", 11);
    ASSERT_EQ(links.casts.size(), 1U);
    EXPECT_EQ(links.casts[0].to, three.id);
    EXPECT_EQ(links.casts[0].bytes, wire::encoded(wire::membership{room, seat.id(), "ann", 11}));
    send(three, kind::join, "ann", 50);
    send(one, kind::leave, "", 11);
    EXPECT_TRUE(links.casts.empty()) << "it has come back there meanwhile";
    send(three, kind::lost_taken, "", 0);
    clients.send_roster(three, [](const auto&) { return false; });
    EXPECT_NE(links.casts.back().bytes.find("ann"), std::string::npos) << "it keeps that seat";
}

TEST_F(room_moves_test, a_request_by_an_older_list_is_refused_by_the_owner_before) {
    incoming port(clock, 10s, list, calls, channels, moves, catch_up, nullptr);
    for (const int probes : {2, 3}) {
        cluster::view made;
        made.epoch = list.epoch() + 1;
        made.is_numbered = true;
        for (int n = 1; n <= probes; ++n) {
            made.servers.push_back(record(fmt::format("probe-server-{}", n), "probe"));
        }
        moves.on_view(std::make_shared<cluster::view>(std::move(made)));
        pass(600ms);
    }
    const auto ask = [&](std::uint64_t epoch, std::uint16_t version = wire::outdated_version) {
        error why;
        const auto request = wire::encode("probe.probeHandler.ask", {}, 0, nullptr, "", "", epoch);
        const bus::peer asks{connector.id, connector.life, version};
        port.on_call(asks, {static_cast<std::uint8_t>(kind::client_request), request},
                     bus::responder(clock.now() + 1s, [&](const result<std::string>& answer) {
                         why = answer.error();
                     }));
        return why;
    };
    EXPECT_EQ(ask(list.epoch() - 1).code(), wire::outdated);
    wire::request refused;
    const auto back = ask(list.epoch() - 1);
    ASSERT_TRUE(wire::decode(back.text(), refused)) << "it comes back whole, to be routed anew";
    EXPECT_EQ(refused.route, "probe.probeHandler.ask");
    EXPECT_EQ(ask(list.epoch() - 1, 5).code(), errc::no_server) << "its build knows no such answer";
    // It is served, as those are of builds that tell none.
    EXPECT_EQ(ask(list.epoch()).code(), errc::unknown_route);
    EXPECT_EQ(ask(0).code(), errc::unknown_route);
}

TEST_F(room_moves_test, a_list_that_has_no_number_makes_no_request_outdated) {
    for (const bool is_numbered : {false, true}) {
        const auto epoch = list.epoch() + 1;
        for (const int probes : {3, 2}) {
            cluster::view made;
            made.epoch = list.epoch() + 1;
            made.is_numbered = is_numbered;
            for (int n = 1; n <= probes; ++n) {
                made.servers.push_back(record(fmt::format("probe-server-{}", n), "probe"));
            }
            moves.on_view(std::make_shared<cluster::view>(std::move(made)));
            pass(600ms);
        }
        EXPECT_EQ(list.told_epoch(), is_numbered ? epoch + 1 : 0);
        EXPECT_EQ(moves.is_outdated(connector.id, epoch), is_numbered);
        EXPECT_EQ(moves.is_early(connector.id, epoch + 2, false), is_numbered);
    }
}

} // namespace
} // namespace shaddock::server
