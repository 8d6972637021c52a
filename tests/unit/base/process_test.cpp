#include "base/process.hpp"

#include "../master/temp_folder.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string read(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

class processes : public testing::Test {
protected:
    launch shell(const std::string& script) {
        return {{"/bin/sh", "-c", script}, folder.path() / "out"};
    }
    /// Runs the loop until the exit has been reported.
    exit_report wait() {
        loop.restart();
        loop.run_for(10s);
        EXPECT_TRUE(ended) << "no exit within 10 s";
        return ended.value_or(exit_report{});
    }
    exit_call note() {
        return [this](exit_report report) { ended = report; };
    }

    test::temp_folder folder;
    boost::asio::io_context loop{1};
    system_processes starter{loop.get_executor()};
    std::optional<exit_report> ended;
};

TEST_F(processes, report_the_exit_status_and_keep_the_output) {
    auto started = starter.start(shell("echo out; echo err >&2; exit 3"), note());
    ASSERT_TRUE(started);
    EXPECT_EQ(wait().text(), "exit status 3");
    EXPECT_EQ(read(folder.path() / "out"), "out\nerr\n");
}

TEST_F(processes, report_the_signal_that_ended_them) {
    auto started = starter.start(shell("sleep 60"), note());
    ASSERT_TRUE(started);
    EXPECT_TRUE((*started)->signal(SIGKILL));
    EXPECT_THAT(wait().text(), HasSubstr("signal 9"));
}

TEST_F(processes, run_in_a_session_of_their_own) {
    auto started = starter.start(shell("sleep 60"), note());
    ASSERT_TRUE(started);
    EXPECT_EQ(getsid((*started)->pid()), (*started)->pid());
    (*started)->signal(SIGKILL);
    wait();
}

TEST_F(processes, inherit_no_open_file) {
    const int kept = open("/dev/null", O_RDONLY); // without close-on-exec, as Asio's sockets are
    ASSERT_GE(kept, 3);
    auto started = starter.start(
        shell("test -e /proc/self/fd/" + std::to_string(kept) + " && exit 1; exit 0"), note());
    ASSERT_TRUE(started);
    EXPECT_EQ(wait().text(), "exit status 0");
    close(kept);
}

TEST_F(processes, can_be_started_while_the_loop_goes_on) {
    std::unique_ptr<process> one;
    starter.start_aside(
        shell("exit 3"),
        [&](result<std::unique_ptr<process>> started) {
            ASSERT_TRUE(started);
            one = std::move(*started);
        },
        note());
    EXPECT_FALSE(one) << "nothing inline";
    EXPECT_EQ(wait().text(), "exit status 3");
    EXPECT_TRUE(one);
}

TEST_F(processes, started_aside_say_why_they_cannot_be_run) {
    std::string why;
    starter.start_aside(
        {{"/no/such/program"}, folder.path() / "out"},
        [&](result<std::unique_ptr<process>> started) {
            ASSERT_FALSE(started);
            why = started.error().text();
        },
        note());
    loop.run_for(10s);
    EXPECT_THAT(why, HasSubstr("/no/such/program"));
}

TEST_F(processes, say_why_a_program_cannot_be_run) {
    const auto started = starter.start({{"/no/such/program"}, folder.path() / "out"}, note());
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().text(), HasSubstr("/no/such/program"));
    EXPECT_THAT(started.error().text(), HasSubstr("No such file"));
}

TEST_F(processes, started_by_others_are_watched_too) {
    // A grandchild: its parent ends at once.
    const auto pid_file = folder.path() / "pid";
    auto parent = starter.start(shell("sleep 60 & echo $! > " + pid_file.string() + ".new && mv " +
                                      pid_file.string() + ".new " + pid_file.string()),
                                note());
    ASSERT_TRUE(parent);
    wait();
    const auto pid = static_cast<pid_t>(std::stol(read(pid_file)));
    ended.reset();
    auto adopted = starter.adopt(pid, note());
    ASSERT_TRUE(adopted);
    EXPECT_TRUE((*adopted)->signal(SIGKILL));
    EXPECT_EQ(wait().text(), "gone");
}

TEST_F(processes, that_are_no_longer_watched_report_nothing) {
    auto started = starter.start(shell("exit 0"), note());
    ASSERT_TRUE(started);
    const auto pid = (*started)->pid();
    started->reset();
    loop.run_for(1s);
    EXPECT_FALSE(ended);
    waitpid(pid, nullptr, 0);
}

TEST(process_usage, knows_this_process) {
    const auto usage = usage_of(getpid());
    EXPECT_GT(usage.rss_kb, 100U);
    EXPECT_LT(usage.uptime, 1h);
    while (std::clock() < CLOCKS_PER_SEC / 10) {
        // Busy, so that there is something to see.
    }
    EXPECT_GE(usage_of(getpid()).cpu, 80ms);
    EXPECT_LT(usage_of(getpid()).cpu, 1h);
    EXPECT_EQ(usage_of(0).rss_kb, 0U);
}

TEST(last_lines, are_the_end_of_what_came_after_the_offset) {
    const test::temp_folder folder;
    const auto file = folder.write("log", "old\none\ntwo\nthree\n");
    EXPECT_EQ(last_lines(file, 0, 2), "two\nthree");
    EXPECT_EQ(last_lines(file, 4, 10), "one\ntwo\nthree");
    EXPECT_EQ(last_lines(file, 18, 10), "");
    EXPECT_EQ(last_lines(folder.path() / "absent", 0, 10), "");
}

} // namespace
} // namespace shaddock::base
