#pragma once

#include "base/alive.hpp"
#include "bus/bus.hpp"
#include "wire.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server {

/// For whom a message travels, as a number of bus::load.
inline std::uint64_t flow_of_channel(std::string_view name) {
    return std::hash<std::string_view>()(name) | 1U;
}
inline std::uint64_t flow_of_request(const request_id& id) {
    return (number(id.origin) ^ (number(id.session) * 0x9e3779b97f4a7c15U)) | 1U;
}
/// A push of so many bytes to so many sessions of one frontend. Each delivery costs about as much
/// as 200 bytes more.
inline bus::load push_load(std::uint64_t flow, std::size_t bytes, std::size_t receivers) {
    return {flow, receivers * (bytes + 200)};
}
/// What replaces an older one that still waits: all news of one session in one channel.
inline std::string membership_key(std::string_view channel, session_id who) {
    std::string key(channel);
    base::writer(key).u64(number(who));
    return key;
}

/// The way to any server by id, this one included: what goes to oneself takes the same path as from
/// the bus, by post and in order. Thread: the loop.
class outgoing {
public:
    outgoing(boost::asio::any_io_executor executor, bus::bus& links, bus::peer self);

    /// Whoever serves what goes to oneself; set once, before use.
    void serve(bus::receiver& receiver) { self_receiver_ = &receiver; }
    const bus::peer& self() const { return self_; }
    void live_anew(incarnation life) { self_.life = life; }
    std::vector<bus::peer> linked() const { return links_.linked(); }

    /// As bus::call. `done` never runs inline.
    void call(std::string_view to, wire::kind what, std::string bytes, base::time_point deadline,
              base::unique_function<void(result<std::string>)> done, const bus::load& of = {});
    /// As bus::cast. To oneself everything is admitted.
    result<void> cast(std::string_view to, wire::kind what, std::string bytes,
                      const bus::load& of = {});
    /// As bus::admits; who is not linked or oneself does not object.
    result<void> admits(std::string_view to, std::size_t bytes, const bus::load& of) {
        return links_.admits(to, bytes, of);
    }
    /// A push to these sessions, on all links or on none. Errors: overloaded; else the last one.
    result<void>
    push_to_sessions(const std::map<std::string_view, std::vector<session_id>>& by_frontend,
                     std::string_view route, door::body_view message, std::uint64_t flow);
    /// As bus::tell; `key` is that of `membership_key`.
    void tell(std::string_view to, wire::kind what, std::string bytes, std::string_view key);
    /// Pushes to clients that were sent: one for each frontend that one of them went to.
    std::uint64_t pushes() const { return pushes_; }
    /// Whether a frame to this server would be taken now.
    bool reaches(std::string_view id) const { return id == self_.id || links_.is_linked(id); }
    /// From now on nothing runs any more that was posted to oneself.
    void stop() { alive_.end(); }

private:
    void cast_to_self(wire::kind what, std::string bytes);

    boost::asio::any_io_executor executor_;
    bus::bus& links_;
    bus::peer self_;
    std::uint64_t pushes_ = 0;
    bus::receiver* self_receiver_ = nullptr;
    base::alive alive_;
};

} // namespace shaddock::server
