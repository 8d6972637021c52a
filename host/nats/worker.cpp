#include "worker.hpp"

#include <algorithm>
#include <cassert>
#include <climits>
#include <cstdlib>
#include <utility>

namespace shaddock::nats {

namespace {

/// At the stop, for what waits.
constexpr std::int64_t last_words_ms = 1000;

/// What a C callback is given instead of a pointer: a number cannot dangle, and the library may
/// still call when all else is gone.
template <class Thing>
class tickets {
public:
    std::uintptr_t add(std::weak_ptr<Thing> what) {
        const std::lock_guard lock(mutex_);
        things_.emplace(++last_, std::move(what));
        return last_;
    }
    void remove(std::uintptr_t ticket) {
        const std::lock_guard lock(mutex_);
        things_.erase(ticket);
    }
    std::shared_ptr<Thing> find(std::uintptr_t ticket) {
        const std::lock_guard lock(mutex_);
        const auto found = things_.find(ticket);
        return found != things_.end() ? found->second.lock() : nullptr;
    }

private:
    std::mutex mutex_;
    std::map<std::uintptr_t, std::weak_ptr<Thing>> things_;
    std::uintptr_t last_ = 0;
};

tickets<worker>& workers() {
    static auto& all = *new tickets<worker>();
    return all;
}
tickets<subscription::state>& states() {
    static auto& all = *new tickets<subscription::state>();
    return all;
}
/// What one message takes in the queue of events.
std::size_t cost_of(const message& heard) {
    return heard.bytes.size() + heard.subject.size() + sizeof(event);
}
event news(event::kind what, std::string text = {}) {
    event made;
    made.what = what;
    made.text = std::move(text);
    return made;
}
std::set<std::uint16_t> ports_known(natsConnection* nc) {
    std::set<std::uint16_t> ports;
    char** servers = nullptr;
    int count = 0;
    if (natsConnection_GetServers(nc, &servers, &count) == NATS_OK) {
        for (int i = 0; i < count; ++i) {
            ports.insert(port_of(servers[i]));
            std::free(servers[i]);
        }
        std::free(static_cast<void*>(servers));
    }
    ports.erase(0);
    return ports;
}
std::uintptr_t number_of(void* closure) {
    return reinterpret_cast<std::uintptr_t>(closure);
}
void* closure_of(std::uintptr_t ticket) {
    return reinterpret_cast<void*>(ticket); // NOLINT(performance-no-int-to-ptr)
}

void up_callback(natsConnection* nc, void* closure) {
    if (const auto to = workers().find(number_of(closure))) {
        to->on_up(number_of(closure), nc);
    }
}
void down_callback(natsConnection* nc, void* closure) {
    if (const auto to = workers().find(number_of(closure))) {
        to->on_down(number_of(closure), nc);
    }
}
void closed_callback(natsConnection* nc, void* closure) {
    if (const auto to = workers().find(number_of(closure))) {
        to->on_closed(number_of(closure), nc);
    }
}
void error_callback(natsConnection* nc, natsSubscription* at, natsStatus what, void* closure) {
    if (const auto to = workers().find(number_of(closure))) {
        to->on_error(nc, at, what);
    }
}
void message_callback(natsConnection*, natsSubscription*, natsMsg* got, void* closure) {
    if (const auto at = states().find(number_of(closure))) {
        if (const auto to = at->in.lock()) {
            to->on_message(at, got);
        }
    }
    natsMsg_Destroy(got);
}

std::string words_of(natsConnection* nc) {
    const char* text = nullptr;
    const auto status = natsConnection_GetLastError(nc, &text);
    if (status == NATS_OK) {
        return "the server has closed it";
    }
    return text != nullptr && *text != '\0' ? text : natsStatus_GetText(status);
}

std::string words_of(natsStatus status) {
    natsStatus ignored = NATS_OK;
    const char* found = nats_GetLastError(&ignored);
    std::string_view text = found != nullptr && *found != '\0' ? found : natsStatus_GetText(status);
    // Which line of the library says so is of no use.
    if (const auto place = text.find("): "); text.starts_with('(') && place != text.npos) {
        text.remove_prefix(place + 3);
    }
    return std::string(text);
}

} // namespace

void subscription::state::end() {
    if (std::exchange(has_ended, true)) {
        return;
    }
    if (!is_being_called) {
        heard = nullptr;
    }
    if (const auto worker = in.lock()) {
        worker->unsubscribe(shared_from_this());
    }
}

worker::~worker() {
    assert(!thread_.joinable() && "destroyed while it runs");
}

result<void> worker::start() {
    auto made = make_library_options(options_);
    if (!made) {
        return std::move(made).error();
    }
    library_ = std::move(*made);
    thread_ = std::thread([this] { run(); });
    return {};
}

// ---- from the loop
// ---------------------------------------------------------------------------------------------------------

bool worker::publish(std::string_view subject, std::string_view reply, std::string_view bytes,
                     headers with) {
    operation made{operation::kind::publish,
                   std::string(subject),
                   std::string(reply),
                   std::string(bytes),
                   nullptr,
                   std::move(with)};
    const auto cost = made.cost();
    // One alone is always taken.
    if (const auto before = waiting_.load(); before > 0 && before + cost > options_.send_limit) {
        is_room_wanted_ = true;
        // It may have been sent since.
        if (waiting_ > options_.send_limit / 2) {
            return false;
        }
        is_room_wanted_ = false;
    }
    waiting_ += cost;
    hand(std::move(made));
    return true;
}

void worker::subscribe(std::shared_ptr<subscription::state> wanted) {
    hand({operation::kind::subscribe, {}, {}, {}, std::move(wanted)});
}

void worker::unsubscribe(std::shared_ptr<subscription::state> ended) {
    hand({operation::kind::unsubscribe, {}, {}, {}, std::move(ended)});
}

void worker::hand(operation what) {
    bool is_first = false;
    {
        const std::lock_guard lock(mutex_);
        is_first = operations_.empty();
        operations_.push_back(std::move(what));
    }
    if (is_first) {
        changed_.notify_one();
    }
}

std::vector<event> worker::take_events() {
    const std::lock_guard lock(mutex_);
    is_woken_ = false;
    return std::exchange(events_, {});
}

void worker::let_go(const event& handled) {
    if (handled.what != event::kind::heard) {
        return;
    }
    const std::lock_guard lock(mutex_);
    handled.at->waiting_bytes -= cost_of(handled.bytes);
    if (handled.at->waiting_bytes == 0) {
        handled.at->is_slow = false;
    }
}

void worker::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_one();
}

