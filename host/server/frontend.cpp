#include "frontend.hpp"

#include "base/log.hpp"
#include "protocol/kick.hpp"
#include "protocol/message.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace shaddock::server {

/// What a request is for the server that handles it, beside its bytes: about so many bytes more.
static constexpr std::size_t request_work = 2048;
/// How long requests wait for a list of servers that others know already.
static constexpr std::chrono::seconds list_patience{1};
/// Between two kicks of clients that are sent away.
static constexpr std::chrono::milliseconds move_tick{20};

/// A client's request that a handler of this very server answers.
class client_call final : public pending_call {
public:
    client_call(frontend& front, std::shared_ptr<const door::session_data> session,
                frontend::pending what, const client_request& request, base::time_point deadline)
        : pending_call(std::move(session), request.body, deadline, 0, request.id == 0),
          front_(front), what_(std::move(what)), route_(request.route) {
        belongs_to(what_.id);
    }
    ~client_call() override { abandon(); }

private:
    // A notify too is told to the frontend: it counts requests in flight and runs the after
    // filters.
    void answer(result<door::body> outcome) noexcept override {
        front_.ended(what_, route_, outcome, served_by());
    }

    std::shared_ptr<const door::session_data> session_now() const override {
        const auto* here = front_.sessions_.find(what_.from);
        return here != nullptr ? here->data : nullptr;
    }
    bool is_session_gone() const override { return front_.sessions_.find(what_.from) == nullptr; }

    frontend& front_;
    frontend::pending what_;
    std::string route_;
};

namespace {

/// What a request without an answer holds beside its text, about.
constexpr std::size_t request_bytes = 256;

/// `type` of `type.handler.method`; empty unless there are exactly three words.
std::string_view type_of(std::string_view route) {
    const auto first = route.find('.');
    if (first == std::string_view::npos || first == 0) {
        return {};
    }
    const auto second = route.find('.', first + 1);
    const bool has_three = second != std::string_view::npos && second > first + 1 &&
                           second + 1 < route.size() &&
                           route.find('.', second + 1) == std::string_view::npos;
    return has_three ? route.substr(0, first) : std::string_view{};
}

} // namespace

frontend::frontend(const boost::asio::any_io_executor& executor, base::clock& clock,
                   const server_options& options, outgoing& servers, directory& list,
                   dispatcher& local)
    : clock_(clock), options_(options), servers_(servers), list_(list), local_(local),
      codec_(options.dictionary), sessions_(options.self.id, options.self.life),
      listener_(options.make_port ? options.make_port(*options.listener)
                                  : net::make_listener(executor, clock, *options.listener)),
      agreed_(std::make_shared<agreement>(agreement{options.protos, std::nullopt})) {}

frontend::~frontend() = default;

result<void> frontend::start() {
    return listener_->start(*this);
}

void frontend::drain() {
    is_draining_ = true;
    listener_->stop_accepting();
}

void frontend::move_clients(std::string_view reason, base::duration limit,
                            base::unique_function<void()> done) {
    const auto count = sessions_.size();
    const auto rate = options_.drain_rate;
    if (rate == 0 || count <= rate / 10 || limit <= base::duration::zero()) {
        return done();
    }
    listener_->stop_accepting();
    const auto seconds = std::chrono::duration<double>(limit).count();
    const auto per_second =
        std::max(static_cast<double>(rate), static_cast<double>(count) / seconds);
    auto& now = moving_.emplace(moving{});
    now.reason = reason;
    for (const auto& [id, each] : sessions_.all()) {
        now.left.push_back(id);
    }
    now.in_a_tick = static_cast<std::size_t>(
        std::ceil(per_second * std::chrono::duration<double>(move_tick).count()));
    const std::chrono::duration<double> longest(static_cast<double>(count) / per_second);
    now.until = clock_.now() + std::chrono::duration_cast<base::duration>(longest) + 10 * move_tick;
    now.done = std::move(done);
    base::log::info("server", "{} clients are sent away, {:.0f} a second", count, per_second);
    move_some();
}

void frontend::move_some() {
    std::size_t kicked = 0;
    for (auto tries = moving_->left.size(); tries > 0 && kicked < moving_->in_a_tick; --tries) {
        const auto id = moving_->left.front();
        moving_->left.pop_front();
        auto* each = sessions_.find(id);
        if (each == nullptr) {
            continue;
        }
        if (each->requests_in_flight > 0) {
            moving_->left.push_back(id);
            continue;
        }
        ++kicked;
        each->link->kick(moving_->reason);
    }
    if (moving_->left.empty() || clock_.now() >= moving_->until) {
        auto done = std::move(moving_->done);
        moving_.reset();
        return done();
    }
    moving_->next = clock_.after(move_tick, [this] { move_some(); });
}

