#pragma once

#include <shaddock/json.hpp>

#include <boost/describe.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// A JSON Web Token of one's own in the place of a ticket: HS256, as a web site's login issues it.
/// Source: RFC 7515, 7519.
namespace doorkeeper {

struct jwt_head {
    std::string alg;
};
BOOST_DESCRIBE_STRUCT(jwt_head, (), (alg))

struct jwt_claims {
    std::string sub;
    std::string aud;
    /// Seconds since 1970.
    std::int64_t exp = 0;
};
BOOST_DESCRIBE_STRUCT(jwt_claims, (), (sub, aud, exp))

/// base64url without padding.
inline std::optional<std::string> decode_base64url(std::string_view text) {
    std::string padded;
    for (const char each : text) {
        padded += each == '-' ? '+' : each == '_' ? '/' : each;
    }
    const std::size_t missing = (4 - text.size() % 4) % 4;
    padded.append(missing, '=');
    std::string bytes(padded.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(padded.data()),
                                     static_cast<int>(padded.size()));
    if (missing == 3 || size < 0 || text.find('=') != text.npos) {
        return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(size) - missing);
    return bytes;
}

/// For whom the token is: its `sub`. Nothing unless it is signed with `secret` by HS256 (and by no
/// other algorithm, whatever it says), for `audience`, and not over at `now`, in seconds since
/// 1970.
inline std::optional<std::string> subject_of_jwt(std::string_view token, std::string_view secret,
                                                 std::string_view audience, std::int64_t now) {
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (token.size() > 4096 || first == last) {
        return std::nullopt;
    }
    const auto head = decode_base64url(token.substr(0, first));
    const auto body = decode_base64url(token.substr(first + 1, last - first - 1));
    const auto mac = decode_base64url(token.substr(last + 1));
    if (!head || !body || !mac) {
        return std::nullopt;
    }
    const auto signed_part = token.substr(0, last);
    std::array<unsigned char, 32> wanted{};
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(),
         wanted.data(), nullptr);
    // First the signature: nothing else of what a stranger says is looked at.
    if (mac->size() != wanted.size() ||
        CRYPTO_memcmp(mac->data(), wanted.data(), wanted.size()) != 0) {
        return std::nullopt;
    }
    const auto says = shaddock::json::decode_tolerant<jwt_head>(*head, "head");
    auto claims = shaddock::json::decode_tolerant<jwt_claims>(*body, "claims");
    if (!says || says->alg != "HS256" || !claims || claims->aud != audience || claims->exp <= now ||
        claims->sub.empty()) {
        return std::nullopt;
    }
    return std::move(claims->sub);
}

} // namespace doorkeeper
