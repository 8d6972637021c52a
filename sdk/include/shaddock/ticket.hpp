#pragma once

#include <shaddock/error.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <sys/stat.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Tickets: a server that knows who somebody is says so to another one, by way of the client.
/// Needs libcrypto of OpenSSL: `find_package(shaddock COMPONENTS ticket)`, link `shaddock::ticket`.
namespace shaddock {

/// Of tickets: whole seconds since 1970, UTC.
using ticket_time = std::chrono::sys_seconds;

namespace detail {

inline constexpr std::string_view base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Without padding (RFC 4648, section 5).
inline std::string to_base64url(std::string_view bytes) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char byte : bytes) {
        bits = bits << 8U | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6) {
            text += base64url[bits >> (count - 6) & 63U];
        }
    }
    if (count != 0) {
        text += base64url[bits << (6 - count) & 63U];
    }
    return text;
}

/// Nothing for any other text than to_base64url makes.
inline std::optional<std::string> from_base64url(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char letter : text) {
        const auto value = base64url.find(letter);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(static_cast<unsigned char>(bits >> count & 0xffU));
        }
    }
    const bool is_whole = count < 6 && (bits & ((1U << count) - 1)) == 0;
    return is_whole ? std::optional(std::move(bytes)) : std::nullopt;
}

inline std::string hmac_sha256(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(),
               mac.data(), &size) == nullptr) {
        throw error(errc::internal, "libcrypto makes no HMAC-SHA256");
    }
    return {reinterpret_cast<const char*>(mac.data()), size};
}

/// What comes before the next `separator`, which is taken off `rest` with it.
inline std::string_view take_word(std::string_view& rest, char separator) {
    const auto word = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    return word;
}

} // namespace detail

/// The keys of tickets: the first one signs, all of them check. Two at most, so that they can
/// change without a moment in which tickets are refused: the new key goes in as the second one
/// everywhere, then it becomes the first one, and the old one goes when its tickets have expired.
///
/// A ticket is a text of ASCII, at most 512 bytes:
///
///     sh1.<key>.<expiry>.<uid>.<mac>
///
/// `key`: the name of the key that signed. `expiry`: decimal, the second since 1970 from which on
/// it is not valid any more. `uid`: base64url without padding of 1 to 256 bytes. `mac`: base64url
/// without padding of HMAC-SHA256 over all that stands before the last dot. Nothing in it is
/// secret, and who has it may use it until it expires: send it over TLS.
class ticket_keys {
public:
    /// Form: one key a line, `<name> <hex>`: a name of 1 to 16 letters, digits, `_` or `-`, and 32
    /// to 64 bytes; empty lines and those that begin with `#` are passed over. Errors: config,
    /// naming the line.
    static result<ticket_keys> parse(std::string_view text) {
        ticket_keys keys;
        for (int line = 1; !text.empty(); ++line) {
            auto words = detail::take_word(text, '\n');
            while (!words.empty() && (words.back() == '\r' || words.back() == ' ')) {
                words.remove_suffix(1);
            }
            if (words.empty() || words.front() == '#') {
                continue;
            }
            const auto name = detail::take_word(words, ' ');
            auto bytes = bytes_of(words);
            if (!is_name(name) || !bytes) {
                return refuse(line, "expected a name of 1 to 16 letters, digits, '_' or '-', a "
                                    "blank, and 64 to 128 hex digits");
            }
            if (keys.find(name) != nullptr || keys.keys_.size() == 2) {
                return refuse(line, "expected two keys at most, with two names");
            }
            keys.keys_.push_back({std::string(name), std::move(*bytes)});
        }
        if (keys.keys_.empty()) {
            return error(errc::config, "there is no key in it");
        }
        return keys;
    }

