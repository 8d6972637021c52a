#include "client.hpp"

#include <base/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace shaddock::net::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(listener, an_occupied_port_is_an_error_that_names_it) {
    house here;
    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_events events;
    auto second = make_listener(loop.get_executor(), clock,
                                {.host = "127.0.0.1", .port = here.port().port()});
    const auto started = second->start(events);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), errc::config);
    EXPECT_THAT(started.error().text(),
                HasSubstr("127.0.0.1:" + std::to_string(here.port().port())));
    EXPECT_THAT(started.error().text(), HasSubstr("in use"));
}

TEST(listener, a_wrong_host_is_an_error_that_names_it) {
    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_events events;
    auto one = make_listener(loop.get_executor(), clock, {.host = "192.0.2.1"});
    const auto started = one->start(events);
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().text(), HasSubstr("192.0.2.1"));
}

TEST(listener, without_a_host_takes_ipv4_and_tells_plain_addresses) {
    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_events events;
    std::string address;
    events.handshake_hook = [&](connection& from, std::string_view) {
        address = from.address();
        return handshake_answer{};
    };
    auto everywhere = make_listener(loop.get_executor(), clock, {});
    ASSERT_TRUE(everywhere->start(events));
    client one(everywhere->port());
    one.is_raw = true;
    one.write(protocol::encode_package(package_type::handshake, "{}").value());
    for (int i = 0; i < 5000 && address.empty(); ++i) {
        loop.restart();
        loop.run_one_for(1ms);
    }
    EXPECT_EQ(address.substr(0, 10), "127.0.0.1:");
}

TEST(listener, stop_accepting_keeps_the_connections) {
    house here;
    auto& one = here.working();
    here.port().stop_accepting();
    here.settle();
    EXPECT_FALSE(here.connect().is_connected);
    one.write_package(package_type::data, "still here");
    EXPECT_TRUE(here.until([&] { return !here.events.data.empty(); }));
}

TEST(listener, stop_kicks_all_and_tells_when_the_last_is_gone) {
    house here;
    auto& polite = here.working();
    auto& stubborn = here.working();
    auto& silent = here.connect();
    here.settle();
    bool is_done = false;
    here.port().stop("server stops", [&] { is_done = true; });
    EXPECT_FALSE(is_done);
    ASSERT_TRUE(
        here.until([&] { return polite.is_ended && stubborn.is_ended && silent.is_ended; }));
    EXPECT_THAT(polite.packages,
                ElementsAre(seen_package{package_type::kick, R"({"reason":"server stops"})"}));
    polite.drop();
    here.settle();
    EXPECT_FALSE(is_done);
    EXPECT_EQ(here.counts().connections, 2U);
    here.pass(1s);
    EXPECT_TRUE(is_done);
    EXPECT_EQ(here.counts().connections, 0U);
    EXPECT_THAT(here.events.closed, SizeIs(2));
}

TEST(listener, stop_without_connections_is_posted_too) {
    house here;
    bool is_done = false;
    here.port().stop("nobody there", [&] { is_done = true; });
    EXPECT_FALSE(is_done);
    EXPECT_TRUE(here.until([&] { return is_done; }));
}

TEST(listener, may_be_destroyed_with_connections_and_posted_work) {
    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_events events;
    auto doomed = make_listener(loop.get_executor(), clock, {.host = "127.0.0.1"});
    ASSERT_TRUE(doomed->start(events));
    client one(doomed->port());
    one.is_raw = true;
    one.write(protocol::encode_package(package_type::handshake, "{}").value() +
              std::string(protocol::handshake_ack_package));
    for (int i = 0; i < 5000 && events.ready.empty(); ++i) {
        loop.restart();
        loop.run_one_for(1ms);
    }
    ASSERT_THAT(events.ready, SizeIs(1));
    events.ready[0]->kick("posted, never flushed");
    doomed.reset();
    clock.advance(10s);
    loop.restart();
    loop.run();
    EXPECT_THAT(events.closed, IsEmpty());
}

