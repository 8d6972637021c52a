#include "nats/from_config.hpp"

#include <fmt/format.h>

namespace shaddock::nats {
namespace {

std::string inbox_of(const config::nats_options& wanted) {
    return fmt::format("shaddock.{}.inbox", wanted.cluster);
}

} // namespace

options options_for(const config::nats_options& wanted, const std::filesystem::path& folder,
                    std::string_view id) {
    const auto file = [&folder](const std::filesystem::path& name) {
        return name.empty() ? name : folder / name;
    };
    options out;
    out.servers = wanted.servers;
    out.name = fmt::format("shaddock {} {}", wanted.cluster, id);
    out.inbox_prefix = inbox_of(wanted);
    out.tls.ca = file(wanted.tls_ca);
    out.tls.certificate = file(wanted.tls_certificate);
    out.tls.key = file(wanted.tls_key);
    out.tls.is_on = !wanted.tls_ca.empty() || !wanted.tls_certificate.empty();
    out.who.user = wanted.user;
    out.who.password = wanted.password.reveal();
    out.who.token = wanted.token.reveal();
    out.who.creds = file(wanted.credentials);
    out.who.nkey_seed = file(wanted.nkey);
    return out;
}

kv_options bucket_for(const config::nats_options& wanted) {
    return {.bucket = "shaddock_" + wanted.cluster,
            .replicas = static_cast<int>(wanted.replicas),
            .inbox_prefix = inbox_of(wanted)};
}

} // namespace shaddock::nats
