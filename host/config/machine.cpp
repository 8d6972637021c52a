#include "machine.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <ifaddrs.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <unistd.h>

namespace shaddock::config {
namespace {

namespace ip = boost::asio::ip;

std::string hostname() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string();
}

/// IPv6 without its scope: `fe80::1%eth0` is `fe80::1` here.
ip::address plain(const ip::address& from) {
    if (from.is_v4()) {
        return from;
    }
    const ip::address_v6 bare(from.to_v6().to_bytes());
    return bare.is_v4_mapped() ? ip::address(ip::make_address_v4(ip::v4_mapped, bare))
                               : ip::address(bare);
}

std::optional<ip::address> address_of(const sockaddr* from) {
    if (from == nullptr) { // an interface without addresses
        return std::nullopt;
    }
    if (from->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, from, sizeof v4);
        return ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (from->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, from, sizeof v6);
        ip::address_v6::bytes_type bytes{};
        std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
        return ip::address_v6(bytes);
    }
    return std::nullopt;
}

bool same_name(std::string_view one, std::string_view other) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

std::vector<ip::address> addresses_of(const std::string& name) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (getaddrinfo(name.c_str(), nullptr, &wanted, &first) != 0) {
        return {};
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(first, freeaddrinfo);
    std::vector<ip::address> found;
    for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
        if (const auto address = address_of(one->ai_addr)) {
            found.push_back(*address);
        }
    }
    return found;
}

bool is_own(const ip::address& from, const machine_names& own) {
    const auto address = plain(from);
    return address.is_loopback() || address.is_unspecified() || !own.has_addresses ||
           std::any_of(own.addresses.begin(), own.addresses.end(),
                       [&](const ip::address& mine) { return plain(mine) == address; });
}

} // namespace

machine_names this_machine() {
    machine_names own;
    own.look_up = addresses_of;
    own.hostname = hostname();
    ifaddrs* first = nullptr;
    own.has_addresses = getifaddrs(&first) == 0;
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(first, [](ifaddrs* all) {
        if (all != nullptr) {
            freeifaddrs(all);
        }
    });
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
        if (const auto address = address_of(one->ifa_addr)) {
            own.addresses.push_back(*address);
        }
    }
    return own;
}

bool is_here(std::string_view host, const machine_names& own) {
    boost::system::error_code is_name;
    const auto parsed = ip::make_address(host, is_name);
    if (!is_name) {
        return is_own(parsed, own);
    }
    if (same_name(host, "localhost") || (!host.empty() && same_name(host, own.hostname))) {
        return true;
    }
    if (host.empty() || !own.look_up) {
        return false;
    }
    const auto found = own.look_up(std::string(host));
    return std::any_of(found.begin(), found.end(),
                       [&](const ip::address& one) { return is_own(one, own); });
}

} // namespace shaddock::config
