#include "life.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

/// What clients hold, who goes when it is too much, and packages on slow lines.
namespace shaddock::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string data_of(std::size_t bytes) {
    return package(package_type::data, std::string(bytes, 'x'));
}

/// A life whose requests are kept until the test answers.
struct keeping : life {
    explicit keeping(listener_options options, form wanted = form::packages)
        : life(wanted, std::move(options)) {
        events.data_hook = [this](connection& from, std::string_view body) {
            from.keep(body.size());
            kept.push_back(body.size());
            return true;
        };
    }
    void answer() {
        events.ready[0]->give_back(kept[answered++]);
        settle();
    }
    const held_bytes& held() { return the_set.counts().held; }

    std::vector<std::size_t> kept;
    std::size_t answered = 0;
};

TEST(unanswered, past_its_limit_a_client_is_not_read_until_half_was_answered) {
    for (const auto how : {form::packages, form::websocket}) {
        listener_options options;
        options.unanswered_limit = 1000;
        options.heartbeat = 3s;
        keeping here(options, how);
        here.log_in();
        for (int i = 0; i < 10; ++i) {
            here.give(data_of(300));
        }
        EXPECT_THAT(here.kept, SizeIs(4));
        EXPECT_EQ(here.held().unanswered, 1200U);
        here.pass(20s);
        EXPECT_EQ(here.connections(), 1U) << "its heartbeats do not expire meanwhile";
        here.answer();
        here.answer();
        EXPECT_THAT(here.kept, SizeIs(4));
        here.answer();
        EXPECT_THAT(here.kept, SizeIs(7));
        while (here.answered < here.kept.size()) {
            here.answer();
        }
        EXPECT_THAT(here.kept, SizeIs(10));
        EXPECT_EQ(here.held().unanswered, 0U);
        EXPECT_EQ(here.held().input, 0U);
    }
}

TEST(unanswered, one_that_goes_holds_nothing) {
    listener_options options;
    options.unanswered_limit = 1000;
    keeping here(options);
    here.log_in();
    here.give(data_of(1000) + data_of(500));
    EXPECT_GE(here.held().input, 500U);
    here.events.ready[0]->kick("enough");
    here.wire.end();
    here.settle();
    EXPECT_EQ(here.connections(), 0U);
    EXPECT_EQ(here.held().input, 0U);
    EXPECT_EQ(here.held().unanswered, 0U);
}

/// Several clients of one port.
struct crowd : life {
    explicit crowd(listener_options options) : life(form::packages, std::move(options)) {}
    memory_wire& join(const std::string& address, bool is_logged_in) {
        auto& one = another_wire();
        the_set.add(one.make_stream(), {.from = *base::parse_ip(address), .port = 1});
        one.give(package(package_type::handshake, "{}") + package(package_type::handshake_ack));
        settle();
        events.ready.back()->is_logged_in = is_logged_in;
        return one;
    }
    /// A whole small package: a turn in which something is sent.
    void give_to(memory_wire& one) {
        one.give(package(package_type::heartbeat));
        settle();
    }
    /// The beginning of a package, so many bytes of it.
    void half(memory_wire& from, std::size_t bytes) {
        from.give(data_of(bytes * 2).substr(0, bytes));
        settle();
    }
};

listener_options small_budget() {
    listener_options options;
    options.input_limit = 100'000;
    options.output_limit = 150'000;
    return options;
}