void frontend::stop(std::string_view reason, base::unique_function<void()> done) {
    listener_->stop(reason, std::move(done));
}

// ---- life of a connection ----

void frontend::on_ready(net::connection& from) {
    auto& opened = sessions_.open(from);
    opened.agreed = static_cast<const agreement*>(from.agreed.get());
    from.user = &opened;
    base::log::debug("server", "session {} is connection {} of {}", number(opened.id()),
                     number(from.id()), from.address());
}

void frontend::on_closed(net::connection& which, std::string_view reason) {
    auto* gone = static_cast<session*>(which.user);
    if (gone == nullptr) {
        return;
    }
    which.user = nullptr;
    const auto last = gone->data;
    mirror_.close(*gone, [&](const mirrored_channel& of, const mirrored_channel::entry& was) {
        report_lost(of.owner, {of.name, last->ref.id, was.uid, was.joined});
    });
    sessions_.close(*gone);
    local_.forget_waiting(last->ref);
    local_.tell_hooks([last, reason = std::string(reason)](door::hooks& hook) {
        hook.on_session_closed(*last, reason);
    });
}

std::string frontend::name_of(const net::connection& one) const {
    const auto* known = static_cast<const session*>(one.user);
    return known == nullptr ? std::string() : known->data->ref.uid;
}

// ---- requests ----

bool frontend::on_data(net::connection& from, std::string_view message) {
    auto* sender = static_cast<session*>(from.user);
    const auto decoded = protocol::decode_message(message);
    if (!decoded) {
        base::log::debug("server", "connection {}: malformed message: {}", number(from.id()),
                         decoded.error().text());
        return false;
    }
    using protocol::message_type;
    if (sender == nullptr || decoded->type == message_type::response ||
        decoded->type == message_type::push) {
        return true; // not a client's to send: dropped
    }
    client_request request;
    codec_.read(*decoded, *sender->agreed, request);
    if (request.is_misread) {
        warn_of_misread(from, request);
    }
    if (const auto& costs = options_.route_cost; !costs.empty()) {
        if (const auto at = costs.find(request.route); at != costs.end()) {
            from.charge(at->second - 1);
        }
    }
    serve(*sender, request);
    return true;
}

/// A client of the original may cause it and not know: its encoder clips texts.
void frontend::warn_of_misread(const net::connection& from, const client_request& request) {
    if (const auto end = rare_.due(request.route)) {
        base::log::warn("server", "'{}' of connection {} ({}): {}{}", request.route,
                        number(from.id()), from.address(), request.refused->text(), *end);
    }
}

void frontend::serve(session& from, const client_request& request) {
    const auto& now = local_.current();
    pending what{from.id(),
                 request.id,
                 lease(),
                 local_.serving().begin(options_.self.life, from.id()),
                 request_bytes + request.route.size() + request.body.size(),
                 nullptr};
    ++from.requests_in_flight;
    from.link->keep(what.bytes);
    unanswered_bytes_ += what.bytes;
    what.log = request_log::begin(
        list_, clock_, {what.id, request.route, &from.data->ref, from.link->address(), now.get()});
    const auto refuse = [&](errc code, std::string text) {
        this->refuse(what, request.route, error(code, std::move(text)));
    };
    if (request.refused) {
        return this->refuse(what, request.route, *request.refused);
    }
    const auto type = type_of(request.route);
    if (type.empty()) {
        return refuse(errc::unknown_route,
                      fmt::format("'{}' is not type.handler.method", request.route));
    }
    if (request.route.ends_with(".constructor")) {
        if (what.log) {
            what.log->end(error(errc::refused, "an attack: the client is kicked"), nullptr);
        }
        over(&from, what);
        from.link->kick(protocol::kick_reason::attack);
        return;
    }
    if (is_draining_) {
        return refuse(errc::cancelled, "the server is stopping");
    }
    if (from.requests_in_flight > options_.requests_limit) {
        return refuse(errc::overloaded, fmt::format("{} requests of session {} are unanswered",
                                                    options_.requests_limit, number(what.from)));
    }
    if (is_overloaded(*from.data)) {
        if (const auto more = rare_.due("overload")) {
            base::log::warn(
                "server",
                "overloaded: clients' bytes wait longer than {} ms for their "
                "turn (limits.overload), requests are refused{}",
                std::chrono::duration_cast<std::chrono::milliseconds>(options_.overload).count(),
                *more);
        }
        return refuse(errc::overloaded, "requests wait too long for their turn here");
    }
    // Clients that are connected hold less: they are not read, or closed.
    if (unanswered_bytes_ > 2 * options_.listener->input_limit) {
        return refuse(errc::overloaded,
                      "closed sessions have left too many requests without an answer");
    }
    if (local_.is_holding()) {
        return keep(request, std::move(what));
    }
    pass_on(from.data, type, request, std::move(what), clock_.now());
}

