#pragma once

#include "base/rare_lines.hpp"
#include "client_codec.hpp"
#include "directory.hpp"
#include "dispatcher.hpp"
#include "mirror.hpp"
#include "outgoing.hpp"
#include "request_log.hpp"
#include "sessions.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::server {

/// The client side of a frontend: handshake, requests (served here or forwarded), answers, pushes,
/// sessions and their memberships. Thread: the loop. Lifetime: `stop` must have ended before
/// destruction, unless never started.
class frontend final : public net::listener_events {
public:
    frontend(const boost::asio::any_io_executor& executor, base::clock& clock,
             const server_options& options, outgoing& servers, directory& list, dispatcher& local);
    ~frontend();

    result<void> start();
    /// Closes the port and refuses new requests; those in flight go on.
    void drain();
    /// No new clients; kicks those who are there at `options.drain_rate` or as fast as `limit` asks
    /// for, each when nothing of its is under way, and serves them until then. `done`, possibly
    /// inline, when nobody is left or it has taken longer than that.
    void move_clients(std::string_view reason, base::duration limit,
                      base::unique_function<void()> done);
    /// Kicks everybody; `done` is posted.
    void stop(std::string_view reason, base::unique_function<void()> done);

    void deny(base::network_set networks) { listener_->deny(std::move(networks)); }
    /// For the clients that shake hands from now on. Nothing when protos are off.
    void use_protos(std::shared_ptr<const protocol::protos> now);

    std::uint16_t port() const { return listener_->port(); }
    const session_store& sessions() const { return sessions_; }
    const net::listener_counts& counts() const { return listener_->counts(); }
    std::size_t forwarded() const { return forwarded_; }
    std::size_t unanswered_bytes() const { return unanswered_bytes_; }
    std::uint64_t deliveries() const { return deliveries_; }
    /// Pushes that a member did not get: its connection is closing, or its queue is full.
    std::uint64_t undelivered() const { return undelivered_; }
    /// Requests that servers of other types answered.
    const route_table& forwarded_counts() const { return forwarded_counts_; }
    /// Requests that no handler ever saw, here or elsewhere, by why.
    const base::outcome_counts& refused_counts() const { return refused_counts_; }
    session_store& sessions() { return sessions_; }
    /// Called whenever the last forwarded request has been answered.
    void on_idle(base::unique_function<void()> idle) { idle_ = std::move(idle); }

    // what owners of channels and other servers say
    void on_cast(const bus::peer& from, wire::kind what, std::string_view bytes);
    result<door::body> change_session(const session_ref& who, const door::session_change& change);
    /// JSON array of sessions:
    /// `[{"ref":{"frontend":..,"life":..,"id":..,"uid":..},"settings":{..}}]`.
    std::string find_sessions(const session_ref& who) const;
    std::size_t kick_uid(std::string_view uid, std::string_view reason);
    /// Tells the owner which of our sessions are in its channels, and which it may not know to have
    /// left. Nothing of those that `leaves` it: their next owner is told.
    void send_roster(const bus::peer& owner,
                     const std::function<bool(const std::string& channel)>& leaves);
    /// This server has become a new incarnation: all sessions are kicked, since others took them
    /// for dead.
    void live_anew(incarnation life);
    /// The channels of `owner` that `to` names another owner for (null: none) are that one's from
    /// now on; it is told who is in them. One whose build does not know that is told nothing: who
    /// is in them is kicked.
    void move_rooms(const std::string& owner, std::uint64_t epoch,
                    const std::function<const std::string*(const std::string&)>& to);
    /// The list has changed. If others know a later one, what waits for that does so for a second
    /// from now on.
    void on_list();
    /// Claims of owners under older lists than this count no more, unless the list has them too.
    void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

    // net::listener_events
    std::optional<net::handshake_answer> on_handshake(net::connection& from,
                                                      std::string_view json) override;
    void on_ready(net::connection& from) override;
    bool on_data(net::connection& from, std::string_view message) override;
    std::string name_of(const net::connection& one) const override;
    void on_closed(net::connection& which, std::string_view reason) override;

private:
    struct greeting;
    void ask_hooks(const std::shared_ptr<greeting>& about);
    void hook_said(const std::shared_ptr<greeting>& about, result<door::body> outcome);
    std::string welcome(const greeting& about) const;

