#include "bus/direct.hpp"

#include "base/log.hpp"
#include "direct_bus.hpp"
#include "unix_transport.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::bus {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_backoff{10};
constexpr milliseconds longest_backoff{500};
/// Connections that have not said who they are; only processes of our own user get so far.
constexpr std::size_t strangers_limit = 256;

bool is_over(milliseconds time, base::time_point since, base::time_point now) {
    return since < now && now - since > time;
}

} // namespace

std::unique_ptr<bus> make_direct(boost::asio::any_io_executor executor, base::clock& clock,
                                 base::random& random, direct_options options,
                                 std::unique_ptr<transport> over) {
    if (!over) {
        over = std::make_unique<unix_transport>(executor, options.run_folder, options.id);
    }
    return std::make_unique<direct_bus>(std::move(executor), clock, random, std::move(options),
                                        std::move(over));
}

std::unique_ptr<transport> make_unix_transport(boost::asio::any_io_executor executor,
                                               std::filesystem::path run_folder, std::string id) {
    return std::make_unique<unix_transport>(std::move(executor), std::move(run_folder),
                                            std::move(id));
}

direct_bus::direct_bus(boost::asio::any_io_executor executor, base::clock& clock,
                       base::random& random, direct_options options,
                       std::unique_ptr<transport> over)
    : core(std::move(executor), clock,
           {options.id, options.life, options.queue_limit, options.frame_limit, options.versions,
            options.turns}),
      options_(std::move(options)), over_(std::move(over)), random_(random.next()) {}

// ---- opening and closing
// ---------------------------------------------------------------------------------------------------

result<void> direct_bus::open_transport() {
    if (auto opened = over_->open(); !opened) {
        return opened;
    }
    accept_next();
    last_tick_ = clock().now();
    tick_later();
    return {};
}

/// Somebody may have removed the run folder: no server that starts would find us.
void direct_bus::guard_place() {
    if (over_->is_reachable()) {
        return;
    }
    const auto opened = over_->open();
    if (no_place_.due(clock().now())) {
        base::log::error("bus", "where others link is gone (was the run folder removed?): {}",
                         opened ? "made anew" : opened.error().text());
    }
}

void direct_bus::close_transport() {
    over_->close();
    accept_again_.cancel();
    heartbeat_.cancel();
    const auto strangers = std::exchange(strangers_, {});
    for (const auto& stranger : strangers) {
        if (stranger->greeted) {
            // At the other end the link may be open already.
            stranger->send_plain(frame_kind::bye);
            stranger->flush();
        }
        stranger->close(link_end::stopped);
    }
    const auto contacts = std::exchange(contacts_, {});
    for (const auto& [id, way] : contacts) {
        if (way.attempt && !way.attempt->is_open()) {
            way.attempt->close(link_end::stopped);
        }
    }
}

void direct_bus::accept_next() {
    over_->accept([this, held = enter()](arrival who) {
        if (!over_->is_open()) {
            return;
        }
        if (who.what != arrival::trouble::failed) {
            on_accepted(std::move(who));
            accept_next();
            return;
        }
        // Out of descriptors, or the caller gave up: not a reason to be deaf for ever.
        if (const auto untold = accept_complaint_.due(clock().now())) {
            base::log::warn("bus",
                            "cannot accept a link: {}; trying every 100 ms; {} such failures since "
                            "the last line of this kind",
                            who.problem, *untold);
        }
        accept_again_ = clock().after(milliseconds(100), [this] { accept_next(); });
    });
}

void direct_bus::on_accepted(arrival who) {
    if (who.what == arrival::trouble::stranger) {
        if (std::exchange(stranger_trouble_, "user") != "user") {
            base::log::warn("bus", "refused a process of another user");
        }
        return;
    }
    if (strangers_.size() >= strangers_limit) {
        return;
    }
    auto stranger = std::make_shared<socket_link>(*this, *this, std::move(who.from), std::string());
    strangers_.insert(stranger);
    begin_greeting(stranger);
}

void direct_bus::begin_greeting(const std::shared_ptr<socket_link>& with) {
    with->patience = clock().after(options_.silence, [weak = std::weak_ptr(with)] {
        if (const auto late = weak.lock()) {
            late->close(link_end::lost);
        }
    });
    with->start_reading();
}

