#include <net/drop.hpp>

#include <boost/describe/enum.hpp>
#include <boost/describe/enum_to_string.hpp>

namespace shaddock::net {

// A test fails when one of them is missing.
BOOST_DESCRIBE_ENUM(drop, connections_limit, address_limit, handshake_rate, denied, origin,
                    proxy_header, made_room, handshake_timeout, ack_timeout, heartbeat_timeout,
                    idle, handshake_refused, protocol_error, too_long, slow_consumer, memory,
                    kicked)

std::string_view to_string(drop why) {
    return boost::describe::enum_to_string(why, "unknown");
}

} // namespace shaddock::net
