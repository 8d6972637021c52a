#include "metrics.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;

TEST(route_table, counts_all_routes_past_its_limit_together) {
    route_table table;
    for (std::size_t i = 0; i < route_table::limit + 100; ++i) {
        table.of(fmt::format("t.h.m{}", i)).note(result<void>(), 1ms);
    }
    EXPECT_EQ(table.size(), route_table::limit);
    EXPECT_EQ(table.find("t.h.m500"), nullptr);
    table.of("t.h.m0").note(result<void>(), 1ms);
    base::metric_families all;
    table.add_to(all, "a_total", "", "a_seconds", "");
    EXPECT_EQ(all[0].samples.size(), route_table::limit + 1);
    EXPECT_EQ(all[1].samples.size(), route_table::limit + 1);
    EXPECT_THAT(all[0].samples, ::testing::Contains(base::metric_sample{{"other", "ok"}, 100}));
    EXPECT_THAT(all[0].samples, ::testing::Contains(base::metric_sample{{"t.h.m0", "ok"}, 2}));
}

TEST(route_table, keeps_its_counts_where_they_are) {
    route_table table;
    auto& first = table.of("t.h.first");
    for (int i = 0; i < 400; ++i) {
        table.of(fmt::format("t.h.m{}", i));
    }
    EXPECT_EQ(&table.of("t.h.first"), &first);
    EXPECT_EQ(table.find("t.h.first"), &first);
}

TEST(route_table, says_nothing_of_routes_without_requests) {
    route_table table;
    table.of("t.h.never");
    table.unknown().note(result<void>(error(errc::unknown_route, "")), 1us);
    base::metric_families all;
    table.add_to(all, "a_total", "help", "a_seconds", "help");
    EXPECT_EQ(all[0].samples,
              (std::vector<base::metric_sample>{{{"unknown", "unknown_route"}, 1}}));
    ASSERT_EQ(all[1].samples.size(), 1U);
    EXPECT_EQ(all[1].samples[0].labels, std::vector<std::string>{"unknown"});
}

} // namespace
} // namespace shaddock::server
