#pragma once

#include <shaddock/app.hpp>
#include <shaddock/session.hpp>

#include <cstdint>
#include <string>

namespace shaddock {

/// What a client needs to connect to a server.
struct public_address {
    std::string host;
    std::uint16_t port = 0;
};

/// Where the client of `asker`, which is connected to this server, finds `server`: its `clientHost`
/// and `publicPort`, else its `host` and `clientPort`. A host that means all addresses of the
/// machine (`0.0.0.0`, `::`) is told to nobody: in its place stands the address at which the client
/// has reached this server, which is on the same machine.
template <class = void>
public_address public_address_of(const server_info& server, const session& asker) {
    public_address told{server.client_host.empty() ? server.host : server.client_host,
                        server.public_port != 0 ? server.public_port : server.client_port};
    if (told.host.find_first_not_of("0.:") == std::string::npos) {
        told.host = asker.reached_at().empty() ? "127.0.0.1" : asker.reached_at();
    }
    return told;
}

} // namespace shaddock