void worker::join() {
    thread_.join();
    const std::lock_guard lock(mutex_);
    is_deaf_ = true;
    events_.clear();
}

handle::held worker::now() const {
    const std::lock_guard lock(mutex_);
    return nc_;
}

// ---- on its own thread
// -----------------------------------------------------------------------------------------------------

void worker::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        if (nc_ == nullptr || is_closed_) {
            lock.unlock();
            close(false);
            const bool is_open = open();
            lock.lock();
            if (!is_open || is_closed_) {
                changed_.wait_for(lock, options_.reconnect_wait, [this] { return is_stopping_; });
            }
            continue;
        }
        if (operations_.empty()) {
            changed_.wait(lock,
                          [this] { return is_stopping_ || is_closed_ || !operations_.empty(); });
            continue;
        }
        auto batch = std::exchange(operations_, {});
        lock.unlock();
        carry_out(batch);
        lock.lock();
    }
    auto batch = std::exchange(operations_, {});
    lock.unlock();
    const auto deadline = nats_Now() + last_words_ms;
    while (!batch.empty() && nats_Now() < deadline) {
        carry_out(batch.front());
        batch.pop_front();
    }
    close(true);
    push(news(event::kind::ended));
}

bool worker::open() {
    const auto ticket = workers().add(weak_from_this());
    {
        const std::lock_guard lock(mutex_);
        ticket_ = ticket;
        is_closed_ = false;
    }
    auto* const closure = closure_of(ticket);
    auto* const wanted = library_.get();
    natsConnection* made = nullptr;
    natsOptions_SetDisconnectedCB(wanted, down_callback, closure);
    natsOptions_SetReconnectedCB(wanted, up_callback, closure);
    natsOptions_SetClosedCB(wanted, closed_callback, closure);
    natsOptions_SetErrorHandler(wanted, error_callback, closure);
    // The library could try without end itself, but would not say why it fails.
    if (const auto status = natsConnection_Connect(&made, wanted); status != NATS_OK) {
        workers().remove(ticket);
        push(news(event::kind::trouble, "not connected: " + words_of(status)));
        return false;
    }
    {
        const std::lock_guard lock(mutex_);
        nc_ = handle::held(made, natsConnection_Destroy);
    }
    for (const auto& each : subscriptions_) {
        make(*each);
    }
    on_up(ticket, made);
    return true;
}

