#pragma once

#include <shaddock/remote.hpp>

#include <cstdint>
#include <tuple>

/// What other server types may ask a time server.
namespace time_server {

/// Hour (0-23), minute and second of this machine's local time. On the wire: `[h,m,s]`.
using time_of_day = std::tuple<int, int, int>;

/// Two numbers that the tutorial passes and the server logs; the first is also the routing number.
inline constexpr shaddock::remote_method<time_of_day(std::int64_t first, std::int64_t second)>
    get_current_time{"time.timeRemote.getCurrentTime"};

} // namespace time_server
