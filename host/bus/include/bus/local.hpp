#pragma once

#include "base/clock.hpp"
#include "bus/bus.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::bus {

class local_bus;

/// The servers of one process and loop that can reach each other, and the faults that tests put
/// between them. Lifetime: outlives its buses. Thread: the loop.
class local_network {
public:
    local_network() = default;
    local_network(const local_network&) = delete;
    local_network& operator=(const local_network&) = delete;

    /// Breaks the link of two servers (both hear `lost`) and keeps it broken until `mend`.
    void cut(std::string_view one, std::string_view other);
    void mend(std::string_view one, std::string_view other);
    /// Breaks their link once (both hear `lost`); it comes back at once.
    void drop(std::string_view one, std::string_view other);
    /// The server dies without a goodbye: the others hear `lost`, then its death. It hears nothing
    /// more, its calls end when it is stopped, and its id is free at once.
    void kill(std::string_view id);
    /// As if the process were stopped (SIGSTOP): what is sent to it waits, and counts against the
    /// senders' queues, until `thaw`.
    void freeze(std::string_view id);
    void thaw(std::string_view id);

private:
    friend class local_bus;
    friend class memory_link;
    using pair = std::pair<std::string, std::string>;

    static pair pair_of(std::string_view one, std::string_view other);
    local_bus* find(std::string_view id) const;
    void connect_later(local_bus& near);
    void connect(local_bus& one, local_bus& other);

    std::map<std::string, local_bus*, std::less<>> attached_;
    std::set<pair> cut_;
    std::set<std::string, std::less<>> frozen_;
};

struct local_options {
    /// As direct_options; what counts is sent and not yet received.
    std::size_t queue_limit = std::size_t{8} * 1024 * 1024;
    std::size_t frame_limit = std::size_t{16} * 1024 * 1024;
    version_range versions{};
};

/// The bus of one process: the same frames as between processes, handed over by post.
/// Lifetime: `clock` and `network` outlive the bus; stop() must have ended before it is destroyed.
std::unique_ptr<bus> make_local(boost::asio::any_io_executor executor, base::clock& clock,
                                local_network& network, std::string id, incarnation life,
                                local_options options = {});

} // namespace shaddock::bus
