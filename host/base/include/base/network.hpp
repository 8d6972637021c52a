#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

/// IP addresses and networks as values: what limits, lists and logs speak of. Thread: any.
namespace shaddock::base {

/// An IPv4 address is kept as the IPv6 address that maps it (`::ffff:192.0.2.1`), so that both
/// spellings are one. All zeros: none.
struct ip_address {
    std::array<std::uint8_t, 16> bytes{};

    bool is_v4() const;
    bool is_none() const { return *this == ip_address{}; }
    friend auto operator<=>(const ip_address&, const ip_address&) = default;
};
/// The four bytes in the order in which they are written.
ip_address ip_of_v4(const std::array<std::uint8_t, 4>& bytes);
/// `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`; no port, no scope, no brackets.
std::optional<ip_address> parse_ip(std::string_view text);
/// IPv4 as such; IPv6 in its short form. Empty: none.
std::string to_text(const ip_address& address);
/// `192.0.2.1:80`, `[2001:db8::1]:80`; port 0: the address alone.
std::string to_text(const ip_address& address, std::uint16_t port);

/// Addresses that begin with the same bits.
struct network {
    ip_address first;
    /// Of the mapped form: 96 more than the prefix length of an IPv4 network.
    std::uint8_t bits = 128;
    friend bool operator==(const network&, const network&) = default;
};
/// `address` without all but its first `bits` bits.
ip_address masked(const ip_address& address, std::size_t bits);
/// `192.0.2.0/24`, `2001:db8::/32`, or an address alone. Bits behind the prefix do not count.
std::optional<network> parse_network(std::string_view text);

struct ip_hash {
    std::size_t operator()(const ip_address& address) const noexcept;
};

/// Networks to look addresses up in: one look for each length of prefix, however many there are.
class network_set {
public:
    network_set() = default;
    explicit network_set(const std::vector<network>& all);

    bool contains(const ip_address& address) const;
    bool is_empty() const { return by_length_.empty(); }
    std::size_t size() const;

private:
    struct of_one_length {
        std::uint8_t bits = 0;
        std::unordered_set<ip_address, ip_hash> prefixes;
    };
    std::vector<of_one_length> by_length_;
};

} // namespace shaddock::base
