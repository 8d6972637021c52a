#pragma once

#include "base/clock.hpp"
#include "contracts.hpp"
#include "generation.hpp"
#include "metrics.hpp"
#include "request_id.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <compare>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

namespace shaddock::server {

class dispatcher;

/// One request, notify or remote call being served here. The plugin owns it until it has answered.
/// Every call is answered exactly once: by the plugin, by its deadline, or on its destruction.
class pending_call : public door::invocation {
public:
    pending_call(std::shared_ptr<const door::session_data> session, door::body_view body,
                 base::time_point deadline, std::uint64_t contract, bool is_notify);
    ~pending_call() override;

    std::string_view route() const noexcept final { return entry_->route; }
    door::body_view request() const noexcept final { return bytes_; }
    const door::session_data* session() const noexcept final { return session_.get(); }
    std::uint64_t contract() const noexcept final { return contract_; }
    bool is_notify() const noexcept final { return is_notify_; }
    base::time_point deadline() const noexcept final { return deadline_; }
    void finish(result<door::body> outcome) noexcept final;

    /// The request that this is, or that it is a part of.
    void belongs_to(const request_id& request) { id_ = request; }
    /// Who calls, and its modules, for people: `chat.so 1.2`. For calls with a contract.
    void comes_from(bus::peer caller, std::string_view modules) {
        caller_ = std::move(caller);
        modules_ = modules;
    }
    /// When it came, for one that has waited before a dispatcher sees it.
    void came(base::time_point at) { arrived_ = at; }

protected:
    /// Null while nobody serves it: it is kept back.
    const generation* served_by() const { return lease_.get(); }
    /// Sends the answer on its way; called exactly once, for a notify too.
    virtual void answer(result<door::body> outcome) noexcept = 0;
    /// The session as it is now, for a call that has waited; null when it is not to be had here.
    virtual std::shared_ptr<const door::session_data> session_now() const { return nullptr; }
    /// Whether the session is known to have closed: a call that still waits is then not started.
    virtual bool is_session_gone() const { return false; }
    /// To be called in the destructor of each derived class: answers `internal` if nobody answered
    /// before.
    void abandon() noexcept;

private:
    friend class dispatcher;
    /// To the caller, once.
    void give(result<door::body> outcome) noexcept;
    void count(const result<door::body>& outcome) noexcept;
    void complain(const error& why);
    void leave();
    /// Its body counts as waiting until it is started or answered.
    void begin_waiting(dispatcher& where);
    void end_waiting();
    /// Answers for the plugin, which goes on: a serial method stays taken until it has really
    /// ended.
    void expire();
    void release_serial();

    std::shared_ptr<const door::session_data> session_;
    std::string bytes_;
    base::time_point deadline_;
    std::uint64_t contract_;
    bus::peer caller_;
    std::string modules_;
    request_id id_;
    bool is_notify_;
    bool is_finished_ = false;
    method_entry* entry_ = nullptr;
    /// Where it is counted, and since when: from its arrival here until somebody answers. Null:
    /// it has not reached a dispatcher.
    route_counts* counts_ = nullptr;
    const base::clock* clock_ = nullptr;
    base::time_point arrived_{};
    std::uint64_t arrival_ = 0;
    /// What the calls know that are made while it is served; `max()` once it is answered.
    std::shared_ptr<base::time_point> waited_for_until_;
    lease lease_;
    // One of the dispatcher's lists; owner_ is null when in none.
    dispatcher* owner_ = nullptr;
    bool is_overdue_ = false;
    /// Where its body counts as waiting; null when it does not.
    dispatcher* waits_at_ = nullptr;
    /// Set while this call keeps others of its serial method waiting; outlives its time in the
    /// list.
    std::shared_ptr<dispatcher*> serial_owner_;
    pending_call* before_ = nullptr;
    pending_call* after_ = nullptr;
};

/// Executes calls on the present generation: finds the method, keeps serial methods serial, counts,
/// and answers what runs out of time. Thread: the loop.
class dispatcher {
public:
    dispatcher(boost::asio::any_io_executor executor, base::clock& clock, std::size_t serial_limit);
    ~dispatcher();

    /// From here on calls go to `next`.
    void use(std::shared_ptr<generation> next);
    /// What comes is kept back until release(), so that those in flight can end first; what waits
    /// past its deadline is answered `timeout`. Not kept back: calls that belong to a request in
    /// flight, or to `free`. Limits: `held_limit`; further ones are answered `overloaded`.
    void hold(const request_id& free = {});
    bool is_holding() const { return is_holding_; }
    /// What `hold` was given; 0 while it does not hold.
    const request_id& free() const { return free_; }
    /// Takes part in the order of what is kept back: `end` runs in release() with null, or before
    /// with the reason why it is refused. Call while it holds.
    void keep(base::time_point deadline, base::unique_function<void(const error*)> end);
    /// Runs `event` now, or in release(). Never refused.
    void in_order(base::unique_function<void()> event);
    /// Calls `what` with each hook of the generation that serves then, as in_order.
    template <class F>
    void tell_hooks(F what) {
        in_order([this, what = std::move(what)] {
            if (current_) {
                for (auto* hook : current_->registered().hooks()) {
                    what(*hook);
                }
            }
        });
    }
    /// Those kept back run from here on, in order, with their sessions as they are by now; so many
    /// in a turn of the loop. What comes meanwhile runs behind them.
    void release();
    /// Calls that are accepted wait for the types of their callers.
    bool waits_for_types() const { return !asked_.empty(); }
    const std::shared_ptr<generation>& current() const { return current_; }
    /// The request whose code runs now.
    served_request& serving() { return serving_; }
    contracts& types() { return types_; }

