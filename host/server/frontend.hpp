#pragma once

#include "base/rare_lines.hpp"
#include "client_codec.hpp"
#include "directory.hpp"
#include "dispatcher.hpp"
#include "line.hpp"
#include "mirror.hpp"
#include "request_log.hpp"
#include "sessions.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock::server {

/// The client side of a frontend: handshake, requests (served here or forwarded), answers, pushes,
/// sessions and their memberships. Thread: the loop. Lifetime: `stop` must have ended before
/// destruction, unless never started.
class frontend final : public net::listener_events {
public:
    frontend(const boost::asio::any_io_executor& executor, base::clock& clock,
             const server_options& options, line& servers, directory& list, dispatcher& local);
    ~frontend();

    result<void> start();
    /// Closes the port and refuses new requests; those in flight go on.
    void drain();
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
    /// Tells the owner which of our sessions are in its channels.
    void send_roster(const bus::peer& owner);

    // net::listener_events
    std::optional<net::handshake_answer> on_handshake(net::connection& from,
                                                      std::string_view json) override;
    void on_ready(net::connection& from) override;
    bool on_data(net::connection& from, std::string_view message) override;
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
    void report_lost(std::string_view owner, std::string_view channel, session_id gone);

    base::clock& clock_;
    const server_options& options_;
    line& servers_;
    directory& list_;
    dispatcher& local_;
    client_codec codec_;
    /// By route, of which only those of the client protos come here; and of overload.
    base::rare_lines rare_{clock_};
    session_store sessions_;
    mirror mirror_;
    std::unique_ptr<net::listener> listener_;
    std::size_t forwarded_ = 0;
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
    base::unique_function<void()> idle_;
    // Scratch for the package being encoded.
    std::string package_;

    friend class client_call;
    friend class hook_answer;
};

} // namespace shaddock::server
