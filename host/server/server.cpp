#include "server/server.hpp"

#include "base/alive.hpp"
#include "base/log.hpp"
#include "generations.hpp"
#include "incoming.hpp"
#include "metrics.hpp"
#include "room_moves.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <set>
#include <span>

namespace shaddock::server {

namespace {

/// Turns of the loop that cancelled coroutines get to unwind before the plugin's objects go.
constexpr int settle_turns = 32;
/// How long another server has to tell its contracts.
constexpr auto question_time = std::chrono::seconds(1);
/// How long a server that begins a life waits for the frontends to tell who is in its rooms.
constexpr auto recovery_limit = std::chrono::milliseconds(1500);

bus::peer peer_of(const door::server_info& self) {
    return {self.id, self.life};
}

} // namespace

/// The server's rooms, in the order in which they need each other, and its life cycle.
class server::parts final : public cluster::registry_listener {
public:
    parts(const boost::asio::any_io_executor& executor, base::clock& clock, bus::bus& links,
          cluster::registry& registry, server_options options)
        : executor_(executor), clock_(clock), links_(links), registry_(registry),
          options_(std::move(options)), outgoing_(executor, links, peer_of(options_.self)),
          channels_(outgoing_, [this](const std::string& channel,
                                      const door::member& gone) { on_member_lost(channel, gone); }),
          calls_(executor, clock, options_.serial_limit),
          lists_(clock, outgoing_, registry, options_.lists) {
        if (options_.listener) {
            clients_ =
                std::make_unique<frontend>(executor, clock, options_, outgoing_, list_, calls_);
        }
        generations_ =
            std::make_unique<generations>(host_parts{executor_, clock_, options_, outgoing_, list_,
                                                     calls_, channels_, clients_.get(), settings_});
        moves_ = std::make_unique<room_moves>(clock, options_.self, outgoing_, list_, calls_,
                                              channels_, clients_.get());
        incoming_ = std::make_unique<incoming>(clock, options_.call_timeout, list_, calls_,
                                               channels_, *moves_, lists_, clients_.get());
        incoming_->when_reborn([this](incarnation life) { live_anew(life); });
        outgoing_.serve(*incoming_);
        channels_.on_recovered([this] {
            restore_rooms();
            moves_->on_recovered();
        });
        if (options_.may_own) {
            channels_.fence_if([this] { return !options_.may_own(); });
        }
        if (options_.may_other_own) {
            moves_->ask_who_may_own(options_.may_other_own);
            channels_.fence_rooms_if(
                [this](std::string_view name) { return moves_->is_others_still(name); });
        }
        channels_.refuse_if([this](std::string_view name) { return moves_->is_anothers(name); });
        calls_.types().ask_by([this](const bus::peer& to, std::string_view routes, auto done) {
            ask_contracts(to, routes, std::move(done));
        });
    }
    ~parts() {
        assert(state_ == control::server_state::stopped ||
               (!bus_started_ && generations_->current() == nullptr));
    }

    void start(std::vector<plugin_source> plugins,
               base::unique_function<void(result<void>)> started);
    void stop(std::string_view reason, base::unique_function<void()> stopped, stop_pace pace);
    void reload(std::vector<plugin_source> plugins, reload_options how,
                base::unique_function<void(result<void>)> done);
    void look_ahead(const std::vector<plugin_source>& plugins,
                    base::unique_function<void(std::vector<std::string>)> done);
    void deny(base::network_set networks) {
        if (clients_) {
            clients_->deny(std::move(networks));
        }
    }

    void use_protos(std::shared_ptr<const protocol::protos> now) {
        if (clients_) {
            clients_->use_protos(std::move(now));
        }
    }
    status now() const;
    base::metric_families metrics() const;
    std::uint16_t client_port() const {
        return clients_ && clients_open_ ? clients_->port() : std::uint16_t{0};
    }

    std::vector<std::string> advice() const { return generations_->advice(); }
    void on_settled(base::unique_function<void()> told) { moves_->on_settled(std::move(told)); }

    void on_view(const cluster::view_ptr& now) override;

private:
    result<void> join_cluster();
    void begin_recovery();
    void live_anew(incarnation life);
    void restore_rooms();
    void keep_rooms();
    void start_components();
    void serve();

    void ask_contracts(const bus::peer& to, std::string_view routes,
                       base::unique_function<void(result<std::string>)> done);
    void refuse_new();
    void wait_for_requests();
    bool is_idle() const {
        return calls_.in_flight() == 0 && !calls_.is_holding() && !calls_.waits_for_types() &&
               (!clients_ || clients_->forwarded() == 0);
    }
    void close_clients();
    void stop_components();
    void leave_bus();
    void settle(int turns);
    void finish();

