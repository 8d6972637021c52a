#include "node/tls_files.hpp"

#include "base/log.hpp"

namespace shaddock::node {
namespace {

void tell(const net::tls_identity& identity, const char* what) {
    if (identity.has_expired()) {
        base::log::warn("net", "the certificate of clients has expired: {}", identity.text());
    } else {
        base::log::info("net", "{}: {}", what, identity.text());
    }
}

} // namespace

result<std::shared_ptr<net::tls_identity>> read_identity(const std::filesystem::path& folder,
                                                         const config::connector_options& wanted) {
    if (wanted.tls_certificate.empty()) {
        return std::shared_ptr<net::tls_identity>();
    }
    return net::tls_identity::open(folder / wanted.tls_certificate, folder / wanted.tls_key);
}

tls_reload::tls_reload(const boost::asio::any_io_executor& executor, base::clock& clock,
                       std::shared_ptr<net::tls_identity> identity)
    : identity_(std::move(identity)), watch_(executor, clock, [this] { read_again(); }) {}

void tls_reload::start(const std::filesystem::path& folder,
                       const config::connector_options& wanted) {
    tell(*identity_, "TLS for clients");
    if (const auto watched =
            watch_.start({folder / wanted.tls_certificate, folder / wanted.tls_key});
        !watched) {
        base::log::warn("net", "{}; a new certificate counts after a restart",
                        watched.error().text());
    }
}

void tls_reload::read_again() {
    if (const auto read = identity_->read_again(); !read) {
        base::log::error("net", "{}; the certificate before it stays in use", read.error().text());
        return;
    }
    tell(*identity_, "a new certificate for clients that connect from now on");
}

} // namespace shaddock::node
