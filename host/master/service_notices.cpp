#include "service_notices.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string_view() : value;
}

std::uint64_t number_in(const char* name) {
    const auto text = variable(name);
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

service_notices::service_notices(base::clock& clock)
    : clock_(clock), socket_(variable("NOTIFY_SOCKET")) {
    const auto whose = number_in("WATCHDOG_PID");
    const auto limit_us = number_in("WATCHDOG_USEC");
    if (!socket_.empty() && limit_us != 0 &&
        (whose == 0 || whose == static_cast<std::uint64_t>(::getpid()))) {
        period_ = std::chrono::microseconds(limit_us / 3);
        watch();
    }
}

void service_notices::say(std::string_view state) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (socket_.empty() || socket_.size() >= sizeof(to.sun_path)) {
        return;
    }
    std::memcpy(to.sun_path, socket_.data(), socket_.size());
    if (to.sun_path[0] == '@') { // a name that is no file
        to.sun_path[0] = '\0';
    }
    const int from = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (from >= 0) {
        const auto size = offsetof(sockaddr_un, sun_path) + socket_.size();
        ::sendto(from, state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(size));
        ::close(from);
    }
}

void service_notices::watch() {
    say("WATCHDOG=1");
    next_ = clock_.after(period_, [this] { watch(); });
}

} // namespace shaddock::master
