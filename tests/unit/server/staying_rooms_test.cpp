#include "base/log.hpp"
#include "directory.hpp"

#include "generation.hpp"

#include <shaddock/dispatch.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

namespace shaddock::server {
namespace {

/// How a connector knows chat servers; requests name their rooms.
class staying_rooms_test : public ::testing::Test {
protected:
    /// `c1~`: it leaves.
    static cluster::view_ptr view_of(std::uint64_t epoch, const std::vector<std::string>& ids) {
        cluster::view made;
        made.epoch = epoch;
        for (const auto& id : ids) {
            auto& each = made.servers.emplace_back();
            each.is_leaving = id.ends_with('~');
            each.id = id.substr(0, 2);
            each.type = "chat";
        }
        return std::make_shared<const cluster::view>(std::move(made));
    }
    static door::route_param by(std::string_view room) { return {nullptr, room, {}}; }
    /// That was c1's of two.
    static std::string room(int nth) {
        for (int n = 0;; ++n) {
            auto name = fmt::format("room{}", n);
            if (dispatch_index(name, 2) == 0 && nth-- == 0) {
                return name;
            }
        }
    }
    void tell(std::string_view id, room_names rooms, std::uint64_t life = 1) {
        list.set_staying(id, incarnation{life},
                         std::make_shared<const room_names>(std::move(rooms)));
    }
    /// Where it goes, or has gone when it does not wait any more.
    std::shared_ptr<std::string> send(std::string_view to_room) {
        auto went = std::make_shared<std::string>("waits");
        const auto to = list.pick(none, "chat", by(to_room));
        if (!to) {
            *went = to.error().text();
            return went;
        }
        list.when_open(*to, [went](const error* why, const std::string& server) {
            *went = why != nullptr ? shaddock::to_string(why->code()) : server;
        });
        return went;
    }

