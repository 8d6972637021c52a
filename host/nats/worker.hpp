#pragma once

#include "handle.hpp"
#include "library_options.hpp"
#include "nats/connection.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace shaddock::nats {

/// One subscription, shared by the loop, the worker and the library's callbacks.
struct subscription::state : std::enable_shared_from_this<subscription::state> {
    std::string subject;
    connection::on_message heard;
    /// The loop's.
    bool has_ended = false;
    bool is_being_called = false;
    std::weak_ptr<class worker> in;
    /// What it has in the queue of events. Guarded by the worker's mutex.
    std::size_t waiting_bytes = 0;
    bool is_slow = false;
    /// The worker thread's.
    natsSubscription* made = nullptr;
    std::uintptr_t ticket = 0;

    /// On the loop: nothing is heard from now on.
    void end();
};

/// What the library's threads have seen, for the loop.
struct event {
    enum class kind { up, down, slow, room, trouble, heard, ended };
    kind what{};
    /// up: the server's address; slow: the subject; trouble, down: the library's words.
    std::string text;
    std::size_t max_payload = 0;
    /// up: of all servers that are known.
    std::set<std::uint16_t> ports{};
    std::shared_ptr<subscription::state> at;
    message bytes;
};

/// The thread that calls the library, and the queues between it, the library's own threads and the
/// loop. Thread: the loop, unless it says otherwise.
class worker : public std::enable_shared_from_this<worker> {
public:
    /// `wake` is called on any thread when events are there that were not taken; not after `join`.
    worker(options wanted, base::unique_function<void()> wake)
        : options_(std::move(wanted)), wake_(std::move(wake)) {}
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker();

    /// Errors: of make_library_options.
    result<void> start();
    /// False: too much waits; an event `room` comes when there is room again.
    bool publish(std::string_view subject, std::string_view reply, std::string_view bytes,
                 headers with);
    void subscribe(std::shared_ptr<subscription::state> wanted);
    void unsubscribe(std::shared_ptr<subscription::state> ended);
    std::size_t waiting() const { return waiting_; }
    std::vector<event> take_events();
    /// They were handled: their subscriptions have room again.
    void let_go(const event& handled);
    /// What waits is sent, then all ends; the event `ended` is the last one.
    void stop();
    void join();

    /// Thread: any.
    handle::held now() const;

    // What the library calls, on its threads.
    void on_up(std::uintptr_t ticket, natsConnection* nc);
    void on_down(std::uintptr_t ticket, natsConnection* nc);
    void on_closed(std::uintptr_t ticket, natsConnection* nc);
    void on_error(natsConnection* nc, natsSubscription* at, natsStatus what);
    void on_message(const std::shared_ptr<subscription::state>& at, natsMsg* got);

private:
    struct operation {
        enum class kind { publish, subscribe, unsubscribe };
        kind what{};
        std::string subject;
        std::string reply;
        std::string bytes;
        std::shared_ptr<subscription::state> at;
        headers with{};
        std::size_t cost() const { return subject.size() + reply.size() + bytes.size(); }
    };

    void hand(operation what);
    void run();
    /// Makes the library's connection; false: it could not even begin.
    bool open();
    void close(bool is_sending);
    void carry_out(std::deque<operation>& batch);
    void carry_out(operation& one);
    void send(const operation& one);
    void make(subscription::state& wanted);
    void push(event what);
    void push_locked(std::unique_lock<std::mutex>& lock, event what);

    const options options_;
    library_options library_;
    base::unique_function<void()> wake_;
    std::thread thread_;
    std::atomic<std::size_t> waiting_{0};
    std::atomic<bool> is_room_wanted_{false};
    std::atomic<bool> is_up_{false};

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<operation> operations_;
    std::vector<event> events_;
    bool is_woken_ = false;
    bool is_stopping_ = false;
    bool is_closed_ = false;
    bool is_deaf_ = false;
    handle::held nc_;
    /// Of the connection that is in place: what older ones say does not count.
    std::uintptr_t ticket_ = 0;

    /// The worker thread's: subscriptions in place, to be made again on another connection.
    std::vector<std::shared_ptr<subscription::state>> subscriptions_;
};

} // namespace shaddock::nats
