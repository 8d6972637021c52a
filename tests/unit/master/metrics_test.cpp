#include "metrics.hpp"

#include "control/codec.hpp"
#include "control/metrics.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

namespace shaddock::master {
namespace {

using base::metric_kind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

child_report server(const std::string& id, bool is_running = true) {
    child_report made;
    made.id = id;
    made.type = "chat";
    made.state = is_running ? "ready" : "failed";
    made.set_process(is_running ? std::optional(getpid()) : std::nullopt);
    made.module = "chat.so";
    made.version = "1.2";
    made.build_id = "ab12";
    made.generation = 3;
    made.restarts = 4;
    return made;
}

class metrics_of_a_system : public testing::Test {
protected:
    metrics_round::done_call note() {
        return [this](const std::vector<server_metrics>& all) {
            texts.push_back(prometheus_text(all));
            jsons.push_back(servers_json(all));
        };
    }

    std::vector<child_report> children;
    std::vector<std::string> asked;
    std::vector<metrics_round::answer_call> answers;
    std::vector<std::string> texts;
    std::vector<std::string> jsons;
    std::unique_ptr<metrics_round> round = std::make_unique<metrics_round>(
        [this] { return children; },
        [this](std::string_view id, metrics_round::answer_call answer) {
            asked.emplace_back(id);
            answers.push_back(std::move(answer));
        });
};

TEST_F(metrics_of_a_system, are_those_of_all_servers_and_what_the_master_sees) {
    children = {server("chat-1"), server("chat-2")};
    round->collect(note());
    EXPECT_THAT(asked, ElementsAre("chat-1", "chat-2"));
    answers[0](
        control::to_json(control::told({base::one_gauge("shaddock_sessions", "Sessions.", 7)})));
    EXPECT_TRUE(texts.empty()) << "one is missing";
    answers[1](
        control::to_json(control::told({base::one_gauge("shaddock_sessions", "Sessions.", 8)})));
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_THAT(
        texts[0],
        AllOf(HasSubstr("# HELP shaddock_sessions Sessions.\n# TYPE shaddock_sessions gauge\n"
                        "shaddock_sessions{server=\"chat-1\",type=\"chat\"} 7\n"
                        "shaddock_sessions{server=\"chat-2\",type=\"chat\"} 8\n"),
              HasSubstr("shaddock_up{server=\"chat-1\",type=\"chat\"} 1\n"),
              HasSubstr("shaddock_state{server=\"chat-1\",type=\"chat\",state=\"ready\"} 1\n"),
              HasSubstr("shaddock_restarts_total{server=\"chat-1\",type=\"chat\"} 4\n"),
              HasSubstr("shaddock_server_info{server=\"chat-1\",type=\"chat\",module=\"chat.so\","
                        "version=\"1.2\",build_id=\"ab12\"} 1\n"),
              HasSubstr("shaddock_generation{server=\"chat-1\",type=\"chat\"} 3\n"),
              HasSubstr("shaddock_memory_bytes{server=\"chat-1\",type=\"chat\"} "),
              HasSubstr("shaddock_cpu_seconds_total{server=\"chat-1\",type=\"chat\"} ")));
    EXPECT_THAT(jsons[0], StartsWith(R"({"servers":[{"id":"chat-1","type":"chat","families":[{)"));
}

TEST_F(metrics_of_a_system, go_without_a_server_that_does_not_answer_or_does_not_run) {
    children = {server("chat-1"), server("chat-2"), server("chat-3", false)};
    round->collect(note());
    EXPECT_THAT(asked, ElementsAre("chat-1", "chat-2"));
    answers[0](error(errc::timeout, "late"));
    answers[1](std::string("[1]"));
    ASSERT_EQ(texts.size(), 1U);
    for (const auto* id : {"chat-1", "chat-2", "chat-3"}) {
        EXPECT_THAT(texts[0],
                    HasSubstr(std::string("shaddock_up{server=\"") + id + "\",type=\"chat\"} 0\n"));
    }
    EXPECT_THAT(texts[0],
                AllOf(HasSubstr("shaddock_state{server=\"chat-3\",type=\"chat\",state=\"failed\"}"),
                      HasSubstr("shaddock_memory_bytes{server=\"chat-1\""),
                      Not(HasSubstr("shaddock_memory_bytes{server=\"chat-3\""))));
}

TEST_F(metrics_of_a_system, are_asked_once_for_all_who_want_them_at_a_time) {
    children = {server("chat-1")};
    round->collect(note());
    round->collect(note());
    EXPECT_EQ(asked.size(), 1U);
    answers[0](std::string("[]"));
    EXPECT_EQ(texts.size(), 2U);
    round->collect(note());
    EXPECT_EQ(asked.size(), 2U) << "numbers are not kept";
}

TEST_F(metrics_of_a_system, ask_neither_the_page_nor_the_master) {
    children = {server("web")};
    children[0].is_server = false;
    round->collect(note());
    EXPECT_TRUE(asked.empty());
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_THAT(texts[0], HasSubstr("shaddock_up{server=\"web\",type=\"chat\"} 1\n"));
}

TEST_F(metrics_of_a_system, that_has_gone_answer_nobody) {
    children = {server("chat-1")};
    round->collect(note());
    round.reset();
    answers[0](std::string("[]"));
    EXPECT_TRUE(texts.empty());
}

TEST(prometheus_text, has_cumulative_buckets_and_escaped_labels) {
    base::metric_family times{
        "a_seconds", "How long.", metric_kind::histogram, {"route"}, {0.00005, 0.1, 2.5}};
    times.samples.push_back({{"a\"b\\c\nd"}, 0, {1, 0, 2, 4}, 100.5});
    EXPECT_EQ(prometheus_text({{"s", "t", {times}}}),
              R"(# HELP a_seconds How long.
# TYPE a_seconds histogram
a_seconds_count{server="s",type="t",route="a\"b\\c\nd"} 7
a_seconds_sum{server="s",type="t",route="a\"b\\c\nd"} 100.5
a_seconds_bucket{server="s",type="t",route="a\"b\\c\nd",le="5e-05"} 1
a_seconds_bucket{server="s",type="t",route="a\"b\\c\nd",le="0.1"} 1
a_seconds_bucket{server="s",type="t",route="a\"b\\c\nd",le="2.5"} 3
a_seconds_bucket{server="s",type="t",route="a\"b\\c\nd",le="+Inf"} 7
)");
}

TEST(prometheus_text, keeps_the_samples_of_a_name_together) {
    const auto up = base::one_gauge("up", "Up.", 1);
    const auto down = base::one_gauge("down", "Down.", 0);
    const auto odd = base::one_counter("up", "Another meaning.", 2);
    EXPECT_EQ(prometheus_text({{"a", "t", {up, down}}, {"b", "t", {up}}, {"c", "t", {odd}}}),
              "# HELP down Down.\n# TYPE down gauge\ndown{server=\"a\",type=\"t\"} 0\n"
              "# HELP up Up.\n# TYPE up gauge\nup{server=\"a\",type=\"t\"} 1\n"
              "up{server=\"b\",type=\"t\"} 1\n");
}

} // namespace
} // namespace shaddock::master
