#include "nkey.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

namespace shaddock::nats {

namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t seed_letters = 58;
constexpr std::size_t key_bytes = 32;
/// Of a seed, and of the kind "user", each five bits.
constexpr unsigned seed_prefix = 18U << 3U;
constexpr unsigned user_prefix = 20U << 3U;

std::string from_base32(std::string_view text) {
    std::string bytes;
    unsigned bits = 0;
    unsigned held = 0;
    for (const char each : text) {
        held = (held << 5U | static_cast<unsigned>(digits.find(each))) & 0xfffU;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(held >> bits & 0xffU);
        }
    }
    return bytes;
}

std::string to_base32(std::string_view bytes) {
    std::string text;
    unsigned bits = 0;
    unsigned held = 0;
    for (const char each : bytes) {
        held = (held << 8U | static_cast<unsigned char>(each)) & 0xfffU;
        for (bits += 8; bits >= 5; bits -= 5) {
            text += digits[held >> (bits - 5) & 0x1fU];
        }
    }
    if (bits > 0) {
        text += digits[held << (5 - bits) & 0x1fU];
    }
    return text;
}

/// CRC-16/XMODEM, low byte first.
std::string check_of(std::string_view bytes) {
    unsigned crc = 0;
    for (const char each : bytes) {
        crc ^= static_cast<unsigned>(static_cast<unsigned char>(each)) << 8U;
        for (int i = 0; i < 8; ++i) {
            crc = (crc << 1U ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0U)) & 0xffffU;
        }
    }
    return {static_cast<char>(crc & 0xffU), static_cast<char>(crc >> 8U)};
}

/// `SU` and what belongs to it; empty: there is none.
std::string_view seed_in(std::string_view text) {
    for (auto at = text.find("SU"); at != std::string_view::npos; at = text.find("SU", at + 1)) {
        const auto rest = text.substr(at);
        const auto length = std::min(rest.find_first_not_of(digits), rest.size());
        const bool is_at_start = at == 0 || digits.find(text[at - 1]) == std::string_view::npos;
        if (is_at_start && length == seed_letters) {
            return rest.substr(0, length);
        }
    }
    return {};
}

} // namespace

result<std::string> public_nkey(std::string_view file_text) {
    const error no_seed(errc::config, "the seed file of the nkey has no seed of a user (SU..)");
    auto seed = from_base32(seed_in(file_text));
    if (seed.size() != 2 + key_bytes + 2) {
        return no_seed;
    }
    const auto prefix = static_cast<unsigned char>(seed[0]);
    const auto kind = (prefix & 7U) << 5U | static_cast<unsigned char>(seed[1]) >> 3U;
    const bool is_whole = check_of(std::string_view(seed).substr(0, 2 + key_bytes)) ==
                          std::string_view(seed).substr(2 + key_bytes);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                     reinterpret_cast<const unsigned char*>(seed.data()) + 2,
                                     key_bytes),
        EVP_PKEY_free);
    OPENSSL_cleanse(seed.data(), seed.size());
    std::array<unsigned char, key_bytes> found{};
    std::size_t size = found.size();
    if ((prefix & 0xf8U) != seed_prefix || kind != user_prefix || !is_whole || key == nullptr ||
        EVP_PKEY_get_raw_public_key(key.get(), found.data(), &size) != 1) {
        return no_seed;
    }
    std::string made(1, static_cast<char>(user_prefix));
    made.append(reinterpret_cast<const char*>(found.data()), size);
    return to_base32(made + check_of(made));
}

} // namespace shaddock::nats