    /// A client's request until it is answered.
    struct pending {
        session_id from{};
        /// 0: a notify.
        std::uint32_t message_id = 0;
        /// Whose filters see it; null when there are none. A generation that filters a request sees
        /// its end, too, though it be replaced meanwhile.
        lease asked;
        request_id id;
        /// What it holds until it is answered, as the connection was told.
        std::size_t bytes = 0;
        std::unique_ptr<request_log> log;
    };
    void warn_of_misread(const net::connection& from, const client_request& request);
    void serve(session& from, const client_request& request);
    bool is_overloaded(const door::session_data& from) const;
    /// A reload is under way: it goes on, or is refused, when that is over.
    void keep(const client_request& request, pending what);
    using data_pointer = std::shared_ptr<const door::session_data>;
    /// `arrived`: when the request came.
    void pass_on(data_pointer from, std::string_view type, const client_request& request,
                 pending what, base::time_point arrived);
    void over(session* sender, const pending& what);
    void refuse(const pending& what, std::string_view route, error why);
    route_counts& counts_of(std::string_view route, const result<door::body>& outcome);
    void forward(const door::session_data& from, std::string_view type,
                 const client_request& request, pending what, base::time_point arrived);
    /// A request on its way to the server that handles it.
    struct journey {
        pending what;
        std::string route;
        base::time_point arrived{};
        /// Among those that wait, of its session too.
        std::uint64_t place = 0;
        /// Of the list by which it was routed last.
        std::uint64_t epoch = 0;
    };
    void send(std::string bytes, const directory::target& to, journey way);
    /// Remembers that it has been sent while earlier ones are under way that it did not wait for.
    void note_overtaking(std::string_view envelope, std::uint64_t place);
    /// Whether a later one of its session to servers of that type has been sent.
    bool is_overtaken(const journey& way) const;
    void arrive(journey& way, const result<door::body>& outcome);
    /// `envelope`: wire::request, which was not carried out. It waits for the list of that epoch,
    /// and for a later one that others know.
    void send_anew(std::string envelope, std::uint64_t epoch, journey way);
    /// `by`: what has served it, if it got so far.
    void ended(const pending& what, std::string_view route, const result<door::body>& outcome,
               const generation* by = nullptr);
    bool passes_filters(const door::session_data& from, const client_request& request,
                        const pending& what);
    void push(push_forms& forms, session& to);

    void push_channel(const bus::peer& owner, std::string_view bytes);
    void push_sessions(std::string_view bytes);
    void broadcast(std::string_view bytes);
    void join(const bus::peer& owner, std::string_view bytes);
    void leave(const bus::peer& owner, std::string_view bytes);
    void leave_moved(const std::string& owner, const wire::membership& left, session& who);
    void lost_taken(const bus::peer& owner, std::string_view bytes);
    void report_lost(std::string_view owner, const wire::membership& gone);
    /// Whether the channel is another's under the list that is known here.
    bool is_outdated(const bus::peer& owner, std::string_view channel, std::uint64_t epoch) const;
    void leave_rooms(const std::string& owner, const std::vector<std::string>& names);
    void send_seats(const std::string& to, wire::kind what, std::string_view begin,
                    const std::vector<const mirrored_channel*>& of,
                    const std::vector<std::string>& lost);
    /// By its name, under the list that is known here; null when the owner is not in that.
    const std::string* owner_by_name(std::string_view owner, std::string_view channel) const;

    base::clock& clock_;
    const server_options& options_;
    outgoing& servers_;
    directory& list_;
    dispatcher& local_;
    client_codec codec_;
    /// By route, of which only those of the client protos come here; and of overload.
    base::rare_lines rare_{clock_};
    session_store sessions_;
    mirror mirror_;
    /// Owners that acknowledge no lost members: of older builds.
    std::set<std::string, std::less<>> silent_owners_;
    std::unique_ptr<net::listener> listener_;
    std::uint64_t epoch_ = 0;
    std::size_t forwarded_ = 0;
    base::timer list_patience_;
    /// The last place of each session and type of servers, while list_.has_left_behind().
    std::map<std::pair<session_id, std::string>, std::uint64_t> overtaking_;
    /// Of all requests without an answer, those of closed sessions too.
    std::size_t unanswered_bytes_ = 0;
    std::uint64_t deliveries_ = 0;
    std::uint64_t undelivered_ = 0;
    route_table forwarded_counts_;
    base::outcome_counts refused_counts_;
    /// What a client without a key is told now.
    std::shared_ptr<const agreement> agreed_;
    /// Handshakes that wait for a hook.
    std::size_t greetings_ = 0;
    bool is_draining_ = false;
    struct moving {
        std::string reason;
        std::deque<session_id> left;
        std::size_t in_a_tick = 0;
        base::time_point until{};
        base::unique_function<void()> done;
        base::timer next{};
    };
    void move_some();
    std::optional<moving> moving_;
    base::unique_function<void()> idle_;
    // Scratch for the package being encoded.
    std::string package_;

    friend class client_call;
    friend class hook_answer;
};

} // namespace shaddock::server