    /// Reads them from a file, which must be a regular one that the group may not write and others
    /// may not even read. Blocks on the disk: call it while the server starts; `host reload` reads
    /// it anew. Errors: config, naming the file.
    static result<ticket_keys> load(const std::string& path) {
        const auto say = [&](const std::string& what) {
            return error(errc::config, "ticket keys: " + path + ": " + what);
        };
        std::ifstream file(path);
        struct stat info {};
        if (!file || ::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            return say("expected a file that can be read");
        }
        if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
            return say("others may know or change it: chmod 640 it at most");
        }
        auto keys = parse(std::string(std::istreambuf_iterator<char>(file), {}));
        return keys ? std::move(keys) : result<ticket_keys>(say(keys.error().text()));
    }

    /// A ticket for `uid` that is valid for `lifetime` from `now` on. Throws: bad_request for a uid
    /// that is empty or over 256 bytes.
    std::string issue(std::string_view uid, std::chrono::seconds lifetime,
                      ticket_time now = current_time()) const {
        if (uid.empty() || uid.size() > uid_limit_bytes) {
            throw error(errc::bad_request, "ticket: expected a uid of 1 to 256 bytes, found " +
                                               std::to_string(uid.size()));
        }
        const auto& key = keys_.front();
        std::string text(version);
        text.append(".").append(key.name).append(".");
        text.append(std::to_string((now + lifetime).time_since_epoch().count())).append(".");
        text += detail::to_base64url(uid);
        const auto mac = detail::to_base64url(detail::hmac_sha256(key.bytes, text));
        return text.append(".").append(mac);
    }

    /// The uid of a ticket that one of the keys has signed and that is valid at `now`. Takes as
    /// long for a signature whose first byte is wrong as for one whose last is. Errors: refused,
    /// saying why.
    result<std::string> check(std::string_view ticket, ticket_time now = current_time()) const {
        auto rest = ticket.substr(0, limit_bytes + 1);
        const auto is_version = detail::take_word(rest, '.') == version;
        const auto* key = find(detail::take_word(rest, '.'));
        const auto expiry = detail::take_word(rest, '.');
        const auto uid = detail::take_word(rest, '.');
        if (!is_version || ticket.size() > limit_bytes || rest.empty()) {
            return no("it is none");
        }
        if (key == nullptr) {
            return no("its key is not one of ours");
        }
        const auto signed_part = ticket.substr(0, ticket.size() - rest.size() - 1);
        const auto mac = detail::to_base64url(detail::hmac_sha256(key->bytes, signed_part));
        if (mac.size() != rest.size() ||
            ::CRYPTO_memcmp(mac.data(), rest.data(), mac.size()) != 0) {
            return no("its signature is wrong");
        }
        std::int64_t expires = 0;
        const auto read = std::from_chars(expiry.data(), expiry.data() + expiry.size(), expires);
        auto who = detail::from_base64url(uid);
        if (read.ec != std::errc() || read.ptr != expiry.data() + expiry.size() || !who ||
            who->empty() || who->size() > uid_limit_bytes) {
            return no("it is signed, but none");
        }
        if (now.time_since_epoch().count() >= expires) {
            return no("it has expired");
        }
        return std::move(*who);
    }

    static ticket_time current_time() {
        return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    }

private:
    static constexpr std::string_view version = "sh1";
    static constexpr std::size_t limit_bytes = 512;
    static constexpr std::size_t uid_limit_bytes = 256;

    struct named_key {
        std::string name;
        std::string bytes;
    };

    static error no(const char* why) { return {errc::refused, std::string("ticket: ") + why}; }
    static error refuse(int line, const char* what) {
        return {errc::config, "line " + std::to_string(line) + ": " + what};
    }
    static bool is_name(std::string_view text) {
        return !text.empty() && text.size() <= 16 &&
               text.find_first_not_of(detail::base64url) == std::string_view::npos;
    }
    static std::optional<std::string> bytes_of(std::string_view hex) {
        if (hex.size() < 64 || hex.size() > 128 || hex.size() % 2 != 0) {
            return std::nullopt;
        }
        std::string bytes;
        for (std::size_t at = 0; at < hex.size(); at += 2) {
            unsigned char byte = 0;
            const auto* end = hex.data() + at + 2;
            if (std::from_chars(hex.data() + at, end, byte, 16).ptr != end) {
                return std::nullopt;
            }
            bytes += static_cast<char>(byte);
        }
        return bytes;
    }
    const named_key* find(std::string_view name) const {
        for (const auto& key : keys_) {
            if (key.name == name) {
                return &key;
            }
        }
        return nullptr;
    }

    std::vector<named_key> keys_;
};

} // namespace shaddock
