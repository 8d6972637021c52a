#pragma once

#include "base/clock.hpp"

#include <string>
#include <string_view>

namespace shaddock::master {

/// What the master tells systemd of itself: a datagram each to the socket that $NOTIFY_SOCKET
/// names, and `WATCHDOG=1` three times in $WATCHDOG_USEC, by the loop: when that stands still,
/// systemd ends the process and starts another. Without the variables nothing is said.
/// Thread: the loop. Source: sd_notify(3), sd_watchdog_enabled(3).
class service_notices {
public:
    explicit service_notices(base::clock& clock);
    /// `READY=1`; lines for several. What cannot be sent is not told.
    void say(std::string_view state) const;

private:
    void watch();

    base::clock& clock_;
    std::string socket_;
    base::duration period_{};
    base::timer next_;
};

} // namespace shaddock::master
