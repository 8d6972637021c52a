#include "list_catch_up.hpp"

#include "fakes.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;
using wire::kind;

/// connector-server-1 with list 3; two chat servers are linked.
struct list_catch_up_test : ::testing::Test {
    list_catch_up_test() {
        links.peers = {one, two};
        links.up = {one.id, two.id};
        registry.list.epoch = 3;
    }
    void pass(base::duration time) {
        for (; time > 0ms; time -= 5ms) {
            clock.advance(5ms);
        }
    }
    /// Whom it has asked since this was asked.
    std::vector<std::string> asked() {
        std::vector<std::string> all;
        for (const auto& each : std::exchange(links.casts, {})) {
            EXPECT_EQ(static_cast<kind>(each.kind), kind::list_wanted);
            all.push_back(each.to);
        }
        return all;
    }
    using ids = std::vector<std::string>;

    boost::asio::io_context loop;
    base::manual_clock clock;
    fake_bus links;
    bus::peer one{"chat-server-1", incarnation{1}};
    bus::peer two{"chat-server-2", incarnation{2}};
    outgoing servers{loop.get_executor(), links, {"connector-server-1", incarnation{9}}};
    fake_registry registry;
    std::vector<std::string> taken;
    list_catch_up lists{clock,
                        servers,
                        registry,
                        {[](std::uint64_t after) {
                             const std::vector<std::string> all{"list 1", "list 2", "list 3"};
                             return std::vector(all.begin() + static_cast<long>(after), all.end());
                         },
                         [this](std::string_view list) { taken.emplace_back(list); }}};
};

TEST_F(list_catch_up_test, asks_who_has_a_later_list_when_the_master_has_not_told_it) {
    lists.on_known(two, 4);
    pass(35ms);
    EXPECT_EQ(asked(), ids{}) << "the master may only be slower here";
    pass(10ms);
    EXPECT_EQ(asked(), ids{two.id});
    lists.on_cast(two, kind::list, wire::encoded(std::string_view("list 4")));
    EXPECT_EQ(taken, ids{"list 4"});
}

TEST_F(list_catch_up_test, asks_nobody_when_the_master_tells_it) {
    lists.on_known(two, 4);
    pass(20ms);
    registry.list.epoch = 4;
    pass(5s);
    EXPECT_EQ(asked(), ids{});
    lists.on_known(one, 4);
    pass(5s);
    EXPECT_EQ(asked(), ids{});
}

TEST_F(list_catch_up_test, asks_one_after_the_other_until_it_comes) {
    lists.on_known(one, 4);
    lists.on_known(two, 4);
    pass(50ms);
    EXPECT_EQ(asked(), ids{one.id});
    pass(500ms);
    EXPECT_EQ(asked(), (ids{two.id, one.id}));
    links.peers = {two};
    pass(500ms);
    EXPECT_EQ(asked(), (ids{two.id, two.id})) << "the other one is not linked any more";
    registry.list.epoch = 4;
    pass(5s);
    EXPECT_EQ(asked(), ids{});
}

TEST_F(list_catch_up_test, asks_again_for_a_list_that_comes_later) {
    lists.on_known(one, 4);
    pass(50ms);
    EXPECT_EQ(asked(), ids{one.id});
    registry.list.epoch = 4;
    lists.on_cast(one, kind::list, wire::encoded(std::string_view("list 4")));
    lists.on_known(one, 5);
    pass(50ms);
    EXPECT_EQ(asked(), ids{one.id});
}

TEST_F(list_catch_up_test, asks_nobody_of_an_older_build_and_never_by_a_list_without_a_number) {
    one.version = wire::list_version - 1;
    lists.on_known(one, 4);
    registry.list.is_numbered = false;
    lists.on_known(two, 4);
    pass(5s);
    EXPECT_EQ(asked(), ids{});
}

TEST_F(list_catch_up_test, who_links_is_told_which_list_is_here) {
    lists.on_link_up(one);
    ASSERT_EQ(links.casts.size(), 1U);
    EXPECT_EQ(links.casts[0].to, one.id);
    EXPECT_EQ(static_cast<kind>(links.casts[0].kind), kind::list_here);
    EXPECT_EQ(links.casts[0].bytes, wire::encoded(std::uint64_t{3}));
    links.casts.clear();
    one.version = wire::list_version - 1;
    lists.on_link_up(one);
    EXPECT_TRUE(links.casts.empty());
}

TEST_F(list_catch_up_test, who_asks_is_told_each_later_list) {
    lists.on_cast(one, kind::list_wanted, wire::encoded(std::uint64_t{1}));
    ASSERT_EQ(links.casts.size(), 2U);
    EXPECT_EQ(static_cast<kind>(links.casts[0].kind), kind::list);
    EXPECT_EQ(links.casts[0].bytes, wire::encoded(std::string_view("list 2")));
    EXPECT_EQ(links.casts[1].bytes, wire::encoded(std::string_view("list 3")));
}

TEST_F(list_catch_up_test, bytes_that_do_not_fit_are_no_list) {
    lists.on_cast(one, kind::list, "\1");
    lists.on_cast(one, kind::list_wanted, "\1");
    EXPECT_TRUE(links.casts.empty());
    EXPECT_TRUE(taken.empty());
}

/// It is kept where all have it.
TEST_F(list_catch_up_test, tells_and_asks_nothing_without_a_list_of_the_master) {
    list_catch_up none(clock, servers, registry, {});
    none.on_link_up(one);
    none.on_known(one, 4);
    none.on_cast(one, kind::list_wanted, wire::encoded(std::uint64_t{1}));
    none.on_cast(one, kind::list, wire::encoded(std::string_view("list 4")));
    pass(1s);
    EXPECT_EQ(asked(), ids{});
}

} // namespace
} // namespace shaddock::server
