#pragma once

#include "base/clock.hpp"
#include "cluster/registry.hpp"
#include "outgoing.hpp"
#include "server/server.hpp"
#include "wire.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace shaddock::server {

/// Gets the list of servers from other servers when its keeper cannot tell it: who is cut off from
/// the master while the list changes would route to servers that have given their rooms away.
///
///   list_known    says by its epoch that its sender routes by a list (room_moves.hpp)
///   list_here     says to whom one links which list is here
///   list_wanted   asks for it, 40 ms later at first, since the keeper may only be slower here;
///                 then one after the other of those who have it is asked, 4 times a second
///   list          the answer: the last lists that are later, in order, as their keeper had told
///                 them there. Who skips one moves rooms alone, and the others wait for it
///
/// Lists without numbers are not compared, and nobody is asked of an older build. Thread: the loop.
/// Lifetime: what it is given outlives it.
class list_catch_up {
public:
    list_catch_up(base::clock& clock, outgoing& servers, const cluster::registry& registry,
                  list_exchange lists)
        : clock_(clock), servers_(servers), registry_(registry), lists_(std::move(lists)) {}
    list_catch_up(const list_catch_up&) = delete;
    list_catch_up& operator=(const list_catch_up&) = delete;

    void on_link_up(const bus::peer& with);
    void on_known(const bus::peer& from, std::uint64_t epoch);
    /// All four.
    void on_cast(const bus::peer& from, wire::kind what, std::string_view bytes);
    void stop() { next_.cancel(); }

private:
    /// Of the list that is here; 0: it has no number.
    std::uint64_t epoch() const;
    bool look();
    void ask();
    void tell_later(const bus::peer& to, wire::reader& in);
    void take(wire::reader& in);

    base::clock& clock_;
    outgoing& servers_;
    const cluster::registry& registry_;
    list_exchange lists_;
    /// The last list that each has said it knows.
    std::map<std::string, std::uint64_t, std::less<>> known_;
    std::string asked_;
    base::timer next_;
};

} // namespace shaddock::server