void worker::close(bool is_sending) {
    handle::held old;
    std::uintptr_t ticket = 0;
    {
        const std::lock_guard lock(mutex_);
        old = std::exchange(nc_, nullptr);
        ticket = std::exchange(ticket_, 0);
    }
    const bool was_up = is_up_.exchange(false);
    workers().remove(ticket);
    for (const auto& each : subscriptions_) {
        states().remove(each->ticket);
        natsSubscription_Destroy(std::exchange(each->made, nullptr));
    }
    if (old != nullptr) {
        if (is_sending && was_up) {
            natsConnection_FlushTimeout(old.get(), last_words_ms);
        }
        natsConnection_Close(old.get());
    }
    if (is_sending) {
        subscriptions_.clear();
    }
}

void worker::carry_out(std::deque<operation>& batch) {
    for (auto& each : batch) {
        carry_out(each);
    }
    if (is_room_wanted_ && waiting_ <= options_.send_limit / 2 && is_room_wanted_.exchange(false)) {
        push(news(event::kind::room));
    }
}

void worker::carry_out(operation& one) {
    switch (one.what) {
    case operation::kind::publish:
        // What is published while it is down would only be refused.
        if (is_up_) {
            send(one);
        }
        waiting_ -= one.cost();
        return;
    case operation::kind::subscribe:
        subscriptions_.push_back(one.at);
        make(*one.at);
        return;
    case operation::kind::unsubscribe:
        std::erase(subscriptions_, one.at);
        states().remove(one.at->ticket);
        // It says so to the server too.
        natsSubscription_Destroy(std::exchange(one.at->made, nullptr));
        return;
    }
}

void worker::send(const operation& one) {
    const auto size = static_cast<int>(one.bytes.size());
    const auto* reply = one.reply.empty() ? nullptr : one.reply.c_str();
    if (one.with.empty()) {
        reply == nullptr
            ? natsConnection_Publish(nc_.get(), one.subject.c_str(), one.bytes.data(), size)
            : natsConnection_PublishRequest(nc_.get(), one.subject.c_str(), reply, one.bytes.data(),
                                            size);
        return;
    }
    natsMsg* made = nullptr;
    if (natsMsg_Create(&made, one.subject.c_str(), reply, one.bytes.data(), size) == NATS_OK) {
        for (const auto& [name, value] : one.with) {
            natsMsgHeader_Set(made, name.c_str(), value.c_str());
        }
        natsConnection_PublishMsg(nc_.get(), made);
        natsMsg_Destroy(made);
    }
}

