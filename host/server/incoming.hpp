#pragma once

#include "channels.hpp"
#include "dispatcher.hpp"
#include "frontend.hpp"
#include "list_catch_up.hpp"
#include "outgoing.hpp"
#include "request_log.hpp"
#include "room_moves.hpp"

namespace shaddock::server {

/// Where other servers come in: reads the envelopes of the bus and hands them to whoever they are
/// for. Thread: the loop.
class incoming final : public bus::receiver, public bus::link_observer {
public:
    /// `clients` is null on a backend.
    incoming(base::clock& clock, base::duration call_timeout, const directory& list,
             dispatcher& calls, channel_store& channels, room_moves& moves, list_catch_up& lists,
             frontend* clients)
        : clock_(clock), call_timeout_(call_timeout), list_(list), calls_(calls),
          channels_(channels), moves_(moves), lists_(lists), clients_(clients) {}

    /// What the server does when it has become a new incarnation.
    void when_reborn(base::unique_function<void(incarnation)> then) { reborn_ = std::move(then); }
    /// The server has begun to stop. New requests are answered `no_server`, and so are new calls
    /// of remotes, unless this is a frontend: there they belong to requests in flight.
    void drain(std::string id) { stopping_ = std::move(id); }

    void on_call(const bus::peer& from, bus::envelope_view call, bus::responder answer) override;
    void on_cast(const bus::peer& from, bus::envelope_view cast) override;
    void on_read_up(const bus::peer& from) override { moves_.on_read_up(from.id); }
    void on_link_up(const bus::peer& with) override;
    void on_link_down(const bus::peer& with, bus::link_end why) override;
    void on_dead(const bus::peer& gone) override;
    void on_absent(std::string_view id) override {
        channels_.expect_nothing_of(id);
        moves_.on_absent(id);
    }
    void on_reborn(const bus::peer& self) override { reborn_(self.life); }

private:
    /// What a frontend without channels does for its own clients nobody else can do.
    bool is_cut_off(wire::kind what) const {
        return channels_.is_fenced() &&
               (clients_ == nullptr || (what == wire::kind::remote && channels_.size() != 0));
    }
    bool takes(wire::kind what) const {
        return stopping_.empty() || (clients_ != nullptr && what == wire::kind::remote);
    }
    /// Serves a request or remote; `answer` is empty for a cast.
    void serve(const bus::peer& from, bus::envelope_view what, bus::responder answer);
    void serve_now(const bus::peer& from, bus::envelope_view what, wire::request request,
                   bus::responder answer);
    void change_session(std::string_view bytes, bus::responder& answer);
    void find_sessions(std::string_view bytes, bus::responder& answer);
    void kick_uid(std::string_view bytes, bus::responder& answer);
    void tell_contracts(std::string_view bytes, bus::responder& answer);

    base::clock& clock_;
    base::duration call_timeout_;
    const directory& list_;
    dispatcher& calls_;
    channel_store& channels_;
    room_moves& moves_;
    list_catch_up& lists_;
    frontend* clients_;
    base::unique_function<void(incarnation)> reborn_;
    /// Its own id once it stops.
    std::string stopping_;
};

} // namespace shaddock::server
