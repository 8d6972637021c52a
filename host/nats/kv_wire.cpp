#include "kv_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace shaddock::nats::wire {

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, failed] = std::from_chars(text.data(), end, value);
    return failed == std::errc() && at == end ? std::optional(value) : std::nullopt;
}

} // namespace

std::optional<place> read_place(std::string_view reply) {
    // $JS.ACK.<stream>.<consumer>.<tries>.<revision>.<delivered>.<time>.<pending>
    // $JS.ACK.<domain>.<account>.<stream>. .. .<pending>[.<token>]
    constexpr std::string_view begins = "$JS.ACK.";
    if (!reply.starts_with(begins)) {
        return std::nullopt;
    }
    std::vector<std::string_view> words;
    for (auto rest = reply.substr(begins.size()); words.size() < 16;) {
        const auto dot = rest.find('.');
        words.push_back(rest.substr(0, dot));
        if (dot == std::string_view::npos) {
            break;
        }
        rest.remove_prefix(dot + 1);
    }
    if (words.size() != 7 && words.size() < 9) {
        return std::nullopt;
    }
    const std::size_t first = words.size() == 7 ? 3 : 5;
    const auto revision = number_of(words[first]);
    const auto delivered = number_of(words[first + 1]);
    if (!revision || !delivered) {
        return std::nullopt;
    }
    return place{*revision, *delivered};
}

std::string from_base64(std::string_view text) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        const auto digit = digits.find(c);
        if (digit == std::string_view::npos) {
            break;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes.push_back(static_cast<char>((bits >> static_cast<unsigned>(held)) & 0xffU));
        }
    }
    return bytes;
}

error error_of(const failure& refused) {
    constexpr int wrong_last_revision = 10071;
    constexpr int name_in_use = 10058;
    const bool is_other =
        refused.err_code == wrong_last_revision || refused.err_code == name_in_use;
    const auto code = refused.code == 404 ? errc::not_found
                      : is_other          ? errc::duplicate
                                          : errc::internal;
    return {code, fmt::format("JetStream: {} ({})", refused.description, refused.err_code)};
}

} // namespace shaddock::nats::wire