    void on_member_lost(const std::string& channel, const door::member& gone);
    template <class F>
    void later(F call) {
        boost::asio::post(executor_, alive_.guard(std::move(call)));
    }

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    bus::bus& links_;
    cluster::registry& registry_;
    server_options options_;
    control::server_state state_ = control::server_state::starting;

    outgoing outgoing_;
    directory list_;
    channel_store channels_;
    dispatcher calls_;
    list_catch_up lists_;
    std::unique_ptr<frontend> clients_;
    std::unique_ptr<room_moves> moves_;
    std::unique_ptr<incoming> incoming_;
    std::map<std::string, std::string, std::less<>> settings_;
    std::unique_ptr<generations> generations_;

    base::unique_function<void(result<void>)> started_;
    base::unique_function<void()> stopped_;
    std::string stop_reason_;
    base::time_point stop_began_{};
    base::duration drain_time_{};
    base::timer patience_;
    base::timer recovery_;
    /// Whom the bus holds links to.
    std::vector<std::string> peers_;
    bool bus_started_ = false;
    bool registered_ = false;
    bool clients_open_ = false;
    base::alive alive_;
};

// ---- start
// -------------------------------------------------------------------------------------------------------------------

void server::parts::start(std::vector<plugin_source> plugins,
                          base::unique_function<void(result<void>)> started) {
    started_ = std::move(started);
    auto outcome = generations_->create(std::move(plugins));
    if (outcome) {
        outcome = join_cluster();
    }
    if (!outcome) {
        return later([this, outcome = std::move(outcome)]() mutable {
            std::exchange(started_, nullptr)(std::move(outcome));
        });
    }
    later([this] { start_components(); });
}

result<void> server::parts::join_cluster() {
    if (auto opened = links_.start(*incoming_); !opened) {
        return opened;
    }
    bus_started_ = true;
    auto registered = registry_.start(options_.self, *this);
    if (!registered) {
        return registered;
    }
    registered_ = true;
    // After the registry, which observes too: the list is right when links are reported here.
    links_.observe(*incoming_);
    begin_recovery();
    on_view(registry_.now());
    return {};
}

/// From the frontends that the list has now; calls are refused until it is over.
void server::parts::begin_recovery() {
    std::set<std::string, std::less<>> frontends;
    for (const auto& each : registry_.now()->servers) {
        if (each.is_frontend && each.id != options_.self.id) {
            frontends.insert(each.id);
        }
    }
    channels_.begin_recovery(std::move(frontends));
    recovery_ = clock_.after(recovery_limit, [this] {
        if (channels_.is_recovering()) {
            base::log::warn("server", "{} have not said within {} ms who is in the rooms: serves",
                            fmt::join(channels_.awaited(), ", "), recovery_limit.count());
            channels_.end_recovery();
        }
    });
}

/// Of those that have members again.
void server::parts::restore_rooms() {
    const auto kept = std::exchange(options_.kept_rooms, {});
    for (base::reader in(kept); in.ok() && !in.at_end();) {
        const auto name = in.text();
        const auto state = in.text();
        if (in.ok() && channels_.find(name) != nullptr) {
            generations_->current()->restore_room(name, state);
        }
    }
}

void server::parts::keep_rooms() {
    if (!options_.keep_rooms || !generations_->current() || channels_.is_fenced()) {
        return; // where it is fenced another one may know more by now
    }
    std::string kept;
    base::writer out(kept);
    for (const auto& name : channels_.names()) {
        if (channels_.is_fenced(name)) {
            continue;
        }
        if (const auto state = generations_->current()->save_room(name); !state.empty()) {
            out.text(name);
            out.text(state);
        }
    }
    if (!kept.empty()) {
        options_.keep_rooms(std::move(kept));
    }
}

/// Others have declared it dead. The clients' sessions are over; its own rooms are compared with
/// what the frontends say, as after any loss of a link.
void server::parts::live_anew(incarnation life) {
    const auto old = outgoing_.self();
    options_.self.life = life;
    outgoing_.live_anew(life);
    registry_.live_anew(life);
    channels_.live_anew(old);
    if (clients_) {
        clients_->live_anew(life);
    }
    begin_recovery();
}

void server::parts::start_components() {
    if (state_ != control::server_state::starting) {
        return; // stop() has answered
    }
    generations_->start_components([this](result<void> outcome) {
        if (state_ != control::server_state::starting) {
            return; // stop() has answered
        }
        if (outcome && !options_.is_check) {
            serve();
        } else {
            std::exchange(started_, nullptr)(std::move(outcome));
        }
    });
}

void server::parts::serve() {
    if (clients_) {
        if (auto opened = clients_->start(); !opened) {
            return std::exchange(started_, nullptr)(std::move(opened));
        }
        clients_open_ = true;
    }
    state_ = control::server_state::ready;
    generations_->begin();
    const auto& now = *generations_->current();
    base::log::info("server", "{} serves: {} {} ({:.12}, generation {}){}", options_.self.id,
                    now.modules(), now.versions(), now.build_ids(), now.number(),
                    clients_ ? fmt::format(", clients on port {}", clients_->port())
                             : std::string());
    for (auto* hook : generations_->current()->registered().hooks()) {
        hook->on_started();
    }
    std::exchange(started_, nullptr)(result<void>());
}

// ---- stop
// --------------------------------------------------------------------------------------------------------------------

void server::parts::stop(std::string_view reason, base::unique_function<void()> stopped,
                         stop_pace pace) {
    assert(state_ == control::server_state::starting || state_ == control::server_state::ready);
    stopped_ = std::move(stopped);
    stop_reason_ = reason;
    stop_began_ = clock_.now();
    drain_time_ = pace == stop_pace::drains ? options_.drain_timeout : base::duration::zero();
    state_ = control::server_state::draining;
    if (started_) {
        later([started = std::move(started_)]() mutable {
            started(error(errc::cancelled, "stopped while starting"));
        });
        started_ = nullptr;
    }
    base::log::info("server", "{} stops: {}", options_.self.id, reason);
    recovery_.cancel();
    generations_->stop_reloading();
    if (clients_open_) {
        return clients_->move_clients(reason, drain_time_ / 2, [this] { refuse_new(); });
    }
    refuse_new();
}

void server::parts::refuse_new() {
    moves_->stop();
    lists_.stop();
    incoming_->drain(options_.self.id);
    if (clients_open_) {
        clients_->drain();
    }
    // It gives its id back now: what is under way ends as it was.
    channels_.fence_if([is_fenced = channels_.is_fenced()] { return is_fenced; });
    if (registered_) {
        registry_.stop(alive_.guard([this] { wait_for_requests(); }));
    } else {
        wait_for_requests();
    }
}

void server::parts::wait_for_requests() {
    const auto check = [this] {
        if (is_idle() && patience_.is_armed()) {
            patience_.cancel();
            later([this] { close_clients(); });
        }
    };
    calls_.on_idle(check);
    if (clients_) {
        clients_->on_idle(check);
    }
    patience_ = clock_.at(base::later(stop_began_, drain_time_), [this] {
        base::log::warn("server", "{} requests had not ended after {} ms: cancelled",
                        calls_.in_flight(),
                        std::chrono::duration_cast<std::chrono::milliseconds>(drain_time_).count());
        close_clients();
    });
    check();
}

void server::parts::close_clients() {
    calls_.on_idle(nullptr);
    if (clients_) {
        clients_->on_idle(nullptr);
    }
    if (!clients_open_) {
        return stop_components();
    }
    clients_->stop(stop_reason_, alive_.guard([this] { stop_components(); }));
}

void server::parts::stop_components() {
    keep_rooms();
    generations_->stop_components(options_.drain_timeout, [this] { leave_bus(); });
}

void server::parts::leave_bus() {
    generations_->cancel();
    calls_.cancel_all();
    if (!bus_started_) {
        return settle(settle_turns);
    }
    links_.stop(alive_.guard([this] { settle(settle_turns); }));
}

void server::parts::settle(int turns) {
    if (turns == 0) {
        return finish();
    }
    later([this, turns] { settle(turns - 1); });
}

void server::parts::finish() {
    outgoing_.stop();
    // What began while things settled.
    calls_.cancel_all();
    calls_.use(nullptr);
    generations_->destroy();
    state_ = control::server_state::stopped;
    auto stopped = std::move(stopped_);
    stopped();
}

// ---- while it lives
// ----------------------------------------------------------------------------------------------------------

void server::parts::on_view(const cluster::view_ptr& now) {
    std::vector<std::string> ids;
    for (const auto* list : {&now->servers, &now->guests}) {
        std::ranges::transform(*list, std::back_inserter(ids), &door::server_info::id);
    }
    if (ids != peers_) {
        for (const auto& each : std::exchange(peers_, ids)) {
            if (std::ranges::count(ids, each) == 0) {
                channels_.on_forgotten(each);
            }
        }
        links_.set_peers(std::move(ids));
    }
    moves_->on_view(now);
    if (state_ == control::server_state::ready) {
        calls_.tell_hooks([](door::hooks& hook) { hook.on_servers_changed(); });
    }
}

void server::parts::on_member_lost(const std::string& channel, const door::member& gone) {
    calls_.tell_hooks([channel, gone](door::hooks& hook) { hook.on_member_lost(channel, gone); });
}

void server::parts::reload(std::vector<plugin_source> plugins, reload_options how,
                           base::unique_function<void(result<void>)> done) {
    if (state_ == control::server_state::ready) {
        return generations_->reload(std::move(plugins), how, std::move(done));
    }
    later([done = std::move(done), now = state_]() mutable {
        done(error(errc::refused, fmt::format("the server is {}", to_string(now))));
    });
}

void server::parts::look_ahead(const std::vector<plugin_source>& plugins,
                               base::unique_function<void(std::vector<std::string>)> done) {
    later([this, plugins, done = std::move(done)]() mutable {
        calls_.types().look_ahead(options_.self.type, plugins, outgoing_.linked(), std::move(done));
    });
}

void server::parts::ask_contracts(const bus::peer& to, std::string_view routes,
                                  base::unique_function<void(result<std::string>)> done) {
    if (to.version < wire::contracts_version) {
        return later([done = std::move(done)]() mutable {
            done(error(errc::contract, "its host is of a version that does not tell them"));
        });
    }
    outgoing_.call(to.id, wire::kind::contracts, wire::encoded(routes),
                   clock_.now() + question_time, std::move(done));
}

status server::parts::now() const {
    status made;
    made.state = to_string(state_);
    if (clients_ && clients_open_) {
        made.connections = clients_->counts().connections;
        made.sessions = clients_->sessions().size();
    }
    made.channels = channels_.size();
    made.members = channels_.members();
    made.requests_in_flight = calls_.in_flight() + (clients_ ? clients_->forwarded() : 0);
    made.requests = calls_.started();
    if (const auto& current = generations_->current()) {
        made.module = current->modules();
        made.version = current->versions();
        made.build_id = current->build_ids();
        made.generation = current->number();
    }
    made.ending = generations_->ending();
    made.kept = generations_->kept();
    made.epoch = moves_->epoch();
    if (const auto* self = list_.leaving(options_.self.id); self != nullptr && self->stays) {
        made.staying = control::rooms_left{channels_.used(), channels_.members()};
    }
    made.links = links_.linked().size();
    const auto all = list_.all();
    made.expected = registry_.running().value_or(static_cast<std::size_t>(std::count_if(
        all->begin(), all->end(), [&](const auto& each) { return each.id != options_.self.id; })));
    return made;
}

base::metric_families server::parts::metrics() const {
    base::metric_families all;
    add_requests(all, calls_);
    add_rooms(all, channels_, outgoing_);
    add_held(all, calls_, clients_.get());
    if (clients_) {
        add_clients(all, *clients_);
    }
    add_bus(all, links_);
    add_state(all, now());
    return all;
}

server::server(const boost::asio::any_io_executor& executor, base::clock& clock, bus::bus& links,
               cluster::registry& registry, server_options options)
    : parts_(std::make_unique<parts>(executor, clock, links, registry, std::move(options))) {}

server::~server() = default;

void server::start(std::vector<plugin_source> plugins,
                   base::unique_function<void(result<void>)> started) {
    parts_->start(std::move(plugins), std::move(started));
}

void server::stop(std::string_view reason, base::unique_function<void()> stopped, stop_pace pace) {
    parts_->stop(reason, std::move(stopped), pace);
}

void server::reload(std::vector<plugin_source> plugins, reload_options how,
                    base::unique_function<void(result<void>)> done) {
    parts_->reload(std::move(plugins), how, std::move(done));
}

void server::look_ahead(const std::vector<plugin_source>& plugins,
                        base::unique_function<void(std::vector<std::string>)> done) {
    parts_->look_ahead(plugins, std::move(done));
}

void server::deny(base::network_set networks) {
    parts_->deny(std::move(networks));
}

void server::use_protos(std::shared_ptr<const protocol::protos> now) {
    parts_->use_protos(std::move(now));
}

status server::now() const {
    return parts_->now();
}

void server::on_settled(base::unique_function<void()> told) {
    parts_->on_settled(std::move(told));
}

base::metric_families server::metrics() const {
    return parts_->metrics();
}

std::uint16_t server::client_port() const {
    return parts_->client_port();
}

std::vector<std::string> server::advice() const {
    return parts_->advice();
}

} // namespace shaddock::server
