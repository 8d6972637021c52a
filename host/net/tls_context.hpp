#pragma once

#include <net/tls.hpp>

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace shaddock::net {

struct ssl_free {
    void operator()(SSL_CTX* one) const { SSL_CTX_free(one); }
    void operator()(SSL* one) const { SSL_free(one); }
};

/// An identity as OpenSSL holds it. A connection keeps what it began with.
class tls_context final : public tls_identity {
public:
    tls_context(std::filesystem::path certificate, std::filesystem::path key)
        : certificate_(std::move(certificate)), key_(std::move(key)) {}

    result<void> read_again() override;
    std::string text() const override;
    bool has_expired() const override;

    /// The server's side of a new connection; null: no memory.
    std::unique_ptr<SSL, ssl_free> begin() const;

private:
    std::filesystem::path certificate_;
    std::filesystem::path key_;
    std::unique_ptr<SSL_CTX, ssl_free> now_;
};

/// OpenSSL's words for the oldest thing that went wrong in this thread; clears them.
std::string tls_problem();

} // namespace shaddock::net
