#pragma once

#include "bus/bus.hpp"
#include "cluster/registry.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace shaddock::cluster {

/// The registry of one machine: who is expected is told by the master, which keeps the list, and
/// before it by a list that all processes are given; who is up is told by the links of the bus. No
/// process has to be there first, and without its master a server goes on with its last list.
///
/// `is_up` goes with the link: a lost link makes its server down at once, so that calls to it fail
/// fast; whether its members go is decided by its death (bus::link_observer::on_dead), not here.
class direct_registry : public registry {
public:
    /// What the keeper says: the list with its epoch, and the guests. An older epoch is passed
    /// over.
    virtual void take(view told) = 0;
    /// This life of a server has begun to stop: from now on it is not up, though its link still is.
    virtual void set_leaving(const bus::peer& who) = 0;
};

/// Observes `links` from the moment it is made, so make it before other observers: they then find
/// its view up to date. `start` gives the bus its peers; call it after the bus's own start. The
/// listener is told by post, once per change.
/// `first` is the list to begin with, nobody up in it. `keeper` is asked for changes; null: they
/// are refused. Lifetime: `links` and `keeper` outlive it; `links` is stopped before this is
/// destroyed.
std::unique_ptr<direct_registry> make_direct_registry(boost::asio::any_io_executor executor,
                                                      bus::bus& links, view first,
                                                      list_keeper* keeper = nullptr);

} // namespace shaddock::cluster
