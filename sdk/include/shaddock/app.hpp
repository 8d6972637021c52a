#pragma once

#include <shaddock/channel.hpp>
#include <shaddock/config_files.hpp>
#include <shaddock/detail/blocking.hpp>
#include <shaddock/detail/json_line.hpp>
#include <shaddock/detail/wait.hpp>
#include <shaddock/log.hpp>
#include <shaddock/remote.hpp>
#include <shaddock/routing.hpp>
#include <shaddock/session.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock {

using server_info = door::server_info;
using server_list = door::server_list;

/// The record of a server in servers.json as a described type: keys of your own, and Pomelo's
/// (`max-connections` and other names that are none of C++ excepted); keys that the type does not
/// have are passed over.
/// Errors: config, naming the server and the key: `servers.json: record of chat-server-1: zone:
/// expected integer, found ..`.
template <class T>
result<T> record_as(const server_info& server) {
    auto decoded = json::decode<T>(server.record_json.empty() ? "{}" : server.record_json);
    if (!decoded) {
        return error(errc::config,
                     "servers.json: record of " + server.id + ": " + decoded.error().text());
    }
    return decoded;
}

namespace detail {

/// One session as door::host::find_sessions gives it.
struct found_session {
    session_ref ref;
    std::map<std::string, raw_json> settings;
};
BOOST_DESCRIBE_STRUCT(found_session, (), (ref, settings))

/// How an argument of a call by name is written: texts of all kinds as text.
template <class Given>
using written = std::conditional_t<std::is_convertible_v<const Given&, std::string_view>,
                                   std::string_view, Given>;

/// What a timer or post calls. A coroutine that nobody awaits would never run.
template <class F>
std::function<void()> plain_work(F work) {
    static_assert(!is_awaitable<std::invoke_result_t<F&>>,
                  "nobody awaits this coroutine: call app.spawn with it");
    return work;
}

template <class... Args, class... Given>
std::string encode_arguments(const Given&... given) {
    static_assert(sizeof...(Args) == sizeof...(Given),
                  "the contract has another number of arguments");
    static_assert((std::is_convertible_v<const Given&, Args> && ...),
                  "an argument's type does not fit the contract");
    std::string out = "[";
    std::size_t i = 0;
    ((out.append(i++ == 0 ? "" : ","), encode<Args>(out, static_cast<const Args&>(given))), ...);
    out += ']';
    return out;
}

} // namespace detail

/// Sessions anywhere in the cluster, by reference or uid.
class session_service {
public:
    explicit session_service(door::host& host) : host_(&host) {}

    /// Sessions of this frontend bound to `uid`; all for an empty uid.
    std::vector<session_ref> local(std::string_view uid = {}) const {
        return host_->local_sessions(uid);
    }
    /// The sessions that `frontend` has for this uid, with their settings. Empty when there are
    /// none.
    template <class = void>
    awaitable<result<std::vector<session>>> find(std::string frontend, std::string uid) {
        return look_up(
            *host_, {.frontend = std::move(frontend), .life = {}, .id = {}, .uid = std::move(uid)});
    }
    /// The session with this reference, with its settings. Empty when it is gone.
    template <class = void>
    awaitable<result<std::vector<session>>> find(session_ref who) {
        return look_up(*host_, std::move(who));
    }
    /// A session to act on (push, bind, kick) without asking for its settings first.
    session at(session_ref who) const {
        return session(*host_, door::session_data{std::move(who), {}});
    }
    /// Kicks every session of the uid on every frontend; the number of sessions kicked.
    template <class = void>
    awaitable<result<std::uint64_t>> kick(std::string uid, std::string reason) {
        return kick_all(*host_, std::move(uid), std::move(reason));
    }

private:
    // They begin when they are awaited: by then app::sessions(), a temporary, may be gone.
    template <class = void>
    static awaitable<result<std::uint64_t>> kick_all(door::host& host, std::string uid,
                                                     std::string reason) {
        auto pending = detail::wait([&](std::unique_ptr<door::completion> done) {
            host.kick_uid(uid, reason, std::move(done));
        });
        auto outcome = co_await std::move(pending);
        if (!outcome) {
            co_return std::move(outcome).error();
        }
        co_return json::decode<std::uint64_t>(*outcome, "kick");
    }
    template <class = void>
    static awaitable<result<std::vector<session>>> look_up(door::host& host, session_ref who) {
        auto pending = detail::wait([&](std::unique_ptr<door::completion> done) {
            host.find_sessions(who, std::move(done));
        });
        auto outcome = co_await std::move(pending);
        if (!outcome) {
            co_return std::move(outcome).error();
        }
        auto found = json::decode<std::vector<detail::found_session>>(*outcome, "sessions");
        if (!found) {
            co_return std::move(found).error();
        }
        std::vector<session> sessions;
        for (auto& one : *found) {
            door::session_data data{std::move(one.ref), {}};
            for (auto& [key, value] : one.settings) {
                data.settings.push_back({key, std::move(value.text)});
            }
            sessions.emplace_back(host, std::move(data));
        }
        co_return sessions;
    }

