#pragma once

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Which hosts of servers.json are this machine: the direct bus links no other.
namespace shaddock::config {

/// What the system calls this machine.
struct machine_names {
    std::string hostname;
    /// Of every interface.
    std::vector<boost::asio::ip::address> addresses{};
    /// false: the system did not tell, so nothing can be said of other addresses.
    bool has_addresses = true;
    /// What the system resolves a name to; empty: nothing is looked up.
    std::function<std::vector<boost::asio::ip::address>(const std::string& name)> look_up{};
};

/// Asks the system; blocks for microseconds, no network, but for `look_up`, which may ask a name
/// server.
machine_names this_machine();

/// Whether `host` is this machine: a loopback or unspecified address, one of `own`, `localhost`,
/// the hostname (in any case of letters), or a name that resolves to such an address.
bool is_here(std::string_view host, const machine_names& own);

} // namespace shaddock::config
