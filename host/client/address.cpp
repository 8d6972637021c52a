#include "client/address.hpp"

#include <fmt/format.h>

#include <charconv>

namespace shaddock::client {

std::string address::text() const {
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

result<address> parse_address(std::string_view text) {
    const auto wrong = [text] {
        return error(errc::bad_request,
                     fmt::format("found '{}', expected HOST:PORT as in 127.0.0.1:3014", text));
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return wrong();
    }
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (has_brackets) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of("[]:") != std::string_view::npos) {
        return wrong();
    }
    std::uint16_t port = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stopped, failed] = std::from_chars(digits.data(), end, port);
    if (failed != std::errc() || stopped != end || port == 0) {
        return wrong();
    }
    return address{std::string(host), port};
}

} // namespace shaddock::client
