#pragma once

#include "base/alive.hpp"
#include "bus/bus.hpp"
#include "wire.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server {

/// The way to any server by id, this one included: what goes to oneself takes the same path as from
/// the bus, by post and in order. Thread: the loop.
class line {
public:
    line(boost::asio::any_io_executor executor, bus::bus& links, bus::peer self);

    /// Whoever serves what goes to oneself; set once, before use.
    void serve(bus::receiver& receiver) { self_receiver_ = &receiver; }
    const bus::peer& self() const { return self_; }
    std::vector<bus::peer> linked() const { return links_.linked(); }

    /// As bus::call. `done` never runs inline.
    void call(std::string_view to, wire::kind what, std::string bytes, base::time_point deadline,
              base::unique_function<void(result<std::string>)> done);
    /// As bus::cast.
    result<void> cast(std::string_view to, wire::kind what, std::string bytes);
    /// Pushes to clients that were sent: one for each frontend that one of them went to.
    std::uint64_t pushes() const { return pushes_; }
    /// Whether a frame to this server would be taken now.
    bool reaches(std::string_view id) const { return id == self_.id || links_.is_linked(id); }
    /// From now on nothing runs any more that was posted to oneself.
    void stop() { alive_.end(); }

private:
    boost::asio::any_io_executor executor_;
    bus::bus& links_;
    bus::peer self_;
    std::uint64_t pushes_ = 0;
    bus::receiver* self_receiver_ = nullptr;
    base::alive alive_;
};

} // namespace shaddock::server
