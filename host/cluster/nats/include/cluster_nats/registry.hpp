#pragma once

#include "bus/bus.hpp"
#include "cluster/registry.hpp"
#include "cluster_nats/keeper.hpp"

#include <memory>

namespace shaddock::cluster {

/// The registry of many machines: who is expected is told by the keeper (nats_keeper), who is up by
/// the links of the bus, as on one machine (direct_registry).
///
/// The keeper claims the id first (nats_keeper::claim); `start` comes after that. `stop` stops the
/// keeper too.
class nats_registry : public registry {
public:
    virtual nats_keeper& keeper() = 0;
    /// As direct_registry::set_leaving.
    virtual void set_leaving(const bus::peer& who) = 0;
};

/// Starts the keeper, whose observer it is. Make it before other observers of `links`. Lifetime:
/// `links` outlives it, and is stopped before it is destroyed. Errors: config (the bucket's name).
result<std::unique_ptr<nats_registry>> make_nats_registry(boost::asio::any_io_executor executor,
                                                          bus::bus& links, view first,
                                                          std::unique_ptr<nats_keeper> keeper);

} // namespace shaddock::cluster
