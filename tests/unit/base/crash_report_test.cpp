#include "base/crash_report.hpp"

#include "../master/temp_folder.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <sstream>

// Sanitizers report by themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace shaddock::base {
namespace {

using testing::HasSubstr;
using testing::Not;

class crash_reports : public testing::Test {
protected:
    std::string text() const {
        std::ostringstream all;
        all << std::ifstream(file).rdbuf();
        return all.str();
    }
    void begin() const {
        crash_report::start(file, "chat-server-1");
        crash_report::set_build("chat.so 1.2.3 build 5be2", 7);
        for (int i = 0; i < 20; ++i) {
            crash_report::note_route("chat.chatHandler.send" + std::to_string(i));
        }
    }
    test::temp_folder folder;
    std::filesystem::path file = folder.path() / "chat-server-1.crash";
};

[[gnu::noinline]] int without_end(int depth) {
    volatile char room[4096];
    room[0] = static_cast<char>(depth);
    return depth < 0 ? 0 : without_end(depth + 1) + room[0];
}

TEST_F(crash_reports, say_what_served_and_what_was_asked_for_last) {
    EXPECT_EXIT(
        {
            begin();
            std::raise(SIGSEGV);
        },
        testing::KilledBySignal(SIGSEGV), "");
    EXPECT_THAT(text(), HasSubstr("server chat-server-1\nprocess "));
    EXPECT_THAT(text(), HasSubstr("\nsignal SIGSEGV at address 0x"));
    EXPECT_THAT(text(), HasSubstr("\nserves chat.so 1.2.3 build 5be2\ngeneration 7\n"));
    EXPECT_THAT(text(),
                HasSubstr("first:\n  chat.chatHandler.send19\n  chat.chatHandler.send18\n"));
    EXPECT_THAT(text(), HasSubstr("send4\n"));
    EXPECT_THAT(text(), Not(HasSubstr("send3\n")));
    EXPECT_EXIT(
        {
            begin();
            std::abort();
        },
        testing::KilledBySignal(SIGABRT), "");
    EXPECT_THAT(text(), HasSubstr("signal SIGABRT\n"));
}

TEST_F(crash_reports, are_written_when_the_stack_is_full_too) {
    EXPECT_EXIT(
        {
            begin();
            without_end(1);
        },
        testing::KilledBySignal(SIGSEGV), "");
    EXPECT_THAT(text(), HasSubstr("signal SIGSEGV at address 0x"));
}

} // namespace
} // namespace shaddock::base

#endif
