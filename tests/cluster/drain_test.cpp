#include "cluster.hpp"

#include <shaddock/plugin.hpp>

#include <boost/describe.hpp>

/// A server stops while requests come over the bus: what it has accepted is answered in full, what
/// comes later is refused at once, and nothing is answered twice or never.
namespace shaddock::drains {

struct wish {
    int n = 0;
};
BOOST_DESCRIBE_STRUCT(wish, (), (n))

class slow_handler {
public:
    explicit slow_handler(app& with) : app_(with) {}
    awaitable<wish> wait(wish wanted) {
        co_await app_.sleep(std::chrono::milliseconds(wanted.n < 0 ? 60'000 : 100));
        co_return wanted;
    }

private:
    app& app_;
};

inline void setup(registrar& into) {
    into.handler<slow_handler>("slow").method("wait", &slow_handler::wait);
}

inline const door::plugin_door& slow_door() {
    static const auto made = detail::door_of<&setup>("probe", "1");
    return made;
}

} // namespace shaddock::drains

namespace shaddock::cluster_test {
namespace {

constexpr std::string_view refusal = R"({"code":500})";

TEST(drain, loses_no_accepted_request_though_more_keep_coming) {
    system all(system::shape{
        .connectors = 1,
        .chats = 1,
        .probe = &drains::slow_door(),
        // Longer than this test waits: it must not be what ends the stop.
        .adjust = [](server::server_options& options) { options.drain_timeout = 60s; }});
    auto& user = all.connect("connector-server-1");
    const auto ask = [&] {
        return user.send("probe.slow.wait", fmt::format(R"({{"n":{}}})", user.next_id));
    };
    const auto first = user.next_id;
    for (int i = 0; i < 20; ++i) {
        ask();
    }
    ASSERT_TRUE(all.until([&] { return all.at("probe-server-1").now().requests_in_flight == 20; }));
    const auto accepted = user.next_id - 1;
    all.begin_stop("probe-server-1");
    // Each turn of the loop brings another one: it must not keep the server from stopping.
    ASSERT_TRUE(all.until([&] {
        ask();
        return all.is_stopped("probe-server-1");
    }));
    const auto last = user.next_id - 1;
    ASSERT_TRUE(all.until([&] { return user.answers.size() == last - first + 1; }))
        << user.answers.size() << " of " << last << " were answered";
    for (auto id = first; id <= last; ++id) {
        const auto wanted =
            id <= accepted ? fmt::format(R"({{"n":{}}})", id) : std::string(refusal);
        EXPECT_EQ(user.answers.at(id), wanted) << "request " << id;
    }
}

TEST(drain, waits_for_nothing_where_another_server_has_the_place) {
    system all(system::shape{
        .connectors = 1,
        .chats = 1,
        .probe = &drains::slow_door(),
        .adjust = [](server::server_options& options) {
            options.drain_timeout = options.call_timeout = 60s;
        }});
    auto& user = all.connect("connector-server-1");
    const auto id = user.send("probe.slow.wait", R"({"n":-1})");
    ASSERT_TRUE(all.until([&] { return all.at("probe-server-1").now().requests_in_flight == 1; }));
    all.begin_stop("probe-server-1", server::stop_pace::at_once);
    ASSERT_TRUE(all.until([&] { return all.is_stopped("probe-server-1"); }));
    ASSERT_TRUE(all.until([&] { return user.answers.contains(id); }));
    EXPECT_EQ(user.answers.at(id), refusal);
    all.begin_stop("connector-server-1", server::stop_pace::at_once);
    EXPECT_TRUE(all.until([&] { return user.kicks.size() == 1; }));
}

} // namespace
} // namespace shaddock::cluster_test
