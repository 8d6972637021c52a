#include "system_links.hpp"

namespace shaddock::node {

result<std::unique_ptr<system_links>>
make_nats_links(boost::asio::any_io_executor, base::clock&, base::random&, const setting&,
                const door::server_info&, bus::direct_options, link_news) {
    return error(errc::config, "host.yaml: bus.kind: found nats, but this build has no NATS: build "
                               "it where libnats is (Debian: libnats-dev)");
}

} // namespace shaddock::node
