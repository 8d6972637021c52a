#include "client_origin.hpp"

#include <protocol/http_text.hpp>

#include <algorithm>

namespace shaddock::net {
namespace {

/// An address, also with a port: `192.0.2.1:80`, `[2001:db8::1]:80`, `[2001:db8::1]`.
std::optional<base::ip_address> address_in(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == text.npos ? std::nullopt : base::parse_ip(text.substr(1, end - 1));
    }
    const auto colon = text.find(':');
    const bool has_port = colon != text.npos && text.find(':', colon + 1) == text.npos;
    return base::parse_ip(has_port ? text.substr(0, colon) : text);
}

} // namespace

base::ip_address client_behind(const base::ip_address& peer,
                               std::span<const std::string_view> forwarded_for,
                               const base::network_set& trusted) {
    auto client = peer;
    for (auto field = forwarded_for.rbegin(); field != forwarded_for.rend(); ++field) {
        std::string_view rest = *field;
        for (bool is_over = false; !is_over;) {
            const auto comma = rest.rfind(',');
            is_over = comma == rest.npos;
            const auto told = address_in(protocol::trim(is_over ? rest : rest.substr(comma + 1)));
            if (!trusted.contains(client) || !told) {
                return client;
            }
            client = *told;
            rest = rest.substr(0, is_over ? 0 : comma);
        }
    }
    return client;
}

bool is_origin_allowed(std::string_view origin, std::span<const std::string> allowed) {
    return std::any_of(allowed.begin(), allowed.end(), [origin](const std::string& one) {
        return one == "*" || protocol::equals_ignoring_case(one, origin);
    });
}

} // namespace shaddock::net
