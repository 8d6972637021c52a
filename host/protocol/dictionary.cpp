#include <protocol/dictionary.hpp>

#include "digest.hpp"
#include "javascript.hpp"

#include <protocol/utf8.hpp>

#include <shaddock/detail/json_text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::protocol {

namespace {

constexpr std::size_t max_codes = 65535;

/// Where a byte of UTF-8 stands in the order of UTF-16 units: characters beyond U+FFFF (first byte
/// F0 and up) begin with a surrogate there, before U+E000 to U+FFFF (first byte EE or EF).
constexpr unsigned utf16_rank(unsigned char byte) {
    if (byte < 0xee) {
        return byte;
    }
    return byte < 0xf0 ? byte + 0x10U : byte - 2U;
}

bool utf16_less(std::string_view left, std::string_view right) {
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                        [](char a, char b) {
                                            return utf16_rank(static_cast<unsigned char>(a)) <
                                                   utf16_rank(static_cast<unsigned char>(b));
                                        });
}

/// The codes (1 and up) of each route once, in the order of JavaScript's keys. A route that is
/// there twice stands where it stood first.
std::vector<std::size_t> key_order(const std::vector<std::string>& routes,
                                   const std::vector<bool>& is_first) {
    std::vector<std::pair<std::uint32_t, std::size_t>> numbered;
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        if (!is_first[i]) {
            continue;
        }
        if (const auto index = array_index(routes[i])) {
            numbered.emplace_back(*index, i);
        } else {
            others.push_back(i);
        }
    }
    std::ranges::sort(numbered);
    std::vector<std::size_t> order;
    order.reserve(numbered.size() + others.size());
    for (const auto& [index, at] : numbered) {
        order.push_back(at);
    }
    order.insert(order.end(), others.begin(), others.end());
    return order;
}

void end_object(std::string& json) {
    if (json.size() > 1) {
        json.pop_back(); // the last comma
    }
    json += '}';
}

} // namespace

result<route_dictionary> route_dictionary::build(std::vector<std::string> handlers,
                                                 const std::vector<std::string>& extra) {
    std::ranges::sort(handlers, utf16_less);
    handlers.erase(std::unique(handlers.begin(), handlers.end()), handlers.end());
    if (handlers.size() + extra.size() > max_codes) {
        return error(errc::config, fmt::format("dictionary: {} routes, at most {} have codes",
                                               handlers.size() + extra.size(), max_codes));
    }
    route_dictionary made;
    made.routes_ = std::move(handlers);
    made.routes_.insert(made.routes_.end(), extra.begin(), extra.end());
    std::vector<bool> is_first(made.routes_.size());
    for (std::size_t i = 0; i < made.routes_.size(); ++i) {
        const std::string& route = made.routes_[i];
        if (route.empty() || !is_utf8(route)) {
            return error(errc::config, fmt::format("dictionary: route {} is {}", i + 1,
                                                   route.empty() ? "empty" : "not UTF-8"));
        }
        const auto code = static_cast<std::uint16_t>(i + 1);
        is_first[i] = made.codes_.insert_or_assign(route, code).second;
    }
    made.write(key_order(made.routes_, is_first));
    return made;
}

void route_dictionary::write(const std::vector<std::size_t>& order) {
    std::string hashed = "{";
    route_to_code_ = "{";
    for (const std::size_t at : order) {
        const std::string& route = routes_[at];
        const auto entry = fmt::format(":{},", code_of(route));
        append_javascript_string(hashed, route);
        detail::append_string(route_to_code_, route);
        hashed += entry;
        route_to_code_ += entry;
    }
    end_object(hashed);
    end_object(route_to_code_);
    version_ = md5_base64(hashed);

    code_to_route_ = "{";
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        code_to_route_ += fmt::format("\"{}\":", i + 1);
        detail::append_string(code_to_route_, routes_[i]);
        code_to_route_ += ',';
    }
    end_object(code_to_route_);
}

std::uint16_t route_dictionary::code_of(std::string_view route) const {
    const auto found = codes_.find(route);
    return found == codes_.end() ? std::uint16_t{0} : found->second;
}

std::string_view route_dictionary::route_of(std::uint16_t code) const {
    return code == 0 || code > routes_.size() ? std::string_view() : routes_[code - 1U];
}

} // namespace shaddock::protocol
