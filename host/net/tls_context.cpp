#include "tls_context.hpp"

#include <fmt/format.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include <array>
#include <string_view>
#include <system_error>
#include <utility>

namespace shaddock::net {

namespace {

/// Sessions of this program are resumed by no other.
constexpr std::string_view session_context = "shaddock";

/// A passphrase would be asked for on the terminal: none.
int no_passphrase(char* /*into*/, int /*size*/, int /*for_writing*/, void* /*user*/) {
    return -1;
}

error wrong(const std::filesystem::path& file, std::string_view wanted) {
    return {errc::config, fmt::format("{}: {}; wanted: {}", file.string(), tls_problem(), wanted)};
}

std::unique_ptr<SSL_CTX, ssl_free> make_context() {
    std::unique_ptr<SSL_CTX, ssl_free> made(SSL_CTX_new(TLS_server_method()));
    if (!made) {
        return made;
    }
    auto* const context = made.get();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Renegotiation lets a client order any number of handshakes on one connection.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    // An idle connection holds no buffers.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // Tickets only: a cache of sessions would be memory that clients fill.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_session_id_context(context,
                                   reinterpret_cast<const unsigned char*>(session_context.data()),
                                   static_cast<unsigned>(session_context.size()));
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    return made;
}

/// Tickets made by the old one are good for the new one.
void keep_tickets(SSL_CTX* before, SSL_CTX* next) {
    std::array<unsigned char, 256> keys{};
    const auto size = SSL_CTX_get_tlsext_ticket_keys(before, nullptr, 0);
    if (size > 0 && static_cast<std::size_t>(size) <= keys.size() &&
        SSL_CTX_get_tlsext_ticket_keys(before, keys.data(), size) == 1) {
        SSL_CTX_set_tlsext_ticket_keys(next, keys.data(), size);
    }
    OPENSSL_cleanse(keys.data(), keys.size());
}

std::string text_of(BIO* from) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(from, &data);
    return {data, static_cast<std::size_t>(size)};
}

} // namespace

std::string tls_problem() {
    const auto first = ERR_get_error();
    ERR_clear_error();
    if (first == 0) {
        return "unknown reason";
    }
    if (ERR_SYSTEM_ERROR(first)) {
        return std::generic_category().message(ERR_GET_REASON(first));
    }
    if (const auto* const words = ERR_reason_error_string(first)) {
        return words;
    }
    return fmt::format("OpenSSL error {:x}", first);
}

result<std::shared_ptr<tls_identity>> tls_identity::open(std::filesystem::path certificate,
                                                         std::filesystem::path key) {
    auto made = std::make_shared<tls_context>(std::move(certificate), std::move(key));
    if (const auto read = made->read_again(); !read) {
        return read.error();
    }
    return std::shared_ptr<tls_identity>(std::move(made));
}

result<void> tls_context::read_again() {
    ERR_clear_error();
    auto next = make_context();
    if (!next) {
        return error(errc::config, "TLS: " + tls_problem());
    }
    if (SSL_CTX_use_certificate_chain_file(next.get(), certificate_.c_str()) != 1) {
        return wrong(certificate_, "a certificate in PEM form, and those that lead to its root");
    }
    if (SSL_CTX_use_PrivateKey_file(next.get(), key_.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(next.get()) != 1) {
        return wrong(key_, fmt::format("the key of the certificate in {}, in PEM form, without a "
                                       "passphrase",
                                       certificate_.string()));
    }
    if (now_) {
        keep_tickets(now_.get(), next.get());
    }
    now_ = std::move(next);
    return {};
}

std::string tls_context::text() const {
    const auto* const one = SSL_CTX_get0_certificate(now_.get());
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    X509_NAME_print_ex(out.get(), X509_get_subject_name(one), 0, XN_FLAG_ONELINE);
    BIO_puts(out.get(), ", until ");
    ASN1_TIME_print(out.get(), X509_get0_notAfter(one));
    return text_of(out.get());
}

bool tls_context::has_expired() const {
    return X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(now_.get()))) < 0;
}

std::unique_ptr<SSL, ssl_free> tls_context::begin() const {
    return std::unique_ptr<SSL, ssl_free>(SSL_new(now_.get()));
}

} // namespace shaddock::net
