#pragma once

#include <shaddock/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace shaddock::client {

/// Where a frontend listens.
struct address {
    /// A name or an IP address, IPv6 without brackets.
    std::string host;
    /// 1 to 65535.
    std::uint16_t port = 0;

    /// `127.0.0.1:3014`, `[::1]:3014`.
    std::string text() const;
    friend bool operator==(const address&, const address&) = default;
};

/// Reads what address::text() writes. Errors: bad_request, with what was found and expected.
result<address> parse_address(std::string_view text);

} // namespace shaddock::client
