#pragma once

#include <boost/asio/ip/address.hpp>

#include <string>
#include <string_view>
#include <vector>

/// Which hosts of servers.json are this machine: the direct bus links no other.
namespace shaddock::config {

/// What the system calls this machine.
struct machine_names {
    std::string hostname;
    /// Of every interface.
    std::vector<boost::asio::ip::address> addresses;
    /// false: the system did not tell, so nothing can be said of other addresses.
    bool has_addresses = true;
};

/// Asks the system; blocks for microseconds, no network.
machine_names this_machine();

/// Whether `host` is this machine: a loopback or unspecified address, one of `own`, `localhost` or
/// the hostname (in any case of letters). Other names are not looked up, so they are not.
bool is_here(std::string_view host, const machine_names& own);

} // namespace shaddock::config