    directory list;
    tables none{""};
};

TEST_F(staying_rooms_test, keeps_back_what_may_be_for_a_room_that_stays_until_that_is_known) {
    list.update(view_of(1, {"c1", "c2"}));
    list.begin(view_of(2, {"c1~", "c2"}));
    EXPECT_EQ(list.of_type("chat")->size(), 1U);
    EXPECT_EQ(list.all()->size(), 2U);
    const auto stays = send(room(0));
    const auto moves = send(room(1));
    list.open("c2");
    EXPECT_EQ(*stays, "waits");
    EXPECT_EQ(*moves, "waits");
    tell("c1", {room(0)});
    EXPECT_EQ(*stays, "c1");
    EXPECT_EQ(*moves, "c2");
    EXPECT_EQ(*send(room(0)), "c1");
    list.settled();
    EXPECT_EQ(*send(room(0)), "c1");
    EXPECT_EQ(*send(room(1)), "c2");
    EXPECT_TRUE(list.has_given_up("c1", "chat", room(1)));
    EXPECT_FALSE(list.has_given_up("c1", "chat", room(0)));
    EXPECT_FALSE(list.has_given_up("c2", "chat", room(0)));
}

TEST_F(staying_rooms_test, moves_what_has_stayed_when_its_server_goes) {
    list.update(view_of(1, {"c1", "c2"}));
    list.begin(view_of(2, {"c1~", "c2"}));
    tell("c1", {room(0)});
    list.settled();
    const auto before = list.begin(view_of(3, {"c2"}));
    EXPECT_EQ(*directory::owner_in(before, "chat", room(0)), "c1");
    EXPECT_EQ(*directory::owner_in(list.by_type(), "chat", room(0)), "c2");
    EXPECT_EQ(*send(room(1)), "c2") << "it was c2's already";
    const auto moves = send(room(0));
    EXPECT_EQ(*moves, "waits");
    list.open("c2");
    EXPECT_EQ(*moves, "c2");
}

TEST_F(staying_rooms_test, refuses_what_may_be_for_a_room_that_stays_when_nothing_settles) {
    list.begin(view_of(2, {"c1~", "c2"}));
    const auto waits = send(room(0));
    EXPECT_EQ(*waits, "waits");
    list.refuse_waiting(error(errc::recovering, ""));
    list.settled();
    EXPECT_EQ(*send(room(0)), "recovering");
    tell("c1", {});
    EXPECT_EQ(*send(room(0)), "c2");
    EXPECT_EQ(*waits, "recovering");
}

TEST_F(staying_rooms_test, one_that_has_not_told_keeps_back_only_what_may_be_its) {
    const auto nth_of_three = [](std::size_t owner) {
        for (int n = 0;; ++n) {
            if (auto name = fmt::format("room{}", n); dispatch_index(name, 3) == owner) {
                return name;
            }
        }
    };
    list.begin(view_of(1, {"c1~", "c2", "c3"}));
    EXPECT_EQ(*send(nth_of_three(0)), "waits");
    EXPECT_TRUE(send(nth_of_three(1))->starts_with("c"));
    EXPECT_TRUE(send(nth_of_three(2))->starts_with("c"));
    list.refuse_waiting(error(errc::recovering, ""));
    list.settled();
    EXPECT_EQ(*send(nth_of_three(0)), "recovering");
    EXPECT_TRUE(send(nth_of_three(1))->starts_with("c"));
    EXPECT_TRUE(send(nth_of_three(2))->starts_with("c"));
}

TEST_F(staying_rooms_test, what_another_has_told_to_stay_does_not_wait_for_one_that_is_silent) {
    list.begin(view_of(1, {"c1~", "c2~", "c3"}));
    tell("c2", {room(0)});
    EXPECT_EQ(*send(room(0)), "c2");
    EXPECT_EQ(*send(room(1)), "waits") << "it may be c1's";
}

TEST_F(staying_rooms_test, takes_less_than_before_from_one_that_lives_anew) {
    list.update(view_of(1, {"c1", "c2"}));
    list.begin(view_of(2, {"c1~", "c2"}));
    tell("c1", {room(0), room(1)});
    tell("c1", {room(1), room(2)}, 2);
    list.settled();
    EXPECT_EQ(*send(room(0)), "c2");
    EXPECT_EQ(*send(room(1)), "c1");
    EXPECT_EQ(*send(room(2)), "c2");
}

TEST_F(staying_rooms_test, finds_no_room_for_a_function_that_names_none_and_warns_of_it_once) {
    struct picks_last final : door::router {
        result<std::string> pick(const door::route_param&,
                                 std::span<const door::server_info> expected) noexcept override {
            return expected.back().id;
        }
        std::optional<std::string> key(const door::route_param&) noexcept override { return {}; }
    } router;
    none.route("chat", &router);
    list.update(view_of(1, {"c1", "c2"}));
    list.begin(view_of(2, {"c1~", "c2"}));
    tell("c1", {room(0)});
    list.settled();
    const auto file = std::filesystem::path(::testing::TempDir()) / "staying_rooms_test.log";
    std::filesystem::remove(file);
    base::log::options wanted;
    wanted.console = false;
    wanted.file = file;
    base::log::start("t-1", wanted);
    EXPECT_EQ(*send(room(0)), "c2");
    EXPECT_EQ(*send(room(0)), "c2");
    std::ifstream in(file);
    const std::string said(std::istreambuf_iterator<char>(in), {});
    const std::string_view line = "the route function for 'chat' names no room";
    const auto at = said.find(line);
    ASSERT_NE(at, std::string::npos) << said;
    EXPECT_EQ(said.find(line, at + 1), std::string::npos);
}

TEST_F(staying_rooms_test, has_nobody_for_new_rooms_when_the_last_one_leaves) {
    list.update(view_of(1, {"c1"}));
    list.begin(view_of(2, {"c1~"}));
    const auto stays = send("a");
    const auto gone = send("b");
    tell("c1", {"a"});
    EXPECT_EQ(*stays, "c1");
    EXPECT_EQ(*gone, "no_server");
    list.settled();
    EXPECT_EQ(*send("a"), "c1");
    EXPECT_EQ(*send("b").get(), "no server of type 'chat' takes new rooms: those that are left end "
                                "with the rooms that they have");
}

} // namespace
} // namespace shaddock::server