    door::host* host_;
};

/// What the host offers to a plugin. One per generation of a plugin; handed to constructors by
/// reference, which may keep it. Thread: the server's loop, where all plugin code runs, for
/// everything that does not say `Thread: any`.
class app {
public:
    explicit app(door::host& host) : host_(host) {}
    app(const app&) = delete;
    app& operator=(const app&) = delete;

    // ---- who am I, who is there
    const server_info& self() const { return host_.self(); }
    const std::string& server_id() const { return self().id; }
    const std::string& server_type() const { return self().type; }
    /// Servers of a type, those down and awaited too (`is_up` tells), sorted by id. Never null. One
    /// that leaves (`rooms: stay`) is not among them; servers() has it, with `is_leaving`.
    server_list servers(std::string_view type) const { return host_.servers(type); }
    server_list servers() const { return host_.all_servers(); }

    /// True where the plugin is only tried (`host check --module`, and before each reload):
    /// components start and stop, nothing serves and timers do not run.
    bool is_check() const { return host_.is_check(); }

    // ---- calls to other servers
    /// Calls a remote by its contract; arguments are encoded before this returns. `by` chooses the
    /// server. Errors: no_server, timeout, disconnected, overloaded, contract, cancelled, or what
    /// the remote answered.
    template <class R, class... Args, class... Given>
    awaitable<result<R>> call(const remote_method<R(Args...)>& method, routing by,
                              const Given&... given) {
        return finish_call<R>(host_, std::string(method.route()), method.hash(), method.shape,
                              std::move(by),
                              detail::encode_arguments<std::remove_cvref_t<Args>...>(given...));
    }
    /// Calls a remote by its route, unchecked by types of both sides.
    template <class R = raw_json, class... Given>
    awaitable<result<R>> call(std::string_view route, routing by, const Given&... given) {
        return finish_call<R>(host_, std::string(route), 0, nullptr, std::move(by),
                              detail::encode_arguments<detail::written<Given>...>(given...));
    }
    /// As `call` without an answer. Errors: what is known at once (no_server, overloaded, routing).
    template <class R, class... Args, class... Given>
    result<void> cast(const remote_method<R(Args...)>& method, const routing& by,
                      const Given&... given) {
        const auto arguments = detail::encode_arguments<std::remove_cvref_t<Args>...>(given...);
        return host_.cast(method.route(), method.hash(), by.target(method.shape), arguments);
    }
    template <class... Given>
    result<void> cast(std::string_view route, const routing& by, const Given&... given) {
        const auto arguments = detail::encode_arguments<detail::written<Given>...>(given...);
        return host_.cast(route, 0, by.target(), arguments);
    }

