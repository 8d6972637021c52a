#include "incoming.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

namespace shaddock::server {

namespace {

/// A request or remote call that came over the bus.
class remote_call final : public pending_call {
public:
    remote_call(std::shared_ptr<const door::session_data> session, const wire::request& request,
                base::time_point deadline, bus::responder answer, std::unique_ptr<request_log> log)
        : pending_call(std::move(session), request.body, deadline, request.contract, !answer),
          answer_(std::move(answer)), log_(std::move(log)) {
        belongs_to(request.id);
    }
    ~remote_call() override { abandon(); }

private:
    void answer(result<door::body> outcome) noexcept override {
        if (log_) {
            log_->end(outcome, served_by());
        }
        answer_.reply(std::move(outcome));
    }

    bus::responder answer_;
    std::unique_ptr<request_log> log_;
};

error no_frontend() {
    return {errc::closed, "this server is no frontend: it has no sessions"};
}

error cut_off() {
    return {errc::no_server, "this server is cut off from the others, which may own its rooms by "
                             "now"};
}

/// What a link that has ended meanwhile had brought. Pushes are owed, and so are rooms that move.
/// But nobody would hear of a member's loss: the roster tells it on the next link. And requests are
/// old.
bool is_passed_over(wire::kind what) {
    return what == wire::kind::member_lost || what == wire::kind::client_request ||
           what == wire::kind::remote;
}

} // namespace

void incoming::on_call(const bus::peer& from, bus::envelope_view call, bus::responder answer) {
    switch (static_cast<wire::kind>(call.kind)) {
    case wire::kind::client_request:
    case wire::kind::remote:
        if (!takes(static_cast<wire::kind>(call.kind))) {
            return answer.reply(error(errc::no_server, stopping_ + " is stopping"));
        }
        if (is_cut_off(static_cast<wire::kind>(call.kind))) {
            return answer.reply(cut_off());
        }
        if (channels_.is_recovering()) {
            return answer.reply(error(errc::recovering, "the members of rooms are not known yet"));
        }
        return serve(from, call, std::move(answer));
    case wire::kind::change_session:
        return change_session(call.bytes, answer);
    case wire::kind::find_sessions:
        return find_sessions(call.bytes, answer);
    case wire::kind::kick_uid:
        return kick_uid(call.bytes, answer);
    case wire::kind::contracts:
        return tell_contracts(call.bytes, answer);
    default:
        base::log::warn("server", "{} sent a call of unknown kind {}", from.id, call.kind);
        answer.reply(error(errc::internal, fmt::format("unknown kind of call {}", call.kind)));
    }
}

void incoming::on_cast(const bus::peer& from, bus::envelope_view cast) {
    const auto what = static_cast<wire::kind>(cast.kind);
    if (cast.is_last_word && is_passed_over(what)) {
        return;
    }
    switch (what) {
    case wire::kind::client_request:
    case wire::kind::remote:
        if (!channels_.is_recovering() && !is_cut_off(what)) {
            serve(from, cast, {});
        }
        return;
    case wire::kind::member_lost:
        if (!moves_.keeps_lost(from, cast.bytes)) {
            channels_.on_member_lost(from, cast.bytes);
        }
        return;
    case wire::kind::roster:
        return channels_.on_roster(from, cast.bytes, moves_);
    case wire::kind::list_known:
        moves_.on_cast(from, what, cast.bytes);
        return lists_.on_cast(from, what, cast.bytes);
    case wire::kind::list_here:
    case wire::kind::list_wanted:
    case wire::kind::list:
        return lists_.on_cast(from, what, cast.bytes);
    case wire::kind::room_state:
    case wire::kind::rooms_released:
    case wire::kind::moved_roster:
    case wire::kind::rooms_told:
    case wire::kind::rooms_ready:
    case wire::kind::rooms_staying:
        return moves_.on_cast(from, what, cast.bytes);
    default:
        if (clients_ != nullptr && !moves_.keeps(from, what, cast.bytes)) {
            clients_->on_cast(from, what, cast.bytes);
        }
    }
}

void incoming::serve(const bus::peer& from, bus::envelope_view what, bus::responder answer) {
    wire::request request;
    if (!wire::decode(what.bytes, request)) {
        base::log::warn("server", "a request of {} bytes could not be read", what.bytes.size());
        return answer.reply(error(errc::internal, "the request could not be read"));
    }
    if (moves_.is_early(from.id, request.epoch, what.may_be_old)) {
        return moves_.keep_request(
            from.id, request.epoch, what.may_be_old, what.bytes.size(),
            [this, from, kind = what.kind, bytes = std::string(what.bytes),
             answer = std::move(answer)]() mutable {
                wire::request kept;
                if (answer && answer.deadline() <= clock_.now()) {
                    return answer.reply(error(errc::timeout, "the request has waited for a list of "
                                                             "servers until its time was over"));
                }
                (void)wire::decode(bytes, kept);
                serve_now(from, {kind, bytes}, std::move(kept), std::move(answer));
            });
    }
    serve_now(from, what, std::move(request), std::move(answer));
}

void incoming::serve_now(const bus::peer& from, bus::envelope_view what, wire::request request,
                         bus::responder answer) {
    if (is_cut_off(static_cast<wire::kind>(what.kind))) {
        return answer.reply(cut_off()); // it may have waited since it came
    }
    if (moves_.is_outdated(from.id, request.epoch)) {
        return answer.reply(
            from.version >= wire::outdated_version
                ? error(wire::outdated, std::string(what.bytes))
                : error(errc::no_server, fmt::format("{} has routed '{}' by an older list of "
                                                     "servers: its room may have moved",
                                                     from.id, request.route)));
    }
    const auto deadline = answer ? answer.deadline() : clock_.now() + call_timeout_;
    std::shared_ptr<const door::session_data> session;
    if (request.has_session) {
        session = std::make_shared<const door::session_data>(std::move(request.session));
    }
    auto log = request_log::begin(list_, clock_,
                                  {request.id, request.route, session ? &session->ref : nullptr,
                                   from.id, calls_.current().get()});
    auto call = std::make_unique<remote_call>(std::move(session), request, deadline,
                                              std::move(answer), std::move(log));
    if (request.contract != 0) {
        call->comes_from(from, request.caller);
    }
    if (static_cast<wire::kind>(what.kind) == wire::kind::client_request) {
        calls_.run_handler(request.route, std::move(call));
    } else {
        calls_.run_remote(request.route, std::move(call));
    }
}

void incoming::change_session(std::string_view bytes, bus::responder& answer) {
    session_ref who;
    door::session_change change;
    if (!wire::decode(bytes, who, change)) {
        return answer.reply(error(errc::internal, "the session change could not be read"));
    }
    if (clients_ == nullptr) {
        return answer.reply(no_frontend());
    }
    answer.reply(clients_->change_session(who, change));
}

void incoming::find_sessions(std::string_view bytes, bus::responder& answer) {
    wire::reader in(bytes);
    const auto who = wire::read_ref(in);
    answer.reply(clients_ != nullptr && in.ok() ? clients_->find_sessions(who) : "[]");
}

void incoming::kick_uid(std::string_view bytes, bus::responder& answer) {
    wire::reader in(bytes);
    const auto uid = in.text();
    const auto reason = in.text();
    const auto kicked = clients_ != nullptr && in.ok() ? clients_->kick_uid(uid, reason) : 0;
    answer.reply(std::to_string(kicked));
}

void incoming::tell_contracts(std::string_view bytes, bus::responder& answer) {
    wire::reader in(bytes);
    const auto routes = in.text();
    const auto& now = calls_.current();
    answer.reply(
        wire::encode(now ? calls_.types().of_routes(routes, now->registered()) : contract_rows()));
}

void incoming::on_link_up(const bus::peer& with) {
    base::log::info("server", "linked with {}", with.id);
    channels_.on_link_up(with);
    if (clients_ != nullptr) {
        clients_->send_roster(
            with, [&](const std::string& channel) { return moves_.leaves(with.id, channel); });
    }
    moves_.on_link_up(with);
    lists_.on_link_up(with);
}

void incoming::on_link_down(const bus::peer& with, bus::link_end why) {
    moves_.drop_unread(with.id);
    switch (why) {
    case bus::link_end::lost:
        base::log::warn("server", "link with {} lost", with.id);
        // Not its death: members stay until that is proven, rosters are compared when the link is
        // back. None comes from who has left the system.
        if (list_.find(with.id) == nullptr) {
            channels_.on_dead(with);
        }
        break;
    case bus::link_end::dead:
        base::log::warn("server", "{} is dead", with.id);
        channels_.on_dead(with);
        break;
    case bus::link_end::bye:
        base::log::info("server", "{} has stopped", with.id);
        channels_.on_dead(with);
        break;
    case bus::link_end::stopped:
        break;
    }
}

void incoming::on_dead(const bus::peer& gone) {
    base::log::warn("server", "{} is dead", gone.id);
    channels_.on_dead(gone);
}

} // namespace shaddock::server
