#include "library_options.hpp"

#include "nkey.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

namespace shaddock::nats {

namespace {

/// A server that takes nothing for so long is left.
constexpr std::int64_t write_deadline_ms = 2000;
/// Of one subscription, in the library; it reckons with 1024 bytes for each, in an int.
constexpr int messages_that_wait = 1'000'000;

/// Sets one option after the other; the first that fails is the error.
class setter {
public:
    /// `what` names the setting, without its value if that is a secret.
    void operator()(natsStatus done, std::string_view what) {
        if (done != NATS_OK && !trouble_) {
            natsStatus ignored = NATS_OK;
            const char* why = nats_GetLastError(&ignored);
            trouble_ =
                error(errc::config,
                      fmt::format("cannot use {} for NATS: {}", what,
                                  why != nullptr && *why != '\0' ? why : natsStatus_GetText(done)));
        }
    }
    void refuse(std::string text) {
        if (!trouble_) {
            trouble_ = error(errc::config, std::move(text));
        }
    }
    const std::optional<error>& trouble() const { return trouble_; }

private:
    std::optional<error> trouble_;
};

void need_file(setter& set, const std::filesystem::path& file, std::string_view what) {
    if (!std::ifstream(file).good()) {
        set.refuse(fmt::format("cannot read the {} '{}' for NATS", what, file.string()));
    }
}

void set_servers(setter& set, natsOptions* made, const options& wanted) {
    std::vector<const char*> servers;
    for (const auto& each : wanted.servers) {
        // The text is not told: it may hold a password.
        if (port_of(each) == 0) {
            return set.refuse("an address of a NATS server is not of the form nats://HOST:PORT");
        }
        servers.push_back(each.c_str());
    }
    if (servers.empty()) {
        return set.refuse("no server of NATS is named");
    }
    set(natsOptions_SetServers(made, servers.data(), static_cast<int>(servers.size())),
        "the addresses");
}

void set_tls(setter& set, natsOptions* made, const options& wanted) {
    const auto& tls = wanted.tls;
    const bool is_on = tls.is_on || std::ranges::any_of(wanted.servers, [](const auto& each) {
                           return each.starts_with("tls://");
                       });
    if (!is_on) {
        return;
    }
    set(natsOptions_SetSecure(made, true), "TLS");
    if (!tls.ca.empty()) {
        need_file(set, tls.ca, "certificate authority");
        set(natsOptions_LoadCATrustedCertificates(made, tls.ca.c_str()),
            fmt::format("the certificate authority '{}'", tls.ca.string()));
    }
    if (tls.certificate.empty() != tls.key.empty()) {
        set.refuse("a certificate for NATS needs its key, and a key its certificate");
    } else if (!tls.certificate.empty()) {
        need_file(set, tls.certificate, "certificate");
        need_file(set, tls.key, "key");
        set(natsOptions_LoadCertificatesChain(made, tls.certificate.c_str(), tls.key.c_str()),
            fmt::format("the certificate '{}' and its key", tls.certificate.string()));
    }
    if (!tls.server_name.empty()) {
        set(natsOptions_SetExpectedHostname(made, tls.server_name.c_str()),
            fmt::format("the server name '{}'", tls.server_name));
    }
    if (!tls.is_verified) {
        set(natsOptions_SkipServerVerification(made, true), "a server that is not verified");
    }
}

void set_credentials(setter& set, natsOptions* made, const credentials& who) {
    const int kinds = int(!who.user.empty()) + int(!who.token.empty()) + int(!who.creds.empty()) +
                      int(!who.nkey_seed.empty());
    if (kinds > 1) {
        return set.refuse("NATS takes one kind of credentials: user and password, a token, a "
                          "credentials file or an nkey");
    }
    if (!who.user.empty()) {
        set(natsOptions_SetUserInfo(made, who.user.c_str(), who.password.c_str()),
            "the user and password");
    }
    if (!who.token.empty()) {
        set(natsOptions_SetToken(made, who.token.c_str()), "the token");
    }
    if (!who.creds.empty()) {
        need_file(set, who.creds, "credentials file");
        set(natsOptions_SetUserCredentialsFromFiles(made, who.creds.c_str(), nullptr),
            "the credentials file");
    }
    if (!who.nkey_seed.empty()) {
        need_file(set, who.nkey_seed, "seed file");
        std::ifstream file(who.nkey_seed);
        const auto key = public_nkey(std::string(std::istreambuf_iterator<char>(file), {}));
        if (!key) {
            return set.refuse(key.error().text());
        }
        set(natsOptions_SetNKeyFromSeed(made, key->c_str(), who.nkey_seed.c_str()), "the nkey");
    }
}

} // namespace

std::uint16_t port_of(std::string_view address) {
    const auto begin = address.starts_with("nats://")  ? 7U
                       : address.starts_with("tls://") ? 6U
                                                       : 0U;
    auto place = address.substr(begin);
    place.remove_prefix(place.rfind('@') + 1);
    const auto colon = place.rfind(':');
    if (begin == 0 || colon == std::string_view::npos || colon == 0) {
        return 0;
    }
    std::uint16_t port = 0;
    const auto* const end = place.data() + place.size();
    const auto read = std::from_chars(place.data() + colon + 1, end, port);
    return read.ec == std::errc() && read.ptr == end ? port : std::uint16_t{0};
}

result<library_options> make_library_options(const options& wanted) {
    natsOptions* raw = nullptr;
    setter set;
    set(natsOptions_Create(&raw), "the library");
    if (set.trouble()) {
        return *set.trouble();
    }
    library_options made(raw);
    set_servers(set, raw, wanted);
    set_tls(set, raw, wanted);
    set_credentials(set, raw, wanted.who);
    set(natsOptions_SetName(raw, wanted.name.c_str()), "the name");
    set(natsOptions_SetTimeout(raw, wanted.connect_timeout.count()), "the time to connect");
    set(natsOptions_SetMaxReconnect(raw, -1), "reconnects without end");
    set(natsOptions_SetReconnectWait(raw, wanted.reconnect_wait.count()), "the reconnect wait");
    set(natsOptions_SetReconnectJitter(raw, 20, 20), "the reconnect jitter");
    set(natsOptions_SetCustomInboxPrefix(raw, wanted.inbox_prefix.c_str()), "the inbox prefix");
    // What was published while it is down would come late, and nobody expects it any more.
    set(natsOptions_SetReconnectBufSize(raw, 1), "the reconnect buffer");
    set(natsOptions_SetPingInterval(raw, wanted.ping_interval.count()), "the ping interval");
    set(natsOptions_SetMaxPingsOut(raw, 2), "the number of pings");
    set(natsOptions_SetWriteDeadline(raw, write_deadline_ms), "the write deadline");
    set(natsOptions_SetSendAsap(raw, true), "sending at once");
    set(natsOptions_UseGlobalMessageDelivery(raw, true), "the pool of threads");
    set(natsOptions_SetMaxPendingMsgs(raw, messages_that_wait), "the number of messages that wait");
    if (set.trouble()) {
        return *set.trouble();
    }
    return made;
}

} // namespace shaddock::nats