    // ---- clients
    channel_service channels() { return channel_service(host_); }
    session_service sessions() { return session_service(host_); }
    /// A push to sessions anywhere, one message per frontend.
    template <class T>
    result<void> push_to(std::string_view route, const T& message,
                         std::span<const session_ref> to) {
        const auto text = json::encode(message);
        return host_.push_to_sessions(route, text, to);
    }
    /// To all sessions of all frontends of the type.
    template <class T>
    result<void> broadcast(std::string_view frontend_type, std::string_view route, const T& message,
                           bool only_bound = false) {
        const auto text = json::encode(message);
        return host_.broadcast(frontend_type, route, text, only_bound);
    }

    // ---- settings of this process, files
    /// Nothing when it is not set or of another type; members that the value lacks keep their
    /// initialisers (json::decode_tolerant).
    template <class T>
    std::optional<T> get(std::string_view key) const {
        const auto text = host_.setting(key);
        auto value =
            text ? json::decode_tolerant<T>(*text, key) : result<T>(error(errc::not_found, ""));
        return value ? std::optional<T>(std::move(*value)) : std::nullopt;
    }
    template <class T>
    void set(std::string_view key, const T& value) {
        host_.set_setting(key, json::encode(value));
    }
    /// `config/<name>.json` for this environment (the key named like it, else the whole file; else
    /// config/<env>/<name>.json). Members that the file lacks keep their initialisers, as with
    /// json::decode_tolerant. Errors: not_found; config, `config/rooms.json:12: rooms[1].size:
    /// expected integer, found string "big"`.
    template <class T>
    result<T> load_config(std::string_view name) const;
    /// A service that the host may have or not, by its interface. Valid as long as this object.
    /// Errors: not_found, naming what was asked, what this host has, and what to do.
    template <class T>
    result<T*> extension() const {
        const auto found = host_.extension(T::name, T::version);
        return found ? result<T*>(static_cast<T*>(*found)) : found.error();
    }

    // ---- time and work
    door::time_point now() const { return host_.now(); }
    /// Throws errc::cancelled when the server stops, so that a loop around it ends. `max()`: only
    /// then.
    template <class = void>
    awaitable<void> sleep(door::duration how_long) {
        auto& host = host_;
        auto pending = detail::wait(
            [&](std::unique_ptr<door::completion> done) { host.sleep(how_long, std::move(done)); });
        const auto outcome = co_await std::move(pending);
        outcome.value();
    }
    /// Calls `work` every `period`, first after one; `max()`: never. It begins when the server
    /// serves. A timer of the same name is replaced; over a reload it keeps its due time when its
    /// period is the same, else the new period counts from the swap. Exceptions are logged. `work`
    /// is no coroutine: it may `spawn` one.
    template <class F>
    void every(std::string_view name, door::duration period, F work) {
        host_.set_timer(
            name, period, period,
            timer(name, [work = detail::plain_work(std::move(work))](door::duration) { work(); }));
    }
    /// Calls `work` once after `delay`; otherwise as `every`.
    template <class F>
    void once(std::string_view name, door::duration delay, F work) {
        host_.set_timer(
            name, delay, {},
            timer(name, [work = detail::plain_work(std::move(work))](door::duration) { work(); }));
    }
    /// The beat of a world: calls `step` every `period` with the seconds since it was called
    /// before, in this generation or the one before it. The order of these calls tells ticks apart
    /// over a reload. Otherwise as `every`.
    template <class F>
    void tick(door::duration period, F step) {
        static_assert(std::is_invocable_v<F&, double>, "a tick takes the seconds: [](double dt)");
        static_assert(!detail::is_awaitable<std::invoke_result_t<F&, double>>,
                      "nobody awaits this coroutine: call app.spawn with it");
        const auto name = "shaddock.tick." + std::to_string(++ticks_);
        host_.set_timer(name, period, period,
                        timer(name, [step = std::move(step)](door::duration since) mutable {
                            step(std::chrono::duration<double>(since).count());
                        }));
    }
    /// False when there is no such timer.
    bool cancel(std::string_view name) { return host_.cancel_timer(name); }
    /// Runs a coroutine beside the request; what it throws is logged under `what`.
    template <class = void>
    void spawn(std::string_view what, awaitable<void> work) {
        detail::spawn(host_, std::string(what), std::move(work));
    }
    /// Calls `work`, no coroutine, on the loop, soon. Exceptions are logged. Thread: any.
    template <class F>
    void post(F work) {
        host_.post(guarded("posted work", detail::plain_work(std::move(work))));
    }
    /// Runs `work`, which may be move-only, on a pool thread and gives back what it returns; what
    /// it throws is thrown here. `work` must not touch the plugin's state. Throws errc::overloaded
    /// when the pool is full, and errc::timeout when it takes longer than `within` (`max()`:
    /// never): the thread then works on, and its result is dropped.
    template <class F>
    awaitable<std::invoke_result_t<F&>> blocking(F work,
                                                 door::duration within = door::duration::max());
    /// Awaits an operation of your own on `executor()` (a socket, a timer of Asio's) and cancels it
    /// when this generation's work is cancelled: `generation_timeout` after it was replaced, or
    /// when the server stops. Throws errc::cancelled then, else what `waits` throws.
    template <class T>
    awaitable<T> until_end(awaitable<T> waits);
    /// Thread: any.
    bool is_on_loop() const { return host_.is_on_loop(); }
    boost::asio::any_io_executor executor() const { return host_.executor(); }

