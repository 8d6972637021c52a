#include "content.hpp"
#include "cpu.hpp"
#include "latency.hpp"

#include "wire/bodies.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <limits>

namespace shaddock::bench {
namespace {

TEST(latencies, give_percentiles_within_two_percent) {
    latency times;
    EXPECT_EQ(times.percentile_us(0.5), 0);
    for (int us = 1; us <= 10'000; ++us) {
        times.record(us * 1000);
    }
    EXPECT_NEAR(times.percentile_us(0.5), 5000, 100);
    EXPECT_NEAR(times.percentile_us(0.99), 9900, 200);
    EXPECT_NEAR(times.percentile_us(0.999), 9990, 200);
    EXPECT_EQ(times.percentile_us(1), 10'000);
    EXPECT_EQ(times.max_ns(), 10'000'000);
    EXPECT_NEAR(times.mean_us(), 5000.5, 0.001);
}

TEST(latencies, hold_the_shortest_and_the_longest_times) {
    latency times;
    times.record(-5);
    times.record(0);
    EXPECT_EQ(times.percentile_us(0.5), 0);
    times.record(127);
    times.record(128);
    EXPECT_DOUBLE_EQ(times.percentile_us(0.5), 0.127);
    times.record(std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(times.max_ns(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(times.count(), 5U);
}

TEST(cpu_meters, see_a_process_and_its_parents_tree) {
    EXPECT_EQ(cpu_meter({1}, {}).processes(), std::vector<int>{1});
    // Itself is never a server.
    EXPECT_TRUE(cpu_meter({}, {getpid()}).processes().empty());
    EXPECT_THAT(cpu_meter({}, {getppid()}).processes(), testing::Contains(getppid()));
    EXPECT_FALSE(cpu_meter({}, {}).has_servers());
    EXPECT_EQ(cpu_meter({}, {}).read().servers_s, 0);
    EXPECT_GT(cpu_meter({}, {}).read().self_s, 0);
}

struct contents : testing::Test {
    history log;
    content_maker maker{log, "tag", 40};
    std::string content;
    message_id made = maker.make("alice", "blue", 7, content);
    std::string problem;
};

TEST_F(contents, name_their_sender_and_are_filled_up) {
    EXPECT_EQ(content, "tag.0.alice.blue.7|xxxxxxxxxxxxxxxxxxxxx");
    EXPECT_EQ(content.size(), 40U);
    EXPECT_EQ(maker.recognise(content, problem), made);
    EXPECT_EQ(problem, "");
}

TEST_F(contents, that_are_longer_than_the_size_stay_whole) {
    content_maker tight(log, "tag", 3);
    const message_id long_one = tight.make("bob", "blue", 8, content);
    EXPECT_EQ(content, "tag.1.bob.blue.8|");
    EXPECT_EQ(tight.recognise(content, problem), long_one);
    EXPECT_EQ(problem, "");
}

TEST_F(contents, show_damage) {
    EXPECT_EQ(maker.recognise(content.substr(0, 39), problem), made);
    EXPECT_THAT(problem, testing::HasSubstr("damaged"));
    problem.clear();
    content.back() = 'y';
    maker.recognise(content, problem);
    EXPECT_NE(problem, "");
}

TEST_F(contents, of_others_are_new_messages) {
    for (const char* strange : {"boo", "tag.0.alice.blue.8|", "tag.99.alice.blue.7|", "tag.", ""}) {
        EXPECT_NE(maker.recognise(strange, problem), made) << strange;
    }
    EXPECT_EQ(problem, "");
}

TEST(answers, are_good_or_refusals) {
    EXPECT_TRUE(parse_answer("{}")->is_ok());
    EXPECT_EQ(parse_answer(R"({"code":500,"error":true})")->code, 500);
    EXPECT_FALSE(parse_answer(R"({"code":500})")->is_ok());
    EXPECT_THAT(parse_answer(R"({"users":["a","b"]})")->users, testing::ElementsAre("a", "b"));
    const auto gate = parse_answer(R"({"code":200,"host":"127.0.0.1","port":3050})");
    EXPECT_TRUE(gate->is_ok());
    EXPECT_EQ(gate->host, "127.0.0.1");
    EXPECT_EQ(gate->port, 3050);
}

TEST(answers, of_another_form_are_refused) {
    for (const char* wrong :
         {"", "[]", "{", R"({"users":{}})", R"({"users":[1]})", R"({"code":"500"})",
          R"({"host":1,"port":3050})", R"({"host":"x","port":65536})"}) {
        EXPECT_FALSE(parse_answer(wrong)) << wrong;
    }
}

TEST(pushes, are_read_from_json_and_protobuf) {
    const auto plain = parse_push(R"({"route":"onAdd","user":"bob"})", nullptr);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->user, "bob");
    const push_proto proto{{1, "msg"}, {2, "from"}, {3, "target"}};
    // The bytes of the original: protocol.md, section 13.
    const auto packed = parse_push("\x0a\x09hi 你好\x12\x05"
                                   "alice\x1a\x01*",
                                   &proto);
    ASSERT_TRUE(packed);
    EXPECT_EQ(packed->msg, "hi 你好");
    EXPECT_EQ(packed->from, "alice");
    EXPECT_EQ(packed->target, "*");
}

TEST(pushes, of_another_form_are_refused) {
    EXPECT_FALSE(parse_push("[]", nullptr));
    EXPECT_FALSE(parse_push(R"({"user":5})", nullptr));
    const push_proto proto{{1, "msg"}};
    EXPECT_FALSE(parse_push("\x0a\x05hi", &proto));
    EXPECT_FALSE(parse_push("\x12\x02hi", &proto));
    EXPECT_FALSE(parse_push("\x08\x01", &proto));
    EXPECT_FALSE(parse_push("\x0a", &proto));
}

TEST(handshake_answers, give_heartbeat_dictionary_and_protos) {
    const auto reply = parse_handshake_reply(
        R"({"code":200,"sys":{"heartbeat":3,"dict":{"a.b.c":1},"protos":{"server":{"onChat":{"msg":{"option":"required","type":"string","tag":1},"__messages":{}}},"client":{},"version":"1"}}})");
    EXPECT_EQ(reply.problem, "");
    EXPECT_EQ(reply.heartbeat_s, 3U);
    EXPECT_EQ(reply.route_to_code.at("a.b.c"), 1);
    EXPECT_EQ(reply.code_to_route.at(1), "a.b.c");
    EXPECT_EQ(reply.protos.at("onChat").at(1), "msg");
}

TEST(handshake_answers, that_this_client_cannot_go_on_with_say_why) {
    EXPECT_EQ(parse_handshake_reply("nonsense").problem, "the handshake answer has no code");
    EXPECT_EQ(parse_handshake_reply(R"({"code":501})").problem,
              "the handshake was refused with 501");
    EXPECT_EQ(parse_handshake_reply(R"({"code":200})").problem, "the handshake answer has no sys");
    EXPECT_THAT(
        parse_handshake_reply(R"({"code":200,"sys":{"protos":{"client":{"a.b.c":{}}}}})").problem,
        testing::HasSubstr("protobuf"));
}

TEST(kicks, give_their_reason) {
    EXPECT_EQ(parse_kick(R"({"reason":"attack"})"), "attack");
    EXPECT_EQ(parse_kick("odd"), "odd");
}

TEST(requests_bodies, are_json) {
    EXPECT_EQ(query_body("a\"b"), R"({"uid":"a\"b"})");
    EXPECT_EQ(enter_body("alice", "blue"), R"({"username":"alice","rid":"blue"})");
    std::string out;
    append_send_body(out, "blue", "hi", "alice", "*");
    EXPECT_EQ(out, R"({"rid":"blue","content":"hi","from":"alice","target":"*"})");
}

} // namespace
} // namespace shaddock::bench
