#include "bus/run_folder.hpp"
#include "node/server_options.hpp"
#include "setting_folder.hpp"
#include "system_links.hpp"

#include <boost/asio/io_context.hpp>

#include <optional>

namespace shaddock::node {
namespace {

/// There is no NATS at its address: nothing is claimed.
constexpr std::string_view far_bus = "bus: {kind: nats, nats: {servers: ['nats://127.0.0.1:1'], "
                                     "cluster: c}}\n";

TEST(links_over_nats, claim_no_id_whose_lock_another_process_has) {
    const setting_folder folder(far_bus);
    const auto found = folder.found();
    if (!check_bus_kind(found.system.host.bus.kind)) {
        GTEST_SKIP() << "this build has no NATS";
    }
    boost::asio::io_context loop;
    base::steady_clock clock(loop.get_executor());
    base::random random(1);
    const auto self = own_info(*found.system.find("chat-1"), clock);
    ASSERT_TRUE(bus::prepare_run_folder(found.run));
    const auto held = bus::run_lock::take(found.run, self.id);
    ASSERT_TRUE(held);
    auto links = make_nats_links(loop.get_executor(), clock, random, found, self,
                                 bus_of(found, self), {});
    ASSERT_TRUE(links) << links.error().text();
    std::optional<result<void>> answer;
    (*links)->open([&](result<void> opened) { answer = std::move(opened); });
    EXPECT_FALSE(answer) << "answered inline";
    loop.run_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(answer && !*answer);
    EXPECT_EQ(answer->error().code(), errc::duplicate) << answer->error().text();
    bool is_closed = false;
    (*links)->close([&] { is_closed = true; });
    loop.restart();
    loop.run_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(is_closed);
}

} // namespace
} // namespace shaddock::node