void worker::make(subscription::state& wanted) {
    if (nc_ == nullptr) {
        return; // made when there is one
    }
    wanted.ticket = states().add(wanted.weak_from_this());
    const auto status = natsConnection_Subscribe(&wanted.made, nc_.get(), wanted.subject.c_str(),
                                                 message_callback, closure_of(wanted.ticket));
    if (status != NATS_OK) {
        wanted.made = nullptr;
        push(news(event::kind::trouble,
                  "cannot listen at '" + wanted.subject + "': " + words_of(status)));
        return;
    }
    // The bound is ours, behind the callback, which never waits; this is for a burst before it.
    natsSubscription_SetPendingLimits(
        wanted.made, INT_MAX,
        static_cast<int>(std::min<std::size_t>(options_.receive_limit, INT_MAX)));
}

// ---- on the library's threads
// ----------------------------------------------------------------------------------------------

void worker::on_up(std::uintptr_t ticket, natsConnection* nc) {
    char url[256] = "";
    natsConnection_GetConnectedUrl(nc, url, sizeof(url));
    const auto most = std::max<std::int64_t>(natsConnection_GetMaxPayload(nc), 0);
    auto ports = ports_known(nc);
    std::unique_lock lock(mutex_);
    if (ticket != ticket_) {
        return;
    }
    is_up_ = static_cast<std::size_t>(most) >= options_.least_max_payload;
    auto up = news(event::kind::up, url);
    up.max_payload = static_cast<std::size_t>(most);
    up.ports = std::move(ports);
    push_locked(lock, std::move(up));
}

void worker::on_down(std::uintptr_t ticket, natsConnection* nc) {
    auto why = words_of(nc);
    std::unique_lock lock(mutex_);
    if (ticket == ticket_) {
        is_up_ = false;
        push_locked(lock, news(event::kind::down, std::move(why)));
    }
}

void worker::on_closed(std::uintptr_t ticket, natsConnection* nc) {
    auto why = words_of(nc);
    std::unique_lock lock(mutex_);
    if (ticket == ticket_) {
        is_up_ = false;
        is_closed_ = true;
        changed_.notify_one();
        push_locked(lock, news(event::kind::down, std::move(why)));
    }
}

void worker::on_error(natsConnection* nc, natsSubscription* at, natsStatus what) {
    if (what == NATS_SLOW_CONSUMER && at != nullptr) {
        push(news(event::kind::slow, natsSubscription_GetSubject(at)));
    } else {
        push(news(event::kind::trouble, words_of(nc)));
    }
}

void worker::on_message(const std::shared_ptr<subscription::state>& at, natsMsg* got) {
    auto heard = news(event::kind::heard);
    heard.at = at;
    auto& copy = heard.bytes;
    const auto* reply = natsMsg_GetReply(got);
    copy.subject = natsMsg_GetSubject(got);
    copy.reply = reply != nullptr ? reply : "";
    copy.is_no_responders = natsMsg_IsNoResponders(got);
    copy.bytes.assign(natsMsg_GetData(got), static_cast<std::size_t>(natsMsg_GetDataLength(got)));
    std::unique_lock lock(mutex_);
    // One alone is always taken.
    if (at->is_slow ||
        (at->waiting_bytes > 0 && at->waiting_bytes + cost_of(copy) > options_.receive_limit)) {
        if (!std::exchange(at->is_slow, true)) {
            push_locked(lock, news(event::kind::slow, at->subject));
        }
        return;
    }
    at->waiting_bytes += cost_of(copy);
    push_locked(lock, std::move(heard));
}

void worker::push(event what) {
    std::unique_lock lock(mutex_);
    push_locked(lock, std::move(what));
}

void worker::push_locked(std::unique_lock<std::mutex>&, event what) {
    if (is_deaf_) {
        return;
    }
    events_.push_back(std::move(what));
    // Under the lock: once join() has it, nobody wakes any more.
    if (!std::exchange(is_woken_, true)) {
        wake_();
    }
}

} // namespace shaddock::nats