/// More comes than this loop can do: what is refused at once costs little, so that the rest is
/// served in time. Who is logged in goes before who is not.
bool frontend::is_overloaded(const door::session_data& from) const {
    const auto* turns = options_.listener->turns;
    if (turns == nullptr || options_.overload == base::duration::zero()) {
        return false;
    }
    return turns->wait() >= (from.ref.uid.empty() ? options_.overload : 2 * options_.overload);
}

void frontend::keep(const client_request& request, pending what) {
    const auto now = clock_.now();
    client_request kept = request;
    kept.decoded = request.body;
    local_.keep(now + options_.call_timeout,
                [this, now, kept = std::move(kept), route = std::string(request.route),
                 what = std::move(what)](const error* why) mutable {
                    if (why != nullptr) {
                        return refuse(what, route, *why);
                    }
                    kept.route = route;
                    kept.body = kept.decoded;
                    const auto* sender = sessions_.find(what.from);
                    pass_on(sender != nullptr ? sender->data : nullptr, type_of(route), kept,
                            std::move(what), now);
                });
}

void frontend::pass_on(data_pointer from, std::string_view type, const client_request& request,
                       pending what, base::time_point arrived) {
    const served_request::scope here(local_.serving(), what.id);
    if (!from) {
        return refuse(what, request.route,
                      error(errc::closed, "the session closed while the request waited"));
    }
    if (const auto& now = local_.current(); !now->registered().filters().empty()) {
        what.asked = lease(now);
        if (!passes_filters(*from, request, what)) {
            return;
        }
        // A filter may have changed the session.
        if (const auto* sender = sessions_.find(what.from)) {
            from = sender->data;
        }
    }
    if (type != options_.self.type) {
        return forward(*from, type, request, std::move(what), arrived);
    }
    auto call = std::make_unique<client_call>(*this, std::move(from), std::move(what), request,
                                              arrived + options_.call_timeout);
    call->came(arrived);
    local_.run_handler(request.route, std::move(call));
}

void frontend::over(session* sender, const pending& what) {
    unanswered_bytes_ -= what.bytes;
    if (sender != nullptr) {
        --sender->requests_in_flight;
        sender->link->give_back(what.bytes);
    }
}

void frontend::refuse(const pending& what, std::string_view route, error why) {
    refused_counts_.note(why.code());
    ended(what, route, std::move(why));
}

bool frontend::passes_filters(const door::session_data& from, const client_request& request,
                              const pending& what) {
    for (auto* filter : what.asked->registered().filters()) {
        if (auto passed = filter->before(request.route, request.body, from); !passed) {
            refuse(what, request.route, std::move(passed).error());
            return false;
        }
    }
    return true;
}

void frontend::forward(const door::session_data& from, std::string_view type,
                       const client_request& request, pending what, base::time_point arrived) {
    auto to = list_.pick(local_.current()->registered(), type, {&from, {}, {}});
    if (!to) {
        return refuse(what, request.route, std::move(to).error());
    }
    ++forwarded_;
    auto bytes =
        wire::encode(request.route, what.id, 0, &from, request.body, {}, list_.told_epoch());
    journey way{std::move(what), std::string(request.route), arrived, list_.next_place(),
                list_.told_epoch()};
    if (list_.is_behind()) {
        return send_anew(std::move(bytes), 0, std::move(way));
    }
    send(std::move(bytes), *to, std::move(way));
}

