#include <base/network.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace shaddock::base {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t v4_bits_before = 96;

} // namespace

bool ip_address::is_v4() const {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

ip_address ip_of_v4(const std::array<std::uint8_t, 4>& bytes) {
    ip_address address;
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin());
    std::copy(bytes.begin(), bytes.end(), address.bytes.begin() + mapped_prefix.size());
    return address;
}

std::optional<ip_address> parse_ip(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> copy{};
    if (text.empty() || text.size() >= copy.size()) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), copy.begin());
    if (std::array<std::uint8_t, 4> v4{}; inet_pton(AF_INET, copy.data(), v4.data()) == 1) {
        return ip_of_v4(v4);
    }
    ip_address v6;
    return inet_pton(AF_INET6, copy.data(), v6.bytes.data()) == 1 ? std::optional(v6)
                                                                  : std::nullopt;
}

std::string to_text(const ip_address& address) {
    if (address.is_none()) {
        return {};
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool is_v4 = address.is_v4();
    inet_ntop(is_v4 ? AF_INET : AF_INET6,
              address.bytes.data() + (is_v4 ? mapped_prefix.size() : std::size_t{0}), text.data(),
              text.size());
    return text.data();
}

std::string to_text(const ip_address& address, std::uint16_t port) {
    auto text = to_text(address);
    if (port == 0) {
        return text;
    }
    return address.is_v4() ? fmt::format("{}:{}", text, port) : fmt::format("[{}]:{}", text, port);
}

ip_address masked(const ip_address& address, std::size_t bits) {
    auto out = address;
    for (std::size_t i = 0; i < out.bytes.size(); ++i) {
        const auto kept = std::min<std::size_t>(8, bits - std::min(bits, i * 8));
        out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] & (0xff00U >> kept));
    }
    return out;
}

std::optional<network> parse_network(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_ip(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    // An IPv6 spelling of an IPv4 address has the prefix length of IPv6.
    const bool is_short = address->is_v4() && text.substr(0, slash).find(':') == text.npos;
    std::size_t bits = is_short ? 32 : 128;
    if (slash != std::string_view::npos) {
        const auto number = text.substr(slash + 1);
        std::size_t wanted = 0;
        const auto [end, failed] =
            std::from_chars(number.data(), number.data() + number.size(), wanted);
        if (failed != std::errc() || end != number.data() + number.size() || wanted > bits) {
            return std::nullopt;
        }
        bits = wanted;
    }
    bits += is_short ? v4_bits_before : 0;
    return network{masked(*address, bits), static_cast<std::uint8_t>(bits)};
}

std::size_t ip_hash::operator()(const ip_address& address) const noexcept {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
}

network_set::network_set(const std::vector<network>& all) {
    for (const auto& each : all) {
        auto at = std::find_if(by_length_.begin(), by_length_.end(),
                               [&](const auto& one) { return one.bits == each.bits; });
        if (at == by_length_.end()) {
            at = by_length_.insert(at, {each.bits, {}});
        }
        at->prefixes.insert(each.first);
    }
}

bool network_set::contains(const ip_address& address) const {
    return std::any_of(by_length_.begin(), by_length_.end(), [&](const auto& one) {
        return one.prefixes.contains(masked(address, one.bits));
    });
}

std::size_t network_set::size() const {
    std::size_t count = 0;
    for (const auto& one : by_length_) {
        count += one.prefixes.size();
    }
    return count;
}

} // namespace shaddock::base
