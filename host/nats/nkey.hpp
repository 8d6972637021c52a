#pragma once

#include <shaddock/error.hpp>

#include <string>
#include <string_view>

namespace shaddock::nats {

/// The public key (`U..`) of the seed (`SU..`) that stands in the text of a seed file, alone or
/// between lines of dashes. Form: base32 of prefix, 32 bytes and CRC-16; Ed25519. Errors: config
/// (no seed of a user); the text is not told.
result<std::string> public_nkey(std::string_view file_text);

} // namespace shaddock::nats