TEST(budget, of_half_packages_takes_those_first_who_have_not_logged_in) {
    crowd here(small_budget());
    auto& member = here.join("10.0.0.1", true);
    auto& small = here.join("10.0.0.2", false);
    auto& large = here.join("10.0.0.2", false);
    here.half(member, 30'000);
    here.half(small, 20'000);
    here.half(large, 25'000);
    EXPECT_EQ(here.connections(), 3U);
    here.half(here.join("10.0.0.3", true), 30'000);
    EXPECT_THAT(large.output, EndsWith(R"({"reason":"out of memory"})"));
    EXPECT_EQ(here.the_set.counts().of(drop::memory), 1U);
    EXPECT_FALSE(small.is_shut_down);
    EXPECT_FALSE(member.is_shut_down);
    EXPECT_LE(here.the_set.counts().held.input, 100'000U);
}

TEST(budget, then_takes_the_largest_of_the_address_that_holds_most) {
    crowd here(small_budget());
    auto& alone = here.join("10.0.0.1", true);
    here.half(alone, 28'000);
    auto& first = here.join("fe80::1", true);
    here.half(first, 22'000);
    auto& second = here.join("fe80::1", true);
    here.half(second, 24'000);
    auto& third = here.join("fe80::1", true);
    here.half(third, 26'500);
    EXPECT_TRUE(third.is_shut_down);
    EXPECT_FALSE(alone.is_shut_down) << "it holds most, its address does not";
    EXPECT_FALSE(first.is_shut_down);
    EXPECT_FALSE(second.is_shut_down);
}

TEST(budget, counts_fragments_too) {
    life here(form::websocket);
    here.log_in();
    auto frame = client::frame(data_of(10'000));
    frame[0] = static_cast<char>(frame[0] & 0x7f);
    here.wire.give(frame);
    here.settle();
    EXPECT_GE(here.the_set.counts().held.input, 10'000U);
}

TEST(budget, of_output_takes_who_does_not_read) {
    crowd here(small_budget());
    auto& reader = here.join("10.0.0.1", true);
    std::vector<memory_wire*> lazy;
    for (int i = 0; i < 3; ++i) {
        lazy.push_back(&here.join("10.0.0.2", true));
        lazy.back()->make_room(0);
    }
    const auto everyone = here.events.ready;
    for (int i = 0; i < 5; ++i) {
        for (auto* each : everyone) {
            each->send_package(data_of(8'000 + 10));
        }
        here.settle();
    }
    EXPECT_EQ(here.the_set.counts().of(drop::memory), 1U);
    EXPECT_EQ(here.connections(), 3U);
    EXPECT_LE(here.the_set.counts().held.output, 150'000U);
    EXPECT_GT(reader.output.size(), 40'000U);
    for (auto* each : lazy) {
        each->make_room(memory_wire::all);
    }
    here.settle();
    EXPECT_EQ(here.the_set.counts().held.output, 0U);
}

/// Those who leave hold theirs until their last words are read; meanwhile turns go on.
TEST(budget, looks_at_all_only_when_there_is_something_to_gain) {
    crowd here(small_budget());
    auto& member = here.join("10.0.0.1", true);
    std::vector<connection*> lazy;
    for (int i = 0; i < 4; ++i) {
        here.join("10.0.0.2", true).make_room(0);
        lazy.push_back(here.events.ready.back());
    }
    for (auto* each : lazy) {
        each->send_package(data_of(30'000));
        here.settle();
        each->send_package(data_of(7'000));
        here.settle();
        each->kick("enough");
        here.settle();
    }
    auto& full = here.join("10.0.0.3", true);
    full.make_room(0);
    here.events.ready.back()->send_package(data_of(60'000));
    here.settle();
    ASSERT_GT(here.the_set.counts().held.output, 150'000U);
    const auto before = here.the_set.walks_for_memory();
    for (int i = 0; i < 20; ++i) {
        here.give_to(member);
    }
    EXPECT_EQ(here.the_set.walks_for_memory(), before);
    here.pass(2s);
    EXPECT_EQ(here.connections(), 2U);
    EXPECT_EQ(here.the_set.held_by_leaving().output, 0U);
    EXPECT_EQ(here.the_set.counts().of(drop::memory), 0U);
}

TEST(budget, of_many_small_ones_is_kept_too) {
    crowd here(small_budget());
    for (int i = 0; i < 60; ++i) {
        here.half(here.join("10.0.0.1", i % 2 == 0), 2'000);
    }
    EXPECT_LE(here.the_set.counts().held.input, 100'000U);
    EXPECT_GE(here.the_set.counts().of(drop::memory), 5U);
    EXPECT_LE(here.the_set.walks_for_memory(), 3U);
}

listener_options beating() {
    listener_options options;
    options.heartbeat = 3s;
    return options;
}

TEST(slow_line, bytes_of_a_package_under_way_count_as_life) {
    for (const auto how : {form::packages, form::websocket}) {
        life here(how, beating());
        here.log_in();
        const auto all = how == form::packages ? data_of(60'000) : client::frame(data_of(60'000));
        for (std::size_t at = 0; at < all.size(); at += 3'000) {
            here.wire.give(std::string_view(all).substr(at, 3'000));
            here.pass(500ms);
            ASSERT_EQ(here.connections(), 1U) << at;
        }
        EXPECT_THAT(here.events.data, SizeIs(1));
        here.pass(7s);
        here.pass(1s);
        EXPECT_EQ(here.connections(), 0U) << "after it, heartbeats count again";
    }
}

TEST(slow_line, slower_than_the_least_rate_is_silence) {
    life here(form::packages, beating());
    here.log_in();
    const auto all = data_of(60'000);
    int seconds = 0;
    while (here.the_set.counts().of(drop::heartbeat_timeout) == 0 && seconds < 60) {
        here.wire.give(std::string_view(all).substr(static_cast<std::size_t>(seconds) * 700, 700));
        here.pass(1s);
        ++seconds;
    }
    EXPECT_GE(seconds, 6);
    EXPECT_LE(seconds, 7);
}

} // namespace
} // namespace shaddock::net::testing
