#pragma once

#include "base/clock.hpp"
#include "bus/transport.hpp"
#include "nats/connection.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// What the bus between several machines stands on.
namespace shaddock::bus {

/// Pipes over NATS: each is a numbered stream of messages in both directions. A gap, a repeat, a
/// message that was dropped on the way, or a loss of this process's connection ends it (recv:
/// ECONNRESET), so that nothing is ever missing in silence. Bytes that the other side has not read
/// are bounded for each pipe.
///
/// That nobody is found under an id is no proof of its death: it may be cut off. It must last for
/// `host_lost`, while this side's own connection is whole.
struct nats_transport_options {
    /// Of the subjects: `shaddock.CLUSTER.bus.*`. One token: letters, digits, `-` and `_`.
    std::string cluster;
    std::string id;
    std::chrono::milliseconds host_lost{10000};
    /// Between two looks whether the own connection is whole: a message to itself.
    std::chrono::milliseconds heartbeat{1000};
    /// Bytes that the other side may send before they are read here, at least 4 KiB; each message
    /// counts 256 more. One message may always be under way.
    std::size_t window = std::size_t{512} * 1024;
};

/// Lifetime: `over` and `clock` outlive the transport, and `over` has been started. Errors of
/// open(): config (a name that cannot be in a subject).
std::unique_ptr<transport> make_nats_transport(boost::asio::any_io_executor executor,
                                               base::clock& clock, nats::connection& over,
                                               nats_transport_options options);

/// Each pair has one way: `local` when `is_local` says that the other is on this machine, else
/// `far`. Both sides must say the same; who comes by the other way is refused. The id is taken, and
/// its place found, by `local` whatever the pairs use.
std::unique_ptr<transport> make_pair_transport(boost::asio::any_io_executor executor,
                                               std::unique_ptr<transport> local,
                                               std::unique_ptr<transport> far,
                                               std::function<bool(std::string_view id)> is_local);

} // namespace shaddock::bus
