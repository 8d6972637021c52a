#include "test_system.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <map>

namespace shaddock::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::map<std::string, pid_t> pids_of(const control::server_rows& lines) {
    std::map<std::string, pid_t> pids;
    for (const auto& line : lines) {
        pids[line.id] = line.process().value_or(0);
    }
    return pids;
}

class running_system : public testing::Test {
protected:
    void SetUp() override {
        const auto started = system.run({"start", "-D"});
        ASSERT_EQ(started.status, 0) << started.text;
        before = pids_of(system.list());
        ASSERT_THAT(before, SizeIs(6));
    }
    test_system system{"2 s"};
    std::map<std::string, pid_t> before;
};

TEST_F(running_system, restarts_a_killed_server_and_leaves_the_others_alone) {
    const auto old = system.line("chat-server-1");
    kill(*old.process(), SIGKILL);
    ASSERT_TRUE(system.comes_true([&] {
        const auto now = system.line("chat-server-1");
        return now.state == "ready" && now.process() != old.process();
    }));
    EXPECT_GT(system.line("chat-server-1").incarnation, old.incarnation);
    auto after = pids_of(system.list());
    EXPECT_NE(after["chat-server-1"], before["chat-server-1"]);
    after["chat-server-1"] = before["chat-server-1"];
    EXPECT_EQ(after, before);
}

TEST_F(running_system, serves_on_without_its_master_and_is_adopted_by_the_next) {
    kill(before["master-server-1"], SIGKILL);
    ASSERT_TRUE(system.comes_true([&] { return system.running().size() == 5; }));
    EXPECT_EQ(system.run({"list"}).status, 3);
    const auto started = system.run({"start", "-D"});
    ASSERT_EQ(started.status, 0) << started.text;
    EXPECT_THAT(started.text, HasSubstr("ready: 4 servers"));
    auto after = pids_of(system.list());
    EXPECT_NE(after["master-server-1"], before["master-server-1"]);
    after["master-server-1"] = before["master-server-1"];
    EXPECT_EQ(after, before);
    // The next master watches processes that it has not started.
    kill(after["chat-server-2"], SIGKILL);
    EXPECT_TRUE(system.comes_true([&] {
        const auto now = system.line("chat-server-2");
        return now.state == "ready" && now.process() != after["chat-server-2"];
    }));
}

TEST_F(running_system, keeps_a_stopped_server_stopped) {
    const auto stopped = system.run({"stop", "chat-server-2"});
    EXPECT_EQ(stopped.status, 0) << stopped.text;
    const auto line = system.line("chat-server-2");
    EXPECT_EQ(line.state, "stopped");
    EXPECT_FALSE(line.process());
    EXPECT_THAT(system.running(), SizeIs(5));
}

TEST_F(running_system, stops_nothing_for_an_unknown_id) {
    const auto stopped = system.run({"stop", "chat-server-1", "chat-sever-2"});
    EXPECT_EQ(stopped.status, 1);
    EXPECT_THAT(stopped.text, HasSubstr("chat-sever-2"));
    EXPECT_THAT(stopped.text, HasSubstr("nearest: chat-server-2"));
    EXPECT_EQ(pids_of(system.list()), before);
}

TEST_F(running_system, kills_what_does_not_stop) {
    kill(before["chat-server-1"], SIGSTOP);
    const auto stopped = system.run({"stop"});
    EXPECT_EQ(stopped.status, 0) << stopped.text;
    EXPECT_THAT(system.running(), IsEmpty());
}

TEST_F(running_system, refuses_a_second_process_of_an_id) {
    const auto second = system.run({"--type", "chat", "--id", "chat-server-1"});
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.text, HasSubstr("chat-server-1"));
    EXPECT_THAT(second.text, HasSubstr(std::to_string(before["chat-server-1"])));
    EXPECT_EQ(pids_of(system.list()), before);
}

} // namespace
} // namespace shaddock::test
