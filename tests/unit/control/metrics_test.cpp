#include "control/metrics.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

using base::metric_families;
using base::metric_kind;

metric_families some() {
    metric_families all;
    all.push_back({"a_total", "how \"often\"", metric_kind::counter, {"route", "result"}});
    all.back().samples = {{{"chat.h.\\m", "ok"}, 12}, {{"é\n", "timeout"}, 9007199254740991.0}};
    all.push_back({"a_seconds", "how long", metric_kind::histogram, {"route"}, {0.00005, 2.5}});
    all.back().samples = {{{"r"}, 0, {3, 0, 1}, 0.125}};
    all.push_back(base::one_gauge("lag", "", 5.5e-05));
    all.push_back({"none", "no samples", metric_kind::gauge});
    return all;
}

std::string told_json(const metric_families& families) {
    return to_json(told(families));
}

result<metric_families> heard_json(std::string_view text) {
    const auto said = from_json<told_families>(text, "metrics");
    return said ? heard(*said) : said.error();
}

TEST(told_metrics, are_as_short_as_documented) {
    EXPECT_EQ(told_json({some()[1]}),
              R"([{"name":"a_seconds","help":"how long","kind":"histogram","labels":["route"],)"
              R"("bounds":[0.00005,2.5],"samples":[[["r"],[3,0,1],0.125]]}])");
    EXPECT_EQ(told_json({base::one_gauge("up", "h", 1)}),
              R"([{"name":"up","help":"h","kind":"gauge","labels":[],"samples":[[[],1]]}])");
    EXPECT_EQ(told_json({}), "[]");
}

TEST(told_metrics, come_back_as_they_were) {
    const auto back = heard_json(told_json(some()));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(*back, some());
}

TEST(told_metrics, of_another_form_are_refused) {
    for (
        const std::string text :
        {"", "{}", "1", "[1]", R"([{"name":"a"}])",
         // A kind that nobody knows, a label too few, a bucket too few, no number.
         R"([{"name":"a","help":"","kind":"summary","labels":[],"samples":[]}])",
         R"([{"name":"a","help":"","kind":"gauge","labels":["l"],"samples":[[[],1]]}])",
         R"([{"name":"a","help":"","kind":"histogram","labels":[],"bounds":[1],"samples":[[[],[1],1]]}])",
         R"([{"name":"a","help":"","kind":"histogram","labels":[],"samples":[]}])",
         R"([{"name":"a","help":"","kind":"gauge","labels":[],"samples":[[[],"1"]]}])",
         R"([{"name":"a","help":"","kind":"gauge","labels":[],"samples":[1]}])"}) {
        const auto read = heard_json(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code(), errc::bad_request);
    }
    EXPECT_FALSE(heard_json(std::string(100'000, '[')));
}

} // namespace
} // namespace shaddock::control
