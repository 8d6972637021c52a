#include "bus_world.hpp"

#include <algorithm>

namespace shaddock::contract {
namespace {

TEST(local_bus, reads_no_further_calls_of_a_peer_that_takes_none_of_its_answers) {
    local_world in;
    constexpr std::size_t queue_limit = std::size_t{64} * 1024;
    auto& a = in.add("a");
    auto& m = in.add("m", 1, {.queue_limit = queue_limit});
    ASSERT_TRUE(a.start({"m"}));
    ASSERT_TRUE(m.start({"a"}));
    in.link(a, "m");
    in.link(m, "a");
    in.network.freeze("a");
    // Far more than the answers have room for; each is as long as its call.
    const std::string bytes(8 * 1024, 'x');
    std::vector<std::shared_ptr<outcome>> calls;
    for (int i = 0; i < 200; ++i) {
        calls.push_back(call(in, a, "m", echo, bytes));
    }
    in.runs_for(50ms);
    const auto read = m.heard.size();
    EXPECT_LE(read * bytes.size(), queue_limit + 4 * bytes.size());
    EXPECT_LE(m.links().queues().front().bytes, queue_limit + 2 * bytes.size());
    in.runs_for(50ms);
    EXPECT_EQ(m.heard.size(), read) << "it went on reading";
    // It goes on when they are taken.
    in.network.thaw("a");
    ASSERT_TRUE(in.runs_until([&] {
        return std::ranges::all_of(calls, [](const auto& each) { return each->is_done(); });
    }));
    EXPECT_EQ(m.heard.size(), 1 + calls.size());
    for (const auto& each : calls) {
        EXPECT_TRUE(each->what) << to_string(each->code());
    }
}

} // namespace
} // namespace shaddock::contract