void frontend::send(std::string bytes, const directory::target& to, journey way) {
    const bus::load load{flow_of_request(way.what.id), bytes.size() + request_work};
    const auto place = way.place;
    const auto deadline = way.arrived + options_.call_timeout;
    auto answered = [this, way = std::move(way), hold = to.hold](auto outcome) mutable {
        if (outcome || outcome.error().code() != wire::outdated) {
            arrive(way, outcome);
        } else if (is_overtaken(way)) {
            arrive(way, error(errc::recovering, "it has waited at a server that stood still, and "
                                                "later requests of its session went elsewhere"));
        } else {
            const auto known = way.epoch;
            send_anew(outcome.error().text(), known + 1, std::move(way));
        }
    };
    list_.when_open(
        to,
        [this, bytes = std::move(bytes), load, deadline, place,
         answered = std::move(answered)](const error* why, const std::string& server) mutable {
            if (why != nullptr) {
                return answered(result<std::string>(*why));
            }
            if (list_.has_left_behind()) {
                note_overtaking(bytes, place);
            } else {
                overtaking_.clear();
            }
            servers_.call(server, wire::kind::client_request, std::move(bytes), deadline,
                          std::move(answered), load);
        },
        place);
}

void frontend::note_overtaking(std::string_view envelope, std::uint64_t place) {
    wire::request request;
    if (wire::decode(envelope, request)) {
        auto& last = overtaking_[{request.session.ref.id, std::string(type_of(request.route))}];
        last = std::max(last, place);
    }
}

bool frontend::is_overtaken(const journey& way) const {
    const auto at = overtaking_.find({way.what.from, std::string(type_of(way.route))});
    return at != overtaking_.end() && at->second > way.place;
}

void frontend::arrive(journey& way, const result<door::body>& outcome) {
    counts_of(way.route, outcome).note(outcome, clock_.now() - way.arrived);
    ended(way.what, way.route, outcome);
    --forwarded_;
    if (forwarded_ == 0 && idle_) {
        idle_();
    }
}

void frontend::send_anew(std::string envelope, std::uint64_t epoch, journey way) {
    const auto place = way.place;
    auto go = [this, envelope = std::move(envelope),
               way = std::move(way)](const error* why, const std::string&) mutable {
        wire::request request;
        if (why != nullptr) {
            return arrive(way, *why);
        }
        if (!wire::decode(envelope, request) || !request.has_session) { // too long to come back
            return arrive(way, error(errc::no_server, "its room may have moved"));
        }
        if (sessions_.find(way.what.from) == nullptr) {
            return arrive(way, error(errc::closed, "the session closed while the request waited"));
        }
        const auto to = list_.pick(local_.current()->registered(), type_of(request.route),
                                   {&request.session, {}, {}});
        if (!to) {
            return arrive(way, to.error());
        }
        way.epoch = list_.told_epoch();
        auto bytes = wire::encode(request.route, request.id, 0, &request.session, request.body, {},
                                  way.epoch);
        send(std::move(bytes), *to, std::move(way));
    };
    list_.when_known(epoch, place, std::move(go));
    if (!list_patience_.is_armed()) {
        on_list();
    }
}

void frontend::on_list() {
    list_patience_.cancel();
    if (list_.is_behind()) {
        list_patience_ = clock_.after(list_patience, [this] { list_.stop_waiting_for_list(); });
    }
}

/// A client may invent routes, but not one that was answered well or that the dictionary has.
route_counts& frontend::counts_of(std::string_view route, const result<door::body>& outcome) {
    if (auto* counts = forwarded_counts_.find(route)) {
        return *counts;
    }
    const bool exists =
        outcome || (options_.dictionary && options_.dictionary->code_of(route) != 0);
    return exists ? forwarded_counts_.of(route) : forwarded_counts_.unknown();
}

void frontend::ended(const pending& what, std::string_view route, const result<door::body>& outcome,
                     const generation* by) {
    if (what.log) {
        what.log->end(outcome, by);
    }
    auto* sender = sessions_.find(what.from);
    if (sender == nullptr) {
        return over(nullptr, what);
    }
    if (what.message_id != 0) {
        codec_.write_response(package_, *sender->agreed, what.message_id, route, outcome);
        (void)sender->link->send_package(package_);
    }
    over(sender, what);
    if (!what.asked) {
        return;
    }
    const auto& filters = what.asked->registered().filters();
    const auto data = sender->data;
    const auto failed = outcome ? error() : outcome.error();
    for (auto at = filters.rbegin(); at != filters.rend(); ++at) {
        (*at)->after(route, *data, outcome ? nullptr : &failed);
    }
}

} // namespace shaddock::server
