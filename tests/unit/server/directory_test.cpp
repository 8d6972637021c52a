#include "directory.hpp"

#include "generation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::server {
namespace {

using texts = std::vector<std::string>;

struct directory_test : ::testing::Test {
    /// So many chat servers.
    void know(std::uint64_t epoch, int count, bool is_numbered = true) {
        cluster::view made;
        made.epoch = epoch;
        made.is_numbered = is_numbered;
        for (int n = 1; n <= count; ++n) {
            door::server_info each;
            each.id = fmt::format("chat-server-{}", n);
            each.type = "chat";
            made.servers.push_back(std::move(each));
        }
        list.begin(std::make_shared<cluster::view>(std::move(made)));
        list.go_on();
    }
    auto note(std::string name) {
        return [this, name = std::move(name)](const error* why, const std::string&) {
            said.push_back(name + (why == nullptr ? "" : " fails"));
        };
    }
    directory::target pick(std::int64_t number) {
        return list.pick(none, "chat", {nullptr, {}, number}).value();
    }

    directory list;
    const tables none{""};
    texts said;
};

TEST_F(directory_test, what_waits_for_a_list_goes_on_in_order_of_its_places) {
    know(1, 2);
    const auto first = list.next_place();
    list.note(2);
    EXPECT_TRUE(list.is_behind());
    list.when_known(0, list.next_place(), note("second"));
    list.when_known(2, first, note("first, which was refused"));
    EXPECT_EQ(said, texts{});
    know(2, 3);
    EXPECT_EQ(said, (texts{"first, which was refused", "second"}));
    list.when_known(2, list.next_place(), note("third"));
    EXPECT_EQ(said.back(), "third");
}

TEST_F(directory_test, a_list_that_does_not_come_is_not_waited_for_again) {
    know(1, 2);
    list.when_known(2, list.next_place(), note("refused"));
    list.stop_waiting_for_list();
    EXPECT_EQ(said, texts{"refused"});
    list.note(2);
    EXPECT_FALSE(list.is_behind());
    list.when_known(2, list.next_place(), note("again"));
    EXPECT_EQ(said.back(), "again fails");
}

TEST_F(directory_test, lists_that_are_not_numbered_are_never_behind) {
    know(1, 2, false);
    list.note(7);
    EXPECT_FALSE(list.is_behind());
    list.when_known(0, list.next_place(), note("goes"));
    EXPECT_EQ(said, texts{"goes"});
}

TEST_F(directory_test, what_goes_to_a_server_with_requests_of_the_list_before_waits_for_those) {
    know(1, 2);
    auto old = pick(0);
    know(2, 3);
    EXPECT_TRUE(list.has_older());
    const auto first = list.next_place();
    list.when_open({"chat-server-1", false, {}}, note("second"), list.next_place());
    list.when_open({"chat-server-2", false, {}}, note("other"), list.next_place());
    list.when_open({"chat-server-1", true, {}}, note("moving"), list.next_place());
    list.when_open({"chat-server-1", false, {}}, note("first, which was refused"), first);
    list.let_go(false);
    EXPECT_EQ(said, texts{"other"});
    old = {};
    list.let_go(false);
    EXPECT_EQ(said, (texts{"other", "first, which was refused", "second"}));
    list.open("chat-server-1");
    EXPECT_EQ(said.back(), "moving");
}

TEST_F(directory_test, a_request_of_the_list_before_is_not_waited_for_for_ever) {
    know(1, 2);
    auto old = pick(0);
    know(2, 3);
    list.when_open({"chat-server-1", false, {}}, note("later"));
    EXPECT_FALSE(list.has_left_behind());
    list.let_go(true);
    EXPECT_EQ(said, texts{"later"});
    EXPECT_FALSE(list.has_older());
    EXPECT_TRUE(list.has_left_behind());
    old = {};
    EXPECT_FALSE(list.has_left_behind());
}

TEST_F(directory_test, requests_by_the_list_before_are_left_behind_though_nobody_waits_for_them) {
    know(1, 2);
    auto old = pick(0);
    know(2, 2);
    EXPECT_FALSE(list.has_older());
    EXPECT_TRUE(list.has_left_behind());
    old = {};
    EXPECT_FALSE(list.has_left_behind());
}

TEST_F(directory_test, nothing_waits_any_more_when_the_list_has_settled) {
    know(1, 2);
    const auto old = pick(0);
    know(2, 3);
    list.settled();
    EXPECT_FALSE(list.has_older());
    list.when_open({"chat-server-1", false, {}}, note("goes"));
    EXPECT_EQ(said, texts{"goes"});
}

TEST_F(directory_test, a_list_that_settles_refuses_nothing_that_waits_for_the_next) {
    know(1, 2);
    know(2, 3);
    list.note(3);
    list.when_known(0, list.next_place(), note("next"));
    list.when_open({"chat-server-3", true, {}}, note("moving"));
    list.refuse_moving(error(errc::recovering, "late"));
    EXPECT_EQ(said, texts{"moving fails"});
}

} // namespace
} // namespace shaddock::server