// ---- reaching others
// -------------------------------------------------------------------------------------------------------

void direct_bus::peers_changed() {
    for (auto& [id, way] : contacts_) {
        way.is_wanted = false;
    }
    std::vector<std::string> fresh;
    for (const auto& id : peer_ids()) {
        auto [place, is_new] = contacts_.try_emplace(id);
        place->second.is_wanted = true;
        if (is_new) {
            fresh.push_back(id);
        }
    }
    for (auto i = contacts_.begin(); i != contacts_.end();) {
        if (i->second.is_wanted) {
            ++i;
            continue;
        }
        // A link in place stays until it ends; it is only not made again.
        const auto dropped = std::move(i->second.attempt);
        i = contacts_.erase(i);
        if (dropped && !dropped->is_open()) {
            dropped->close(link_end::stopped);
        }
    }
    for (const auto& id : fresh) {
        try_now(id);
    }
}

void direct_bus::link_went_down(const peer& with, link_end why) {
    // The one who does not dial asks only whether a lost peer is dead; a living one will dial.
    if (dials(with.id) || why == link_end::lost) {
        try_now(with.id);
    }
}

void direct_bus::greet_anew() {
    const auto strangers = std::exchange(strangers_, {});
    for (const auto& stranger : strangers) {
        stranger->close(link_end::lost);
    }
    std::vector<std::string> ids;
    for (const auto& [id, way] : contacts_) {
        ids.push_back(id);
    }
    for (const auto& id : ids) {
        const auto way = contacts_.find(id);
        if (way == contacts_.end()) {
            continue;
        }
        if (const auto old = way->second.attempt; old && !old->is_open()) {
            old->close(link_end::lost);
        }
        try_now(id);
    }
}

void direct_bus::try_now(const std::string& id) {
    if (const auto way = contacts_.find(id); way != contacts_.end()) {
        way->second.backoff = milliseconds(0);
        way->second.next.cancel();
        later([this, id] { attempt(id); });
    }
}

void direct_bus::try_later(const std::string& id) {
    const auto found = contacts_.find(id);
    if (found == contacts_.end()) {
        return;
    }
    auto& way = found->second;
    way.backoff = std::clamp(way.backoff * 2, first_backoff, longest_backoff);
    way.next = clock().after(way.backoff, [this, id] { attempt(id); });
}

void direct_bus::attempt(const std::string& id) {
    const auto found = contacts_.find(id);
    if (!is_running() || found == contacts_.end() || found->second.attempt || is_linked(id)) {
        return;
    }
    auto reached = over_->dial(id);
    if (!reached) {
        if (reached.error() == dial_failure::stranger) {
            log_trouble(id, "its socket belongs to another user");
        }
        if (reached.error() == dial_failure::nobody) {
            nobody_answers(id);
        } else {
            try_later(id);
        }
        return;
    }
    const auto call = std::make_shared<socket_link>(*this, *this, std::move(*reached), id);
    found->second.attempt = call;
    call->random = ++random_;
    begin_greeting(call);
    call->say_hello(
        greeting(dials(id) ? hello_purpose::link : hello_purpose::poke, id, call->random));
}

void direct_bus::nobody_answers(const std::string& id) {
    // A held lock: it is just starting, or just ending.
    if (!over_->is_running(id)) {
        prove_dead(id);
        tell_absent(id);
        const auto way = contacts_.find(id);
        if (way != contacts_.end() && !way->second.is_wanted) {
            contacts_.erase(way); // it had poked us, and is gone
            return;
        }
        if (!dials(id)) {
            return; // it will dial when it lives again
        }
    }
    try_later(id);
}

hello direct_bus::greeting(hello_purpose purpose, std::string_view to, std::uint64_t random) const {
    hello said;
    said.versions = options_.versions;
    said.purpose = purpose;
    said.life = self().life;
    said.random = random;
    said.id = options_.id;
    said.to = to;
    return said;
}

// ---- greetings
// -------------------------------------------------------------------------------------------------------------