    /// Thread: any.
    logger log() const { return logger(host_); }

    /// What this object wraps.
    door::host& host() { return host_; }

private:
    template <class R>
    static awaitable<result<R>> finish_call(door::host& host, std::string route,
                                            std::uint64_t contract, std::string (*shape)() noexcept,
                                            routing by, std::string arguments);
    /// What it is given stays until the call has begun.
    static detail::start_function call_start(door::host& host, const std::string& route,
                                             std::uint64_t contract,
                                             std::string (*shape)() noexcept, const routing& by,
                                             const std::string& arguments) {
        return [&host, &route, contract, shape, &by,
                &arguments](std::unique_ptr<door::completion> done) {
            host.call(route, contract, by.target(shape), arguments, std::move(done));
        };
    }
    std::unique_ptr<door::task> guarded(std::string what, std::function<void()> work);
    std::unique_ptr<door::timer_task> timer(std::string_view name,
                                            std::function<void(door::duration)> work);

    door::host& host_;
    std::size_t ticks_ = 0;
};

// ---- how
// -------------------------------------------------------------------------------------------------------------------------

template <class R>
awaitable<result<R>> app::finish_call(door::host& host, std::string route, std::uint64_t contract,
                                      std::string (*shape)() noexcept, routing by,
                                      std::string arguments) {
    auto pending = detail::wait(call_start(host, route, contract, shape, by, arguments));
    auto outcome = co_await std::move(pending);
    if (!outcome) {
        co_return std::move(outcome).error();
    }
    if constexpr (std::is_void_v<R>) {
        co_return result<void>();
    } else {
        R value{};
        if (auto read = detail::read_text(*outcome, "result", &value, &detail::decode_object<R>);
            !read) {
            error misread(errc::contract, route + ": " + read.error().text());
            co_return misread;
        }
        co_return value;
    }
}

inline std::unique_ptr<door::task> app::guarded(std::string what, std::function<void()> work) {
    return detail::make_task([this, what = std::move(what), work = std::move(work)] {
        try {
            work();
        } catch (...) {
            detail::log_failure(host_, what, detail::current_error());
        }
    });
}

