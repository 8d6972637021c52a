#pragma once

#include <shaddock/error.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::protocol {

/// The RSA key that a client gave in its handshake, to check the signatures of its bodies (option
/// `crypto`). Nothing is encrypted; only client to server is signed. A value; copies share.
/// Thread: any. Source: Pomelo lib/components/connector.js and util/utils.js.
class client_key {
public:
    /// `rsa`: the handshake's `sys.rsa`, `{"rsa_n":"<hex modulus>","rsa_e":65537}`. Limits: modulus
    /// of 512 to 4096 bits, exponent odd and from 3 to 65537 (a text is refused, as the original).
    /// Errors: bad_request for anything else.
    static result<client_key> parse(std::string_view rsa);

    /// Takes `__crypto__` (RSASSA-PKCS1-v1_5, SHA-256, hex) off `body`, a JSON object, and checks
    /// it over the rest as JSON.stringify writes it in received key order, hashed as UTF-8, as
    /// CESU-8, or as the original does without CJK: the low byte of each UTF-16 unit. Returns the
    /// rest. Up to 8 leading zeros of the signature may be missing; at most 64 levels; numbers
    /// beyond the doubles are no JSON. Errors: refused when it is absent or wrong, bad_request when
    /// the body is no JSON object.
    result<std::string> checked_body(std::string_view body) const;

private:
    struct contents;
    explicit client_key(std::shared_ptr<const contents> given) : contents_(std::move(given)) {}
    std::shared_ptr<const contents> contents_;
};

} // namespace shaddock::protocol
