#include "bus/direct.hpp"

#include "base/log.hpp"
#include "direct_bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace shaddock::bus {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_backoff{10};
constexpr milliseconds longest_backoff{500};
/// Connections that have not said who they are; only processes of our own user get so far.
constexpr std::size_t strangers_limit = 256;

} // namespace

std::unique_ptr<bus> make_direct(boost::asio::any_io_executor executor, base::clock& clock,
                                 base::random& random, direct_options options) {
    return std::make_unique<direct_bus>(std::move(executor), clock, random, std::move(options));
}

direct_bus::direct_bus(boost::asio::any_io_executor executor, base::clock& clock,
                       base::random& random, direct_options options)
    : core(std::move(executor), clock,
           {options.id, options.life, options.queue_limit, options.frame_limit, options.versions}),
      options_(std::move(options)), random_(random.next()) {}

// ---- opening and closing
// ---------------------------------------------------------------------------------------------------

result<void> direct_bus::open_transport() {
    if (auto folder = prepare_run_folder(options_.run_folder); !folder) {
        return folder.error();
    }
    auto lock = run_lock::take(options_.run_folder, options_.id);
    if (!lock) {
        return lock.error();
    }
    auto acceptor = listen_at(executor(), socket_path(options_.run_folder, options_.id));
    if (!acceptor) {
        return acceptor.error();
    }
    lock_ = std::move(*lock);
    acceptor_.emplace(std::move(*acceptor));
    accept_next();
    last_tick_ = clock().now();
    tick_later();
    return {};
}

void direct_bus::close_transport() {
    if (acceptor_) {
        boost::system::error_code ignored;
        acceptor_->close(ignored);
        ::unlink(socket_path(options_.run_folder, options_.id).c_str());
    }
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
    acceptor_->async_accept(
        [this, held = enter()](const boost::system::error_code& failed, unix_socket socket) {
            if (!acceptor_->is_open()) {
                return;
            }
            if (!failed) {
                on_accepted(std::move(socket));
                accept_next();
                return;
            }
            // Out of descriptors, or the caller gave up: not a reason to be deaf for ever.
            base::log::warn("bus", "cannot accept a link: {}", failed.message());
            accept_again_ = clock().after(milliseconds(100), [this] { accept_next(); });
        });
}

void direct_bus::on_accepted(unix_socket socket) {
    if (!admit(socket)) {
        if (std::exchange(stranger_trouble_, "user") != "user") {
            base::log::warn("bus", "refused a process of another user");
        }
        return;
    }
    if (strangers_.size() >= strangers_limit) {
        return;
    }
    auto stranger = std::make_shared<socket_link>(*this, *this, std::move(socket), std::string());
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
    auto socket = dial(executor(), socket_path(options_.run_folder, id));
    if (!socket) {
        if (socket.error() == dial_failure::stranger) {
            log_trouble(id, "its socket belongs to another user");
        }
        if (socket.error() == dial_failure::nobody) {
            nobody_answers(id);
        } else {
            try_later(id);
        }
        return;
    }
    const auto call = std::make_shared<socket_link>(*this, *this, std::move(*socket), id);
    found->second.attempt = call;
    call->random = ++random_;
    begin_greeting(call);
    call->say_hello(
        greeting(dials(id) ? hello_purpose::link : hello_purpose::poke, id, call->random));
}

void direct_bus::nobody_answers(const std::string& id) {
    // A held lock: it is just starting, or just ending.
    if (!shaddock::bus::is_running(options_.run_folder, id)) {
        prove_dead(id);
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
    said.life = options_.life;
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
        log_trouble(is_dialled ? from.called() : from.greeted->id,
                    fmt::format("it refuses: {}", frame.bytes));
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
    const auto trouble = said ? objection(*said) : std::optional(said.error().text());
    if (trouble) {
        log_trouble(said ? said->id : from.called(), *trouble);
        from.refuse(*trouble);
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

std::optional<std::string> direct_bus::objection(const hello& said) const {
    if (common_version(said.versions, self().versions) == 0) {
        return no_common_version(said.id, said.versions);
    }
    if (said.to != self().id) {
        return fmt::format("'{}' wants '{}', this is '{}'", said.id, said.to, self().id);
    }
    if (said.purpose == hello_purpose::link && !(said.id < self().id)) {
        return fmt::format("'{}' may not dial '{}': the smaller id does", said.id, self().id);
    }
    if (is_fenced({said.id, said.life})) {
        return fmt::format("'{}' was seen to end, its incarnation may not return", said.id);
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
    if (is_running() && (dials(from.called()) || is_missing)) {
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
    // Were we the ones who stood still (SIGSTOP, a suspended machine)? Then what the others sent is
    // still unread.
    const bool was_asleep = now - last_tick_ > 2 * options_.heartbeat;
    last_tick_ = now;
    tick_later();
    const auto all = links();
    for (const auto& [id, via] : all) {
        auto& over = static_cast<socket_link&>(*via);
        if (was_asleep || over.is_waiting_for_room()) {
            via->heard(now);
        }
        if (now - via->last_heard() > options_.silence) {
            base::log::warn("bus", "'{}' was silent for {} ms", id, options_.silence.count());
            via->close(link_end::dead);
        } else if (!was_asleep && over.stalled_since() < now - options_.silence) {
            base::log::warn("bus", "'{}' has taken nothing for {} ms, {} bytes wait: link broken",
                            id, options_.silence.count(), via->waiting());
            via->close(link_end::lost);
        } else if (!via->take_has_sent()) {
            via->send_plain(frame_kind::ping);
        }
    }
}

} // namespace shaddock::bus