namespace detail {

class timer_function final : public door::timer_task {
public:
    timer_function(door::host& host, std::string_view name,
                   std::function<void(door::duration)> work)
        : host_(host), name_(name), work_(std::move(work)) {}
    void run(door::duration since) noexcept override {
        try {
            work_(since);
        } catch (...) {
            log_failure(host_, "timer " + name_, current_error());
        }
    }

private:
    door::host& host_;
    std::string name_;
    std::function<void(door::duration)> work_;
};

/// Asks the host to tell a wait of the end, as long as it lives.
class end_watch {
public:
    explicit end_watch(door::host& host)
        : host_(host), number_(host.at_end(make_task([this] {
              is_over_ = true;
              cancel_.emit(boost::asio::cancellation_type::terminal);
          }))) {}
    end_watch(const end_watch&) = delete;
    end_watch& operator=(const end_watch&) = delete;
    ~end_watch() { host_.forget_end(number_); }
    boost::asio::cancellation_slot slot() { return cancel_.slot(); }
    bool is_over() const { return is_over_; }

private:
    door::host& host_;
    boost::asio::cancellation_signal cancel_;
    bool is_over_ = false;
    std::uint64_t number_;
};

} // namespace detail

inline std::unique_ptr<door::timer_task> app::timer(std::string_view name,
                                                    std::function<void(door::duration)> work) {
    return std::make_unique<detail::timer_function>(host_, name, std::move(work));
}

namespace detail {

/// co_spawn makes an empty value beside an exception, which not every type has: a socket has none.
template <class T>
awaitable<std::optional<T>> maybe(awaitable<T> waits) {
    co_return co_await std::move(waits);
}
inline awaitable<void> maybe(awaitable<void> waits) {
    return waits;
}

} // namespace detail

template <class T>
awaitable<T> app::until_end(awaitable<T> waits) {
    // Members are read before the first suspension: the object may go while this waits.
    auto watch = std::make_unique<detail::end_watch>(host_);
    try {
        auto ends = boost::asio::co_spawn(
            host_.executor(), detail::maybe(std::move(waits)),
            boost::asio::bind_cancellation_slot(watch->slot(), boost::asio::use_awaitable));
        if constexpr (std::is_void_v<T>) {
            co_return co_await std::move(ends);
        } else {
            co_return std::move(*co_await std::move(ends));
        }
    } catch (...) {
        if (!watch->is_over()) {
            throw;
        }
    }
    throw error(errc::cancelled, "this generation of the plugin has ended");
}

template <class T>
result<T> app::load_config(std::string_view name) const {
    const auto files = extension<door::config_files>();
    if (!files) {
        return files.error();
    }
    auto text = (*files)->read(name);
    if (!text) {
        return std::move(text).error();
    }
    const auto refuse = [&](std::size_t line, const std::string& what) {
        return error(errc::config,
                     text->path + ":" + std::to_string(text->line_offset + line) + ": " + what);
    };
    const detail::parsed tree(text->json);
    if (!tree.problem().empty()) {
        return refuse(detail::line_of_offset(text->json, tree.problem_offset()), tree.problem());
    }
    T value{};
    detail::refusal no{.members = detail::absent_members::keep_initialisers};
    if (!detail::decode(value, tree.root(), nullptr, no)) {
        return refuse(detail::line_of_path(text->json, no.where),
                      (no.where.empty() ? "the file" : no.where) + ": " + no.what);
    }
    return value;
}

template <class F>
awaitable<std::invoke_result_t<F&>> app::blocking(F work, door::duration within) {
    using returned = std::invoke_result_t<F&>;
    static_assert(!detail::is_awaitable<returned>,
                  "a pool thread runs no coroutine: give a function to app.blocking");
    using kept = std::conditional_t<std::is_void_v<returned>, detail::no_value, returned>;
    auto got = std::make_shared<detail::thread_value<kept>>();
    auto run = detail::make_task([got, work = std::move(work)]() mutable noexcept {
        try {
            if constexpr (std::is_void_v<returned>) {
                work();
            } else {
                got->value.emplace(work());
            }
        } catch (...) {
            got->thrown = std::current_exception();
        }
        got->has_run = true;
    });
    auto waiting = detail::wait_for_thread(host_, std::move(run), within);
    co_await std::move(waiting);
    got->check();
    if constexpr (!std::is_void_v<returned>) {
        co_return std::move(*got->value);
    }
}

} // namespace shaddock
