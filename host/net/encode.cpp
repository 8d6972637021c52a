#include <net/listener.hpp>

#include <protocol/websocket.hpp>

namespace shaddock::net {

encoded_package encode_for_all(std::string_view package) {
    encoded_package made;
    made.header_size = protocol::websocket_header_bytes(package.size());
    made.bytes.reserve(made.header_size + package.size());
    protocol::append_websocket_header(made.bytes, protocol::websocket_opcode::binary,
                                      package.size());
    made.bytes.append(package);
    return made;
}

} // namespace shaddock::net
