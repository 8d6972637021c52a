#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/random.hpp"
#include "bus/direct.hpp"
#include "cluster/direct.hpp"
#include "node/setting.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string_view>

namespace shaddock::node {

/// What links one server with the others, as `bus:` of host.yaml wants it. Thread: the loop.
/// Lifetime: `close` must have ended before it is destroyed, if `open` was called.
class system_links {
public:
    virtual ~system_links() = default;

    virtual bus::bus& bus() = 0;
    virtual cluster::registry& registry() = 0;

    /// Before the server starts; `done` once, never inline. It may take as long as NATS is away.
    /// Errors: config, duplicate (the id runs on another machine).
    virtual void open(base::unique_function<void(result<void>)> done) = 0;
    /// The list of the master of this machine; passed over where the list is not the master's.
    virtual void take(cluster::view told) = 0;
    virtual bool has_masters_list() const = 0;
    /// Whether the server may own rooms now: no timer has to say so.
    virtual bool may_own() const = 0;
    /// As server_options::may_other_own.
    virtual bool may_other_own(std::string_view id) const = 0;
    /// As cluster::direct_registry::set_leaving.
    virtual void set_leaving(const bus::peer& who) = 0;
    /// After the server has stopped; `done` is posted.
    virtual void close(base::unique_function<void()> done) = 0;
};

/// What the links tell of the server itself. Thread: the loop.
struct link_news {
    /// The process must end: another one has the id. `why` for people.
    base::unique_function<void(std::string_view why)> on_replaced;
};

/// Sockets in the run folder, and the list that the master of this machine keeps.
std::unique_ptr<system_links> make_direct_links(boost::asio::any_io_executor executor,
                                                base::clock& clock, base::random& random,
                                                const setting& found, bus::direct_options options);

/// NATS, with sockets between the servers of this machine. Errors: config (this build has no NATS;
/// an option that cannot be used).
result<std::unique_ptr<system_links>> make_nats_links(boost::asio::any_io_executor executor,
                                                      base::clock& clock, base::random& random,
                                                      const setting& found,
                                                      const door::server_info& self,
                                                      bus::direct_options options, link_news news);

} // namespace shaddock::node
