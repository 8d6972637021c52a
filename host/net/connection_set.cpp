#include "connection_set.hpp"

#include <base/log.hpp>
#include <protocol/kick.hpp>

#include <boost/asio/post.hpp>

#include <utility>

namespace shaddock::net {

namespace {

/// Spare memory kept for the next turns: this many queues, none larger than this.
constexpr std::size_t spare_queues = 256;
constexpr std::size_t spare_queue_bytes = std::size_t{64} * 1024;
/// What a queue starts with when no spare is left: a few messages.
constexpr std::size_t first_queue_bytes = 1024;
/// Clients that have sent too fast are read again so exactly.
constexpr base::duration pause_tick = std::chrono::milliseconds(5);
/// Who is refused and waits to be told; more are closed at once.
constexpr std::size_t refused_limit = 256;
/// A turn that is only long is shorter.
constexpr base::duration stood_still = std::chrono::milliseconds(500);
/// What is younger may still be about to say something.
constexpr base::duration newcomer_peace = std::chrono::seconds(1);

} // namespace

connection_set::connection_set(boost::asio::any_io_executor executor, base::clock& clock,
                               listener_options options)
    : executor_(std::move(executor)), clock_(clock), options_(std::move(options)),
      turns_(options_.turns != nullptr ? *options_.turns : own_turns_.emplace(executor_, clock)),
      read_buffer_(std::make_unique_for_overwrite<char[]>(read_bytes)), admission_(clock, options_),
      wheel_(clock.now()), pauses_(clock.now(), pause_tick) {
    turns_.add(*this);
    if (options_.heartbeat_timeout == base::duration::zero()) {
        options_.heartbeat_timeout = 2 * options_.heartbeat;
    }
}

connection_set::~connection_set() {
    for (auto& one : all_) {
        one->abandon();
    }
}

// Who may come in

bool connection_set::lets_in(client_origin& origin) {
    origin.came = clock_.now();
    origin.is_trusted = admission_.is_trusted(origin.from);
    origin.must_have_header = options_.proxy_protocol;
    if (admission_.is_denied(origin.from)) {
        note(drop::denied, origin);
        return false;
    }
    if (options_.proxy_protocol && !origin.is_trusted) {
        note(drop::proxy_header, origin, "this port is for trusted proxies only");
        return false;
    }
    origin.has_place = has_room();
    if (!origin.has_place) {
        origin.refused = drop::connections_limit;
        note(drop::connections_limit, origin);
    } else if (admit(origin); origin.refused) {
        origin.has_place = false;
    }
    return origin.has_place || counts_.connections - placed_ < refused_limit;
}

bool connection_set::has_room() {
    const auto limit = options_.connections_limit;
    return limit == 0 || placed_ < limit || displace_newcomer();
}

bool connection_set::displace_newcomer() {
    if (newcomers_.empty()) {
        return false;
    }
    const connection_ptr oldest(static_cast<client_connection*>(&newcomers_.front()));
    if (clock_.now() - oldest->origin().came < newcomer_peace) {
        return false;
    }
    note(drop::made_room, oldest->origin());
    oldest->give_way();
    return true;
}

void connection_set::admit(client_origin& origin) {
    if (origin.is_trusted) {
        return;
    }
    origin.is_counted = admission_.enter(origin.from);
    if (!origin.is_counted) {
        origin.refused = drop::address_limit;
        note(drop::address_limit, origin);
    }
}

void connection_set::found(client_origin& origin, const base::ip_address& client,
                           std::uint16_t number) {
    origin.from = client;
    origin.port = number;
    origin.is_trusted = admission_.is_trusted(client);
    if (admission_.is_denied(client)) {
        origin.refused = drop::denied;
        note(drop::denied, origin);
    } else if (!origin.refused) {
        admit(origin);
    }
}

bool connection_set::give_place_back(client_origin& origin) {
    placed_ -= std::exchange(origin.has_place, false) ? 1 : 0;
    return counts_.connections - placed_ <= refused_limit;
}

bool connection_set::may_greet(client_origin& origin) {
    if (admission_.may_greet(origin.is_trusted ? base::ip_address() : origin.from)) {
        return true;
    }
    origin.refused = drop::handshake_rate;
    note(drop::handshake_rate, origin);
    return false;
}

void connection_set::note(drop why, const client_origin& of, std::string_view cause) {
    ++counts_.of(why);
    if (const auto times = admission_.note(why)) {
        base::log::warn("net",
                        "port {}: {}: {} since the last line of this kind, the last of them {}{}{}",
                        options_.port, to_string(why), *times, base::to_text(of.from),
                        cause.empty() ? "" : ": ", cause);
    }
}

void connection_set::note_throttled(client_connection::pause& one) {
    if (std::exchange(one.told_in, throttle_line_) != throttle_line_ && ++throttled_ == 1) {
        const auto name = events_->name_of(one.owner);
        first_throttled_ = one.owner.address() + (name.empty() ? "" : " (" + name + ")");
    }
    if (throttle_complaint_.due(clock_.now())) {
        base::log::warn("net",
                        "port {}: faster than its message_rate or byte_rate, so not read for a "
                        "while: {} clients since the last line of this kind, the first of them {}",
                        options_.port, std::exchange(throttled_, 0), first_throttled_);
        ++throttle_line_;
    }
}

void connection_set::deny(base::network_set networks) {
    admission_.deny(std::move(networks));
    const std::vector<connection_ptr> everyone(all_.begin(), all_.end());
    for (const auto& one : everyone) {
        if (admission_.is_denied(one->origin().from)) {
            one->kick(protocol::kick_reason::denied);
        }
    }
}

void connection_set::add(std::unique_ptr<stream> bytes, const client_origin& origin) {
    ++counts_.connections;
    ++counts_.accepted;
    const bool has_place = origin.has_place;
    placed_ += has_place ? 1 : 0;
    all_.emplace_back(
        new client_connection(*this, std::move(bytes), origin, connection_id{++last_id_}));
    if (has_place) {
        newcomers_.push_back(*all_.back());
    }
    // First the wheel catches up, then it takes deadlines.
    arm_sweep();
    all_.back()->start(std::prev(all_.end()));
}

void connection_set::forget(const client_origin& origin) {
    if (origin.is_counted) {
        admission_.leave(origin.from);
    }
}

void connection_set::remove(client_connection& gone) {
    --counts_.connections;
    placed_ -= gone.origin().has_place ? 1 : 0;
    forget(gone.origin());
    gone.sweep_entry::unlink();
    deciding_.erase(gone.id());
    all_.erase(gone.place());
    finish_if_empty();
}

void connection_set::await_answer(client_connection& one) {
    deciding_.emplace(one.id(), &one);
}

void connection_set::answer_handshake(connection_id to, const handshake_answer& answer) {
    if (auto found = deciding_.extract(to)) {
        found.mapped()->answer_handshake(answer);
    }
}

void connection_set::flush_later(client_connection& one) {
    dirty_.emplace_back(&one);
    end_turn_later();
}

void connection_set::report_closed_later(client_connection& one, std::string_view reason) {
    closed_.push_back({connection_ptr(&one), std::string(reason)});
    end_turn_later();
}

void connection_set::watch(client_connection& one) {
    wheel_.watch(one, one.due());
}

std::string connection_set::take_storage() {
    if (spare_.empty()) {
        spare_.emplace_back().reserve(first_queue_bytes);
    }
    auto storage = std::move(spare_.back());
    spare_.pop_back();
    return storage;
}

void connection_set::give_storage(std::string&& storage) {
    if (spare_.size() < spare_queues && storage.capacity() <= spare_queue_bytes) {
        spare_.push_back(std::move(storage));
    }
}

void connection_set::kick_all(std::string_view reason) {
    // A kick never removes a connection at once, but an error while flushing may.
    const std::vector<connection_ptr> everyone(all_.begin(), all_.end());
    for (const auto& one : everyone) {
        one->kick(reason);
    }
}

void connection_set::when_empty(base::unique_function<void()> done) {
    when_empty_ = std::move(done);
    finish_if_empty();
}

void connection_set::end_turn() {
    // What the callbacks below send or close still belongs to this turn.
    for (std::size_t i = 0; i < closed_.size(); ++i) {
        const auto report = std::move(closed_[i]);
        events_->on_closed(*report.connection, report.reason);
    }
    closed_.clear();
    flushing_.swap(dirty_);
    const auto now = clock_.now();
    for (auto& one : flushing_) {
        one->flush_turn(now);
    }
    flushing_.clear();
    keep_to_budget();
    finish_if_empty();
}

void connection_set::sweep() {
    if (clock_.now() - wheel_.next_tick() <= stood_still) {
        return check_deadlines();
    }
    // Nothing was read meanwhile. What clients have sent comes first, and what other servers say of
    // this one: it may have to tell clients why they are to go.
    sweep_timer_ = clock_.after(wheel_.tick, [this] { check_deadlines(); });
}

void connection_set::check_deadlines() {
    const auto now = clock_.now();
    wheel_.advance(now, [now](sweep_entry& entry) {
        connection_ptr(static_cast<client_connection*>(&entry))->check_deadline(now);
    });
    arm_sweep();
}

/// Nobody connected: no timer, the process sleeps, and the empty wheel catches up afterwards.
void connection_set::arm_sweep() {
    if (all_.empty() || sweep_timer_.is_armed()) {
        return;
    }
    wheel_.advance(clock_.now(), [](sweep_entry&) {});
    sweep_timer_ = clock_.at(wheel_.next_tick(), [this] { sweep(); });
}

void connection_set::wake(client_connection::pause& one, base::time_point due) {
    note_throttled(one);
    if (!pause_timer_.is_armed()) {
        // It has stood still while nobody paused.
        pauses_.advance(clock_.now(), [](sweep_entry&) {});
    }
    pauses_.watch(one, due);
    if (!pause_timer_.is_armed()) {
        pause_timer_ = clock_.at(pauses_.next_tick(), [this] { end_pauses(); });
    }
}

void connection_set::end_pauses() {
    pauses_.advance(clock_.now(), [](sweep_entry& entry) {
        static_cast<client_connection::pause&>(entry).owner.end_pause();
    });
    if (counts_.throttled > 0) {
        pause_timer_ = clock_.at(pauses_.next_tick(), [this] { end_pauses(); });
    }
}

void connection_set::finish_if_empty() {
    if (all_.empty() && closed_.empty() && when_empty_) {
        boost::asio::post(executor_, std::exchange(when_empty_, {}));
    }
}

} // namespace shaddock::net
