#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shaddock::net {

/// Why this side ended a connection, or did not take it.
enum class drop : std::uint8_t {
    connections_limit,
    address_limit,
    handshake_rate,
    denied,
    origin,
    proxy_header,
    /// It had said nothing, and another client needed its place.
    made_room,
    handshake_timeout,
    ack_timeout,
    heartbeat_timeout,
    idle,
    handshake_refused,
    protocol_error,
    too_long,
    slow_consumer,
    /// The clients of this port held too much memory, and it most of it.
    memory,
    /// By the application, another login, or the server's end. Stays the last.
    kicked,
};
inline constexpr std::size_t drop_reasons = static_cast<std::size_t>(drop::kicked) + 1;
/// As it stands in metrics: `slow_consumer`. Thread: any.
std::string_view to_string(drop why);

} // namespace shaddock::net
