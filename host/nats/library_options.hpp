#pragma once

#include "nats/connection.hpp"

#include <nats/nats.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace shaddock::nats {

struct destroy_options {
    void operator()(natsOptions* made) const { natsOptions_Destroy(made); }
};
using library_options = std::unique_ptr<natsOptions, destroy_options>;

/// Of `nats://HOST:PORT` or `tls://..`, perhaps with `user:password@` before the host; 0: it is not
/// of that form.
std::uint16_t port_of(std::string_view address);

/// What the library is told of a connection, callbacks apart. Reads certificates and credentials.
/// Errors: config, by name of the setting; secrets are not in the text.
result<library_options> make_library_options(const options& wanted);

} // namespace shaddock::nats
