#include "check/log_file.hpp"
#include "story.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace shaddock::bench {
namespace {

TEST(log_files, come_back_as_they_were_written) {
    story told;
    const client_id alice = told.person("alice", "blue \"room\"", {"alice"});
    told.said(alice, "he\nllo 你好");
    told.sees(alice, "he\nllo 你好", alice);
    told.enter(alice, "blue \"room\"");
    told.refused(alice);
    told.sees_add(alice, "bob");
    told.sees_leave(alice, "bob");
    told.log.note(90'000'000, alice, event_kind::query, 99);
    told.log.note(90'000'001, alice, event_kind::kicked, told.log.name("idle"));
    told.log.note(90'000'002, alice, event_kind::mangled, told.log.name("what"));
    told.depart(alice);
    told.closed(alice);
    std::stringstream first;
    write_log(told.log, first);

    history back;
    read_log(first, "first", back);
    std::stringstream second;
    write_log(back, second);
    EXPECT_EQ(second.str(), first.str());
    EXPECT_EQ(back.events().size(), told.log.events().size());
    EXPECT_EQ(check(back, {}).counts, told.check().counts);
}

TEST(log_files, are_merged_and_keep_their_clients_apart) {
    history log;
    std::istringstream alice(R"({"t":1,"c":1,"e":"enter","id":1,"user":"alice","room":"blue"}
{"t":2,"c":1,"e":"ok","id":1,"users":["alice"]}

{"t":5,"c":1,"e":"onAdd","user":"bob"}
{"t":10,"c":1,"e":"send","id":2,"target":"*","msg":"hello"}
{"t":12,"c":1,"e":"ok","id":2}
{"t":13,"c":1,"e":"onChat","from":"alice","target":"*","msg":"hello"})");
    std::istringstream bob(R"({"t":3,"c":"1","e":"enter","id":1,"user":"bob","room":"blue"}
{"t":6,"c":"1","e":"ok","id":1,"users":["alice","bob"]})");
    read_log(alice, "alice.jsonl", log);
    read_log(bob, "bob.jsonl", log);
    EXPECT_EQ(log.clients(), 2U);
    const auto report = check(log, {});
    EXPECT_EQ(report.count(violation_kind::lost), 1U);
    EXPECT_EQ(report.failures, 1U);
}

std::string problem_of(const std::string& line) {
    history log;
    std::istringstream in("\n" + line);
    try {
        read_log(in, "x.jsonl", log);
    } catch (const std::runtime_error& problem) {
        return problem.what();
    }
    return "none";
}

TEST(log_files, that_are_wrong_are_refused_with_line_and_field) {
    EXPECT_THAT(problem_of("{"), testing::StartsWith("x.jsonl:2: "));
    EXPECT_EQ(problem_of("[]"), "x.jsonl:2: not an object");
    EXPECT_EQ(problem_of(R"({"t":1,"c":1})"), "x.jsonl:2: 'e' is missing");
    EXPECT_EQ(problem_of(R"({"t":1,"c":1,"e":"jump"})"),
              "x.jsonl:2: 'e' is 'jump', which is no event");
    EXPECT_EQ(problem_of(R"({"t":"1","c":1,"e":"connect"})"),
              "x.jsonl:2: 't' is not a whole number");
    EXPECT_EQ(problem_of(R"({"t":1,"c":1,"e":"onAdd","user":5})"),
              "x.jsonl:2: 'user' is not a string");
    EXPECT_EQ(problem_of(R"({"t":1,"c":1,"e":"ok","id":1,"users":[1]})"),
              "x.jsonl:2: 'users' names something that is not a string");
    EXPECT_EQ(problem_of(R"({"t":1,"c":1,"e":"ok","id":1,"users":{}})"),
              "x.jsonl:2: 'users' is not an array");
}

} // namespace
} // namespace shaddock::bench
