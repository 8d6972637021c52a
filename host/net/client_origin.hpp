#pragma once

#include <base/clock.hpp>
#include <base/network.hpp>
#include <net/drop.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace shaddock::net {

/// Where a client comes from, as far as it is known, and what that means for it.
struct client_origin {
    /// Of the peer; once a trusted proxy has told it, of the client behind it.
    base::ip_address from{};
    /// 0: not known.
    std::uint16_t port = 0;
    /// Our side of the connection, or the proxy's that the client has reached.
    base::ip_address reached_at{};
    /// `from` is a trusted proxy: it is not counted, and may say for whom it speaks.
    bool is_trusted = false;
    /// A PROXY header must come before anything else.
    bool must_have_header = false;
    /// It holds one of the places of the port.
    bool has_place = false;
    /// It holds one of the places of its address.
    bool is_counted = false;
    /// When it was accepted.
    base::time_point came{};
    /// Why it is not served: it is told so where the wire has a place for it.
    std::optional<drop> refused{};
};

/// The client's address as the chain of proxies tells it: from the right, as long as the one who
/// speaks is trusted. `peer`: who has sent the request. `forwarded_for`: the values of all
/// X-Forwarded-For fields, in their order. A part that is no address ends the search: the client is
/// the proxy that wrote it.
base::ip_address client_behind(const base::ip_address& peer,
                               std::span<const std::string_view> forwarded_for,
                               const base::network_set& trusted);

/// Whether a page of this origin may connect: `allowed` has it, in any case of letters, or `*`.
bool is_origin_allowed(std::string_view origin, std::span<const std::string> allowed);

} // namespace shaddock::net
