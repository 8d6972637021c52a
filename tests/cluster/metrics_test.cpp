#include "cluster.hpp"

#include <algorithm>

namespace shaddock::cluster_test {
namespace {

using labels = std::vector<std::string>;

/// One number of a server; 0 when it has no such series. Of a histogram: all it has counted.
double number(system& all, const std::string& server, std::string_view name,
              const labels& wanted = {}) {
    for (const auto& family : all.at(server).metrics()) {
        for (const auto& sample : family.samples) {
            if (family.name == name && sample.labels == wanted) {
                double counted = 0;
                for (const auto bucket : sample.buckets) {
                    counted += static_cast<double>(bucket);
                }
                return family.kind == base::metric_kind::histogram ? counted : sample.value;
            }
        }
    }
    return 0;
}

TEST(cluster_metrics, a_request_is_counted_where_it_comes_in_and_where_it_is_served) {
    system all(1, 1);
    auto& alice = all.enter("connector-server-1", "alice", "room");
    EXPECT_EQ(all.say(alice, "hi"), "{}");
    EXPECT_EQ(all.say(alice, "x", "nobody"), R"({"code":500})");
    const std::string front = "connector-server-1";
    const std::string back = "chat-server-1";
    const std::string enter = "connector.entryHandler.enter";
    const std::string send = "chat.chatHandler.send";
    EXPECT_EQ(number(all, front, "shaddock_requests_total", {enter, "ok"}), 1);
    EXPECT_EQ(number(all, front, "shaddock_forwarded_total", {send, "ok"}), 1);
    EXPECT_EQ(number(all, front, "shaddock_forwarded_seconds", {send}), 2);
    EXPECT_EQ(number(all, back, "shaddock_requests_total", {send, "ok"}), 1);
    EXPECT_EQ(number(all, back, "shaddock_request_seconds", {send}), 2);
    EXPECT_EQ(number(all, back, "shaddock_remotes_total", {"chat.chatRemote.add", "ok"}), 1);
    EXPECT_EQ(number(all, back, "shaddock_requests_in_flight"), 0);
}

TEST(cluster_metrics, failures_are_counted_by_their_code) {
    system all(1, 1);
    auto& alice = all.enter("connector-server-1", "alice", "room");
    for (const auto* route : {"abc", "nowhere.h.m", "connector.nothing.enter", "chat.invented.one",
                              "chat.invented.two"}) {
        EXPECT_EQ(all.ask(alice, route, "{}"), R"({"code":500})") << route;
    }
    const std::string front = "connector-server-1";
    EXPECT_EQ(number(all, front, "shaddock_refused_total", {"unknown_route"}), 1) << "abc";
    EXPECT_EQ(number(all, front, "shaddock_refused_total", {"no_server"}), 1) << "nowhere.h.m";
    const labels unknown{"unknown", "unknown_route"};
    EXPECT_EQ(number(all, front, "shaddock_requests_total", unknown), 1);
    EXPECT_EQ(number(all, front, "shaddock_forwarded_total", unknown), 2)
        << "what clients invent gets no name of its own";
    EXPECT_EQ(number(all, "chat-server-1", "shaddock_requests_total", unknown), 2);
}

TEST(cluster_metrics, pushes_deliveries_and_clients_are_counted) {
    system all(2, 1);
    auto& alice = all.enter("connector-server-1", "alice", "room");
    auto& bob = all.enter("connector-server-1", "bob", "room");
    auto& carol = all.enter("connector-server-2", "carol", "room");
    all.settle();
    const auto pushed = number(all, "chat-server-1", "shaddock_pushes_total");
    const auto delivered = number(all, "connector-server-1", "shaddock_deliveries_total");
    EXPECT_EQ(all.say(carol, "hi"), "{}");
    (void)all.pushes(bob, 1);
    EXPECT_EQ(number(all, "chat-server-1", "shaddock_pushes_total"), pushed + 2)
        << "one for each connector";
    EXPECT_EQ(number(all, "connector-server-1", "shaddock_deliveries_total"), delivered + 2);
    EXPECT_EQ(number(all, "connector-server-1", "shaddock_connections"), 2);
    EXPECT_EQ(number(all, "connector-server-1", "shaddock_sessions"), 2);
    EXPECT_EQ(number(all, "chat-server-1", "shaddock_channels"), 1);
    EXPECT_EQ(number(all, "chat-server-1", "shaddock_members"), 3);
    EXPECT_GT(number(all, "connector-server-1", "shaddock_bytes_total", {"out"}), 100);
    EXPECT_GT(number(all, "connector-server-1", "shaddock_packages_total", {"in"}), 5);
    EXPECT_GE(number(all, "connector-server-1", "shaddock_bus_calls_total", {"ok"}), 2);
    EXPECT_EQ(number(all, "connector-server-1", "shaddock_links"),
              number(all, "connector-server-1", "shaddock_links_expected"));
    // A package of a type that no client may send.
    alice.link->write_frame(std::string("\x09\0\0\0", 4));
    EXPECT_TRUE(all.until([&] {
        return number(all, "connector-server-1", "shaddock_drops_total", {"protocol_error"}) == 1;
    }));
}

} // namespace
} // namespace shaddock::cluster_test
