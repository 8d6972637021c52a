#pragma once

#include <span>
#include <string>
#include <string_view>

namespace shaddock::protocol {

/// Base64 with padding.
std::string base64(std::span<const unsigned char> bytes);
/// base64(SHA-1(text)): WebSocket's accept value.
std::string sha1_base64(std::string_view text);
/// base64(MD5(text)): the versions of dictionary and protos.
std::string md5_base64(std::string_view text);

} // namespace shaddock::protocol
