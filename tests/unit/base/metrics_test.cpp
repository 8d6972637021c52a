#include "base/metrics.hpp"

#include <gmock/gmock.h>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

TEST(latency_histogram, counts_a_bound_in_its_own_bucket) {
    latency_histogram counted;
    EXPECT_TRUE(counted.is_empty());
    counted.add(0ns);
    counted.add(50us);
    counted.add(50us + 1ns);
    counted.add(10s);
    counted.add(10s + 1ns);
    counted.add(1h);
    EXPECT_FALSE(counted.is_empty());
    EXPECT_EQ(counted.counts()[0], 2U);
    EXPECT_EQ(counted.counts()[1], 1U);
    EXPECT_EQ(counted.counts()[13], 1U);
    EXPECT_EQ(counted.counts()[14], 2U) << "above all bounds";
    EXPECT_NEAR(counted.sum_seconds(), 3620.0001, 1e-6);
}

TEST(latency_histogram, has_ascending_bounds) {
    for (std::size_t i = 1; i < latency_histogram::bounds.size(); ++i) {
        EXPECT_LT(latency_histogram::bounds[i - 1], latency_histogram::bounds[i]);
    }
}

TEST(outcome_counts, are_kept_by_the_name_of_the_code) {
    outcome_counts counted;
    counted.note_ok();
    counted.note(result<int>(1));
    counted.note(result<int>(error(errc::timeout, "late")));
    counted.note(errc::config);
    // Numbers that came from elsewhere.
    counted.note(static_cast<errc>(0));
    counted.note(static_cast<errc>(999));
    std::vector<std::pair<std::string, std::uint64_t>> seen;
    counted.visit([&](std::string_view name, std::uint64_t count) {
        seen.emplace_back(std::string(name), count);
    });
    EXPECT_THAT(seen, ElementsAre(Pair("ok", 2U), Pair("internal", 2U), Pair("timeout", 1U),
                                  Pair("config", 1U)));
    EXPECT_EQ(counted.total(), 6U);
    EXPECT_EQ(counted.ok(), 2U);
    EXPECT_EQ(counted.of(errc::timeout), 1U);
}

TEST(metric_family, of_latencies_has_one_bucket_more_than_bounds) {
    latency_histogram counted;
    counted.add(60us);
    const auto family = latency_family("a_seconds", "help", {"route"});
    const auto sample = latency_sample({"r"}, counted);
    EXPECT_EQ(family.bounds.front(), 0.00005);
    EXPECT_EQ(family.bounds.back(), 10.0);
    EXPECT_EQ(sample.buckets.size(), family.bounds.size() + 1);
    EXPECT_EQ(sample.buckets[1], 1U);
    EXPECT_DOUBLE_EQ(sample.sum, 0.00006);
}

} // namespace
} // namespace shaddock::base
