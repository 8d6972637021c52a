#include "service_notices.hpp"

#include "temp_folder.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

using namespace std::chrono_literals;

/// systemd's end of the socket.
class notices : public testing::Test {
protected:
    notices() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
    ~notices() override {
        ::close(fd_);
        for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
            ::unsetenv(name);
        }
    }
    void listen_at(const std::string& name) const {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::memcpy(at.sun_path, name.data(), name.size());
        at.sun_path[0] = name[0] == '@' ? '\0' : name[0];
        const auto size = offsetof(sockaddr_un, sun_path) + name.size();
        ASSERT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(size)), 0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    /// Empty when nothing has come.
    std::string heard() const {
        std::array<char, 256> bytes{};
        const auto size = ::recv(fd_, bytes.data(), bytes.size(), 0);
        return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }
    test::temp_folder folder;
    base::manual_clock clock;

private:
    int fd_;
};

TEST_F(notices, are_datagrams_to_the_socket_that_the_environment_names) {
    listen_at((folder.path() / "notify").string());
    const service_notices to(clock);
    to.say("READY=1\nMAINPID=12");
    EXPECT_EQ(heard(), "READY=1\nMAINPID=12");
    clock.advance(1h);
    EXPECT_EQ(heard(), "") << "no watchdog was asked for";
}

TEST_F(notices, go_to_names_that_are_no_files_too) {
    listen_at("@shaddock-notices-" + std::to_string(::getpid()));
    service_notices(clock).say("STOPPING=1");
    EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(notices, of_life_come_three_times_in_the_watchdogs_limit) {
    listen_at((folder.path() / "notify").string());
    ::setenv("WATCHDOG_USEC", "9000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    const service_notices to(clock);
    EXPECT_EQ(heard(), "WATCHDOG=1");
    clock.advance(2999ms);
    EXPECT_EQ(heard(), "");
    clock.advance(1ms);
    EXPECT_EQ(heard(), "WATCHDOG=1");
    clock.advance(3s);
    EXPECT_EQ(heard(), "WATCHDOG=1");
}

TEST_F(notices, of_life_are_not_given_for_another_process) {
    listen_at((folder.path() / "notify").string());
    ::setenv("WATCHDOG_USEC", "9000000", 1);
    ::setenv("WATCHDOG_PID", "1", 1);
    const service_notices to(clock);
    clock.advance(1min);
    EXPECT_EQ(heard(), "");
}

TEST_F(notices, are_for_nobody_without_systemd) {
    const service_notices to(clock);
    to.say("READY=1");
    EXPECT_EQ(heard(), "");
}

} // namespace
} // namespace shaddock::master
