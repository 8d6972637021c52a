#include "digest.hpp"

#include <openssl/evp.h>

#include <array>

namespace shaddock::protocol {

namespace {

std::string digest_base64(std::string_view text, const EVP_MD* method) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, method, nullptr);
    return base64(std::span(digest).first(size));
}

} // namespace

std::string base64(std::span<const unsigned char> bytes) {
    // EVP_EncodeBlock writes a closing zero.
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                    static_cast<int>(bytes.size()));
    text.pop_back();
    return text;
}

std::string sha1_base64(std::string_view text) {
    return digest_base64(text, EVP_sha1());
}

std::string md5_base64(std::string_view text) {
    return digest_base64(text, EVP_md5());
}

} // namespace shaddock::protocol