/// Takes all file descriptors there are, up to a low limit.
class no_descriptors {
public:
    explicit no_descriptors(rlim_t left = 0) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(next);
        const rlimit low{static_cast<rlim_t>(next) + left, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &low);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST(listener, without_file_descriptors_it_waits_and_does_not_spin) {
    house here;
    auto& served = here.working();
    auto& waiting = here.connect();
    {
        const no_descriptors poor;
        here.loop.restart();
        here.settle();
        for (int i = 0; i < 10; ++i) {
            here.loop.restart();
            EXPECT_EQ(here.loop.poll(), 0U) << "the loop has nothing to do";
        }
        EXPECT_EQ(here.counts().accepted, 1U);
        served.write_package(package_type::data, "served meanwhile");
        EXPECT_TRUE(here.until([&] { return !here.events.data.empty(); }));
        here.pass(100ms);
        EXPECT_EQ(here.counts().accepted, 1U);
    }
    here.pass(99ms);
    EXPECT_EQ(here.counts().accepted, 1U);
    here.pass(1ms);
    EXPECT_EQ(here.counts().accepted, 2U);
    waiting.write_upgrade();
    EXPECT_TRUE(here.until([&] { return waiting.is_upgraded; }));
    here.working();
    EXPECT_EQ(here.counts().accepted, 3U) << "and accepts as before";
}

TEST(listener, keeps_a_reserve_of_file_descriptors_for_others) {
    house here({.host = {}, .descriptor_reserve = 8});
    auto& served = here.working();
    served.write_package(package_type::data, "here");
    ASSERT_TRUE(here.until([&] { return !here.events.data.empty(); }));
    std::vector<client*> crowd;
    for (int i = 0; i < 6; ++i) {
        crowd.push_back(&here.connect());
    }
    const kept_log log;
    {
        const no_descriptors poor(11);
        here.settle();
        EXPECT_EQ(here.counts().accepted, 4U) << "three more than the one";
        // Links are made out of what is left.
        for (int i = 0; i < 8; ++i) {
            crowd.push_back(&here.connect());
            EXPECT_TRUE(crowd.back()->is_connected) << i;
        }
        here.pass(100ms);
        EXPECT_EQ(here.counts().accepted, 4U);
        crowd[7]->drop();
        crowd[6]->drop();
        here.pass(1s);
        here.pass(100ms);
        EXPECT_GE(here.counts().of(drop::made_room), 1U) << "who says nothing gives way";
        EXPECT_GT(here.counts().accepted, 4U);
        EXPECT_FALSE(served.is_ended);
        EXPECT_LE(here.counts().connections, 6U);
    }
    EXPECT_THAT(log.lines("cannot accept"), ::testing::SizeIs(1));
    here.pass(100ms);
    EXPECT_TRUE(here.until([&] { return here.counts().accepted >= 13; })) << "and as before";
}

// Clients can keep a server without descriptors for as long as they like.
TEST(listener, without_file_descriptors_it_says_so_every_10_seconds) {
    const kept_log log;
    house here;
    here.connect();
    {
        const no_descriptors poor;
        here.loop.restart();
        here.settle();
        for (int i = 0; i < 150; ++i) {
            here.pass(100ms);
        }
    }
    EXPECT_THAT(log.lines("cannot accept"), ::testing::SizeIs(2)) << "in 15 seconds";
}

TEST(encode_for_all, is_one_frame_with_the_package_inside) {
    for (const std::size_t size : {4U, 125U, 126U, 65535U, 65536U, 200'000U}) {
        const std::string package(size, 'p');
        const auto made = encode_for_all(package);
        EXPECT_EQ(std::string_view(made.bytes).substr(made.header_size), package);
        auto bytes = made.bytes;
        protocol::websocket_decoder decoder(protocol::websocket_peer::server, 1U << 24U);
        const auto event = decoder.next(bytes.data(), bytes.size());
        EXPECT_EQ(event.kind, protocol::websocket_event_kind::binary);
        EXPECT_EQ(event.used, bytes.size());
    }
}

} // namespace
} // namespace shaddock::net::testing
