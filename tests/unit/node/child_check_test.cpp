#include "child_check.hpp"

#include "../master/temp_folder.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>

namespace shaddock::node {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Processes that end when a test says so.
class fake_processes final : public base::process_starter {
public:
    result<std::unique_ptr<base::process>> start(const base::launch& what,
                                                 base::exit_call on_exit) override {
        if (refuses) {
            return error(errc::config, "cannot run it");
        }
        launched = what;
        exit = std::move(on_exit);
        return std::make_unique<fake>(*this);
    }
    void start_aside(const base::launch& what, base::start_call started,
                     base::exit_call on_exit) override {
        begun = [this, what, started = std::move(started), on_exit = std::move(on_exit)]() mutable {
            started(start(what, std::move(on_exit)));
        };
    }
    /// The process is there.
    void begin() { std::exchange(begun, nullptr)(); }
    result<std::unique_ptr<base::process>> adopt(pid_t, base::exit_call) override {
        return error(errc::not_found, "none");
    }
    void end(const std::string& said, std::optional<int> status, std::optional<int> signal = {}) {
        std::ofstream(launched.output) << said;
        std::exchange(exit, nullptr)({status, signal});
    }

    bool refuses = false;
    base::launch launched;
    base::exit_call exit;
    base::unique_function<void()> begun;
    std::vector<int> signals;

private:
    class fake final : public base::process {
    public:
        explicit fake(fake_processes& owner) : owner_(owner) {}
        pid_t pid() const override { return 1; }
        bool signal(int number) override {
            owner_.signals.push_back(number);
            return true;
        }

    private:
        fake_processes& owner_;
    };
};

class child_check_of_a_file : public testing::Test {
protected:
    child_check_of_a_file() {
        check.run({{"chat.so", "/plugins/chat.so"}},
                  [this](result<void> said) { outcome = std::move(said); });
        processes.begin();
    }
    std::string reason() const {
        EXPECT_TRUE(outcome && !*outcome);
        return outcome && !*outcome ? outcome->error().text() : "";
    }

    test::temp_folder folder;
    base::manual_clock clock;
    fake_processes processes;
    std::optional<result<void>> outcome;
    child_check check{
        clock, processes, {{"host", "check"}, "chat", folder.path() / "chat-1@check", 2s}};
};

TEST_F(child_check_of_a_file, asks_a_process_and_tidies_up) {
    EXPECT_THAT(processes.launched.command,
                ElementsAre("host", "check", "--module", "/plugins/chat.so"));
    EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "chat-1@check"));
    EXPECT_FALSE(outcome);
    processes.end("", 0);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(*outcome);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "chat-1@check"));
    clock.advance(10s);
    EXPECT_TRUE(processes.signals.empty());
}

TEST_F(child_check_of_a_file, passes_on_what_the_host_in_it_said_last) {
    processes.end("noise of a plugin\nhost: first\nhost: chat.so: found x\nmore noise\n", 1);
    EXPECT_EQ(reason(), "chat.so: found x");
}

TEST_F(child_check_of_a_file, names_the_signal_of_a_crash) {
    processes.end("noise\n", {}, SIGSEGV);
    EXPECT_EQ(reason(), "/plugins/chat.so: found signal 11 (Segmentation fault) in create or "
                        "setup, wanted a module that starts: see it with `host check --type chat "
                        "--module /plugins/chat.so`");
}

TEST_F(child_check_of_a_file, names_a_status_without_a_word) {
    processes.end("", 1);
    EXPECT_THAT(reason(), HasSubstr("found exit status 1 in create or setup"));
}

TEST_F(child_check_of_a_file, kills_what_does_not_end) {
    clock.advance(1999ms);
    EXPECT_TRUE(processes.signals.empty());
    clock.advance(1ms);
    EXPECT_THAT(processes.signals, ElementsAre(SIGKILL));
    EXPECT_FALSE(outcome) << "not before it is gone";
    processes.end("", {}, SIGKILL);
    EXPECT_THAT(reason(), AllOf(HasSubstr("/plugins/chat.so: found no end of create and setup "
                                          "within 2000 ms"),
                                HasSubstr("host check --type chat")));
}

TEST_F(child_check_of_a_file, ends_with_whoever_asked) {
    check.cancel();
    EXPECT_THAT(processes.signals, ElementsAre(SIGKILL));
    EXPECT_FALSE(outcome);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "chat-1@check"));
}

TEST(child_check, kills_what_is_there_only_after_nobody_wants_it) {
    const test::temp_folder folder;
    base::manual_clock clock;
    fake_processes processes;
    child_check check(clock, processes, {{"host"}, "chat", folder.path() / "x@check", 2s});
    check.run({{"chat.so", "/plugins/chat.so"}}, [](const result<void>&) { FAIL(); });
    check.cancel();
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "x@check"));
    EXPECT_TRUE(processes.signals.empty());
    processes.begin();
    EXPECT_THAT(processes.signals, ElementsAre(SIGKILL));
}

TEST(child_check, says_when_no_process_can_be_had) {
    const test::temp_folder folder;
    base::manual_clock clock;
    fake_processes processes;
    processes.refuses = true;
    child_check check(clock, processes, {{"host"}, "chat", folder.path() / "x@check", 2s});
    std::optional<result<void>> outcome;
    check.run({{"chat.so", "/plugins/chat.so"}},
              [&](result<void> said) { outcome = std::move(said); });
    EXPECT_FALSE(outcome) << "nothing inline";
    processes.begin();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error().text(), "cannot run it");
}

} // namespace
} // namespace shaddock::node
