#pragma once

#include <shaddock/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace shaddock::net {

/// Certificate and key of a client port, as TLS needs them: versions 1.2 and 1.3, no client
/// certificates, sessions resumed by tickets whose keys live as long as this object.
/// Thread: the loop; reading blocks on the disk. Lifetime: shared with the connections made by it.
class tls_identity {
public:
    virtual ~tls_identity() = default;

    /// Reads the files again, for connections from now on; tickets given out before stay good.
    /// Errors: as open(); what was read before stays in use.
    virtual result<void> read_again() = 0;
    /// For the log: `CN=chat.example.org, until Mar  1 12:00:00 2027 GMT`.
    virtual std::string text() const = 0;
    /// By the clock of the system, when asked.
    virtual bool has_expired() const = 0;

    /// `certificate`: PEM, the server's own first, then those that lead to its root. `key`: PEM,
    /// without a passphrase. Errors: config, naming the file, what is wrong and what is wanted.
    static result<std::shared_ptr<tls_identity>> open(std::filesystem::path certificate,
                                                      std::filesystem::path key);
};

/// What a port does with clients that do not begin with TLS, when it has an identity.
enum class plain_clients : std::uint8_t { refused, served };

} // namespace shaddock::net