bool direct_bus::on_greeting(socket_link& from, const frame_view& frame) {
    const auto kept = std::static_pointer_cast<socket_link>(from.shared_from_this());
    const bool is_dialled = !from.called().empty();
    if (frame.kind == frame_kind::refuse && (is_dialled || from.greeted)) {
        const auto& who = is_dialled ? from.called() : from.greeted->id;
        if (incarnation{frame.call} == self().life) {
            learn_own_death(who);
        }
        log_trouble(who, fmt::format("it refuses: {}", frame.bytes));
        from.close(link_end::lost);
        return false;
    }
    if (from.greeted) {
        strangers_.erase(kept);
        from.become_open(*from.greeted);
        return true;
    }
    const auto said = frame.kind == frame_kind::hello
                          ? read_hello(frame.bytes)
                          : result<hello>(error(errc::bad_request, "a frame before the greeting"));
    const auto trouble = said ? objection(*said, from.way()) : std::optional(said.error().text());
    if (trouble) {
        log_trouble(said ? said->id : from.called(), *trouble);
        from.refuse(*trouble,
                    said && is_fenced({said->id, said->life}) ? said->life : incarnation{});
    } else if (is_dialled) {
        on_answer(kept, *said);
    } else if (said->purpose == hello_purpose::poke) {
        on_poke(kept, *said);
    } else {
        on_hello(kept, *said);
    }
    return false;
}

peer direct_bus::peer_of(const hello& said) const {
    return {said.id, said.life, common_version(said.versions, self().versions)};
}

std::optional<std::string> direct_bus::objection(const hello& said, const pipe& by) const {
    if (common_version(said.versions, self().versions) == 0) {
        return no_common_version(said.id, said.versions);
    }
    if (said.to != self().id) {
        return fmt::format("'{}' wants '{}', this is '{}'", said.id, said.to, self().id);
    }
    if (!over_->goes(said.id, by)) {
        return fmt::format("'{}' comes {}, which is not the way between it and '{}': one of them "
                           "does not know yet whether they are on the same machine",
                           said.id, by.is_local() ? "by a socket" : "over NATS", self().id);
    }
    if (said.purpose == hello_purpose::link && !(said.id < self().id)) {
        return fmt::format("'{}' may not dial '{}': the smaller id does", said.id, self().id);
    }
    if (is_fenced({said.id, said.life})) {
        return fmt::format("'{}' is dead, its incarnation may not return", said.id);
    }
    return std::nullopt;
}

void direct_bus::on_hello(const std::shared_ptr<socket_link>& from, const hello& said) {
    if (said.purpose != hello_purpose::link) {
        from->close(link_end::lost);
        return;
    }
    stranger_trouble_.clear();
    // It may still refuse us: the link opens here with the first frame that it sends on the opened
    // link.
    from->greeted = peer_of(said);
    from->say_hello(greeting(hello_purpose::answer, said.id, said.random));
}

void direct_bus::on_poke(const std::shared_ptr<socket_link>& from, const hello& said) {
    from->close(link_end::stopped);
    if (!dials(said.id)) {
        return;
    }
    if (const auto old = find_link(said.id); old && old->with().life == said.life) {
        return;
    }
    if (const auto old = find_link(said.id)) {
        old->drain();
        old->close(link_end::dead);
    }
    // An attempt under way goes on: if it reached a former life, that one's end ends it.
    contacts_.try_emplace(said.id);
    try_now(said.id);
}

void direct_bus::on_answer(const std::shared_ptr<socket_link>& from, const hello& said) {
    const auto found = contacts_.find(from->called());
    if (said.purpose != hello_purpose::answer || said.id != from->called() ||
        said.random != from->random || found == contacts_.end()) {
        log_trouble(from->called(), "it answers as somebody else");
        from->close(link_end::lost);
        return;
    }
    found->second.backoff = milliseconds(0);
    found->second.trouble.clear();
    from->send_plain(frame_kind::ping);
    // It stays the attempt until it is up: what happens on the way (news of an older link, a poke)
    // must not dial once more.
    from->become_open(peer_of(said));
    const auto now = contacts_.find(from->called());
    if (now != contacts_.end() && now->second.attempt == from) {
        now->second.attempt = nullptr;
        if (from->is_closed() && is_running()) {
            try_now(from->called()); // it ended while it was still the attempt
        }
    }
}