    void run_handler(std::string_view route, std::unique_ptr<pending_call> call);
    void run_remote(std::string_view route, std::unique_ptr<pending_call> call);

    /// Accepted and not answered: those that run, and those that wait for the one before them.
    std::size_t in_flight() const { return running_.size + waiting_; }
    /// No code of a handler or remote is under way: none in flight, none that was answered
    /// `timeout` and goes on.
    bool is_at_rest() const { return in_flight() == 0 && overdue_.size == 0; }
    /// What keeps it from rest, for people: `'chat.chatHandler.send' for 2013 ms (2 of it), ...`.
    std::string under_way() const;
    std::uint64_t started() const { return started_; }
    /// For `has_before`: all that has come so far.
    std::uint64_t mark() const { return arrivals_; }
    /// Whether something that had come by then has not ended; also while it holds.
    bool has_before(std::uint64_t mark) const;
    /// Clients' requests and servers' remote calls, those that were refused here included.
    const route_table& handler_counts() const { return handler_counts_; }
    const route_table& remote_counts() const { return remote_counts_; }
    /// Ends those of a session that wait for one before them: it has closed.
    void forget_waiting(const session_ref& gone);
    /// Bodies of calls that wait: for one before them, a reload, their types.
    std::size_t waiting_bytes() const { return waiting_bytes_; }
    /// Called whenever the last call in flight has ended, and whenever it comes to rest.
    void on_idle(base::unique_function<void()> idle) { idle_ = std::move(idle); }
    /// Answers everything in flight with `cancelled` and forgets it.
    void cancel_all();

private:
    friend class pending_call;
    struct serial_key {
        const std::string* route;
        session_id session;
        std::size_t frontend;
        friend bool operator==(const serial_key&, const serial_key&) = default;
    };
    struct serial_hash {
        std::size_t operator()(const serial_key& key) const {
            return std::hash<const void*>()(key.route) ^
                   (static_cast<std::size_t>(key.session) * 0x9e3779b97f4a7c15u) ^ key.frontend;
        }
    };
    /// Calls of one server under one contract whose types are being asked for.
    struct asked_key {
        std::string caller;
        incarnation life;
        std::string route;
        std::uint64_t contract;
        friend auto operator<=>(const asked_key&, const asked_key&) = default;
    };
    struct id_hash {
        std::size_t operator()(const request_id& id) const {
            return static_cast<std::size_t>(id.number ^ static_cast<std::uint64_t>(id.origin)) *
                   0x9e3779b97f4a7c15u;
        }
    };
    struct held {
        base::time_point deadline;
        base::unique_function<void(const error*)> end;
    };
    /// In order of their start; the sweep looks at all of them, which is cheap while calls are
    /// short.
    struct call_list {
        pending_call* first = nullptr;
        pending_call* last = nullptr;
        std::size_t size = 0;
        void add(pending_call& call);
        void remove(pending_call& call);
    };
    void arrived(pending_call& call, const method_entry* entry, route_table& counts);
    bool has_room_for(const pending_call& call) const;
    bool keep_back(bool is_remote, std::string_view route, std::unique_ptr<pending_call>& call);
    void run(method_entry* entry, std::string_view route, std::unique_ptr<pending_call> call);
    bool has_fitting_types(method_entry& entry, std::unique_ptr<pending_call>& call);
    void wait_for_types(const method_entry& entry, const asked_key& key,
                        std::unique_ptr<pending_call> call);
    void go_on(const asked_key& key, const result<void>& asked);
    void refuse_types(pending_call& call, std::string_view route, std::string_view why);
    static serial_key key_of(const pending_call& call);
    void start(std::unique_ptr<pending_call> call);
    void ended(pending_call& call);
    void overdue(pending_call& call);
    void count_cause(const pending_call& call, bool begins);
    void serial_ended(const pending_call& call);
    void next_serial(const serial_key& key);
    void expire_waiting(base::time_point now);
    void expire_held(base::time_point now);
    void release_some(std::uint64_t holding);
    void expire();
    void tell_idle();
    void watch();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    std::size_t serial_limit_;
    std::shared_ptr<generation> current_;
    served_request serving_;
    call_list running_;
    /// Answered `timeout`; their code has not ended.
    call_list overdue_;
    /// In all queues of `serial_`.
    std::size_t waiting_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t started_ = 0;
    std::uint64_t arrivals_ = 0;
    route_table handler_counts_;
    route_table remote_counts_;
    base::timer sweep_;
    base::unique_function<void()> idle_;
    /// A key is here while one of its calls runs; the queue holds those that wait.
    std::unordered_map<serial_key, std::deque<std::unique_ptr<pending_call>>, serial_hash> serial_;
    /// Serial routes ever seen: what their keys point to.
    std::set<std::string, std::less<>> serial_routes_;
    contracts types_{clock_};
    std::map<asked_key, std::deque<std::unique_ptr<pending_call>>> asked_;
    bool is_holding_ = false;
    /// One of those kept back runs.
    bool is_releasing_ = false;
    /// Counts the times it held: what one release has left to do is not the next one's.
    std::uint64_t holding_ = 0;
    /// While it holds: the requests that what runs belongs to.
    std::unordered_map<request_id, std::size_t, id_hash> causes_;
    request_id free_;
    std::deque<held> held_;
    /// Points here while the dispatcher lives; null afterwards.
    std::shared_ptr<dispatcher*> self_ = std::make_shared<dispatcher*>(this);
};

} // namespace shaddock::server
