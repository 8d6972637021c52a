#include <net/drop.hpp>

namespace shaddock::net {

std::string_view to_string(drop why) {
    switch (why) {
    case drop::connections_limit:
        return "connections_limit";
    case drop::handshake_timeout:
        return "handshake_timeout";
    case drop::ack_timeout:
        return "ack_timeout";
    case drop::heartbeat_timeout:
        return "heartbeat_timeout";
    case drop::idle:
        return "idle";
    case drop::handshake_refused:
        return "handshake_refused";
    case drop::protocol_error:
        return "protocol_error";
    case drop::too_long:
        return "too_long";
    case drop::slow_consumer:
        return "slow_consumer";
    case drop::kicked:
        return "kicked";
    }
    return "unknown";
}

} // namespace shaddock::net