void direct_bus::on_greeting_failed(socket_link& from) {
    const auto kept = std::static_pointer_cast<socket_link>(from.shared_from_this());
    strangers_.erase(kept);
    const auto found = contacts_.find(from.called());
    if (found == contacts_.end() || found->second.attempt != kept) {
        return;
    }
    found->second.attempt = nullptr;
    // After a poke a living peer dials; only a lost one is asked again, until it has dialled or is
    // dead.
    const auto* last = known(from.called());
    const bool is_missing = last != nullptr && !last->has_ended;
    if (from.was_refused()) {
        tell_absent(from.called());
        if (!found->second.is_wanted && !is_missing) {
            contacts_.erase(found); // it had poked us, and is gone
            return;
        }
    }
    // Where a call may get lost, a poke may too.
    const bool is_doubtful =
        found->second.is_wanted && over_->judges(from.called()).absence_is_doubtful;
    if (is_running() && (dials(from.called()) || is_missing || is_doubtful)) {
        try_later(from.called());
    }
}

void direct_bus::log_trouble(const std::string& id, std::string text) {
    const auto found = contacts_.find(id);
    auto& last = found != contacts_.end() ? found->second.trouble : stranger_trouble_;
    if (last != text) {
        base::log::warn("bus", "no link with '{}': {}", id.empty() ? "a stranger" : id, text);
        last = std::move(text);
    }
}

// ---- heartbeats
// ------------------------------------------------------------------------------------------------------------

void direct_bus::tick_later() {
    heartbeat_ = clock().after(options_.heartbeat, [this] { tick(); });
}

void direct_bus::tick() {
    const auto now = clock().now();
    const bool was_asleep = is_stall(now - last_tick_);
    if (was_asleep) {
        woke_ = now;
        slept_ = now - last_tick_;
    }
    last_tick_ = now;
    tick_later();
    guard_place();
    const auto all = links();
    for (const auto& [id, via] : all) {
        auto& other = static_cast<socket_link&>(*via);
        // Whoever has not read, or was not there to read, does not know who was silent.
        if (was_asleep || other.is_waiting_for_room() ||
            (now - other.last_heard() > options_.silence && other.has_unread())) {
            other.heard(now);
        }
        if (!was_asleep) {
            judge(other, now);
        }
        if (!other.is_closed() && !other.take_has_sent()) {
            other.send_plain(frame_kind::ping);
        }
    }
    if (!was_asleep) {
        judge_missing(now);
    }
}

void direct_bus::judge(socket_link& other, base::time_point now) {
    const auto& id = other.with().id;
    const auto by = over_->judges(id);
    const auto silence = by.silence > milliseconds(0) ? by.silence : options_.silence;
    if (options_.declares_dead &&
        is_over(silence, std::max(other.last_heard(), by.whole_since), now)) {
        base::log::warn("bus", "'{}' was silent for {} ms: declared dead", id, silence.count());
        declare_dead(other);
    } else if (other.stalled_since() < now - options_.silence) {
        base::log::warn("bus", "'{}' has taken nothing for {} ms, {} bytes wait: link broken", id,
                        options_.silence.count(), other.waiting());
        other.close(link_end::lost);
    }
}

void direct_bus::judge_missing(base::time_point now) {
    if (!options_.declares_dead) {
        return;
    }
    for (const auto& id : missing()) {
        const auto by = over_->judges(id);
        if (by.absence_is_doubtful &&
            is_over(by.silence, std::max({known(id)->lost_at, by.whole_since, woke_}), now)) {
            base::log::warn("bus", "'{}' was not found for {} ms: declared dead", id,
                            by.silence.count());
            declare_missing_dead(id);
        }
    }
}

base::duration direct_bus::stall(base::time_point now) const {
    if (is_stall(now - last_tick_)) {
        return now - last_tick_;
    }
    return now - woke_ < options_.heartbeat ? slept_ : base::duration::zero();
}

} // namespace shaddock::bus
