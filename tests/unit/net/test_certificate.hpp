#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include <unistd.h>

namespace shaddock::net::testing {

/// A key and a certificate that it has signed itself, as files of a folder that goes with it.
class test_certificate {
public:
    /// `seconds`: from now until it expires. `passphrase`: of the key; none when empty.
    explicit test_certificate(long seconds = 3600, const std::string& passphrase = {}) {
        std::string name =
            (std::filesystem::temp_directory_path() / "shaddock-tls-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> made(EVP_EC_gen("P-256"),
                                                                       &EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> one(X509_new(), &X509_free);
        ASN1_INTEGER_set(X509_get_serialNumber(one.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(one.get()), -7200);
        X509_gmtime_adj(X509_getm_notAfter(one.get()), seconds);
        X509_set_pubkey(one.get(), made.get());
        auto* const subject = X509_get_subject_name(one.get());
        const auto* const host = reinterpret_cast<const unsigned char*>("chat.test");
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, host, -1, -1, 0);
        X509_set_issuer_name(one.get(), subject);
        X509_sign(one.get(), made.get(), EVP_sha256());
        write(certificate(), [&](FILE* to) { PEM_write_X509(to, one.get()); });
        write(key(), [&](FILE* to) {
            const auto* const cipher = passphrase.empty() ? nullptr : EVP_aes_128_cbc();
            PEM_write_PrivateKey(to, made.get(), cipher,
                                 reinterpret_cast<const unsigned char*>(passphrase.data()),
                                 static_cast<int>(passphrase.size()), nullptr, nullptr);
        });
    }
    test_certificate(const test_certificate&) = delete;
    test_certificate& operator=(const test_certificate&) = delete;
    ~test_certificate() { std::filesystem::remove_all(folder_); }

    std::filesystem::path certificate() const { return folder_ / "cert.pem"; }
    std::filesystem::path key() const { return folder_ / "key.pem"; }

private:
    template <class Write>
    static void write(const std::filesystem::path& file, Write write) {
        const std::unique_ptr<FILE, int (*)(FILE*)> to(std::fopen(file.c_str(), "w"), &std::fclose);
        write(to.get());
    }

    std::filesystem::path folder_;
};

} // namespace shaddock::net::testing
