#pragma once

#include <shaddock/component.hpp>
#include <shaddock/detail/instance.hpp>
#include <shaddock/dispatch.hpp>
#include <shaddock/filter.hpp>
#include <shaddock/handshake.hpp>
#include <shaddock/remote.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock {

/// An object that handlers, remotes, filters and hooks of one plugin share; made once by
/// registrar.state<T>(). Empty while routes are only listed: use it in constructors' arguments and
/// inside hooks, not in the plugin's body. Errors: throws errc::config when it is empty.
template <class T>
class shared_state {
public:
    explicit shared_state(T* object) : object_(object) {}
    T& operator*() const { return *operator->(); }
    T* operator->() const {
        if (object_ == nullptr) {
            throw error(errc::config, "a state is used while the routes are listed, when nothing "
                                      "is constructed: use it in constructors and hooks, not in "
                                      "the plugin's body");
        }
        return object_;
    }

private:
    T* object_;
};

namespace detail {

template <class T>
T& resolve(T& argument) {
    return argument;
}
template <class T>
T& resolve(shared_state<T>& argument) {
    return *argument;
}

/// Throws errc::config for a word that no route can have.
inline void check_word(const std::string& what, std::string_view word) {
    if (word.empty() || word.find('.') != std::string_view::npos) {
        throw error(errc::config, what + ": a word of a route has no dot and is not empty");
    }
}

/// Registers one method when it is complete, that is when the next one begins or the chain ends.
class pending_method {
public:
    explicit pending_method(door::registration& into, std::string_view object, bool is_remote)
        : into_(into), object_(object), is_remote_(is_remote) {
        check_word(owner(), object_);
    }
    pending_method(const pending_method&) = delete;
    pending_method& operator=(const pending_method&) = delete;
    /// Not inlined: g++ 12 would warn of an entry that nobody has begun.
    [[gnu::noinline]] ~pending_method() { flush(); }

    struct entry {
        std::string method;
        bool is_serial = false;
        std::uint64_t contract = 0;
        std::string request_shape;
        std::string reply_shape;
        door::callable* target = nullptr;
    };
    void begin(entry next) {
        check_word("method '" + next.method + "' of " + owner(), next.method);
        flush();
        entry_ = std::move(next);
    }
    void make_serial() {
        if (!entry_) {
            throw error(errc::config, owner() + ": serial() stands before its first method");
        }
        entry_->is_serial = true;
    }

private:
    std::string owner() const { return (is_remote_ ? "remote '" : "handler '") + object_ + "'"; }
    void flush() {
        if (!entry_) {
            return;
        }
        const door::method_info info{.object = object_,
                                     .method = entry_->method,
                                     .is_serial = entry_->is_serial,
                                     .contract = entry_->contract,
                                     .request_shape = entry_->request_shape,
                                     .reply_shape = entry_->reply_shape};
        if (is_remote_) {
            into_.remote(info, entry_->target);
        } else {
            into_.handler(info, entry_->target);
        }
        entry_.reset();
    }

    door::registration& into_;
    std::string object_;
    bool is_remote_;
    std::optional<entry> entry_;
};

} // namespace detail

/// The methods of one handler.
template <class H>
class handler_registration {
public:
    handler_registration(door::registration& into, std::string_view name,
                         detail::instance* instance, H* object)
        : pending_(into, name, false), instance_(instance), object_(object) {}

    /// `function` takes (const Request&, session&), (const Request&), (session&) or nothing, the
    /// request also by value; returns the reply, a result<Reply> or void (answered `{}`), or any of
    /// these as a coroutine.
    template <class F>
    handler_registration& method(std::string_view name, F function) {
        using wrapper = detail::handler_method<H, F>;
        using shape = detail::handler_function<F>;
        typename detail::pending_method::entry entry{.method = std::string(name),
                                                     .is_serial = false,
                                                     .contract = 0,
                                                     .request_shape = "{}",
                                                     .reply_shape = {},
                                                     .target = nullptr};
        if constexpr (shape::takes_request) {
            entry.request_shape = detail::shape_of<typename shape::request>();
        }
        entry.reply_shape = detail::reply_shape<typename shape::reply>();
        if (instance_ != nullptr) {
            entry.target = instance_->make<wrapper>(instance_->shared(), *object_, function);
        }
        pending_.begin(std::move(entry));
        return *this;
    }
    /// The last method serves one request of a session at a time: the next starts when this one has
    /// answered.
    handler_registration& serial() {
        pending_.make_serial();
        return *this;
    }

private:
    detail::pending_method pending_;
    detail::instance* instance_;
    H* object_;
};

/// The methods of one remote.
template <class Object>
class remote_registration {
public:
    remote_registration(door::registration& into, std::string_view name, detail::instance* instance,
                        Object* object)
        : name_(name), pending_(into, name, true), instance_(instance), object_(object) {}

    /// `function` takes the contract's arguments and returns its result, result<R>, or a coroutine
    /// of either. Throws errc::config when the contract's route names another type or remote.
    template <class R, class... Args, class F>
    remote_registration& method(const remote_method<R(Args...)>& contract, F function) {
        using wrapper = detail::remote_callable<Object, F, R, Args...>;
        const auto route = contract.route();
        const auto object = route.substr(route.find('.') + 1, name_.size() + 1);
        if (object != name_ + ".") {
            throw error(errc::config, "contract " + std::string(route) +
                                          " is registered under remote '" + name_ + "'");
        }
        check_type(route);
        typename detail::pending_method::entry entry{
            .method = std::string(contract.name()),
            .is_serial = false,
            .contract = contract.hash(),
            .request_shape = detail::shape_of<typename wrapper::arguments>(),
            .reply_shape = detail::reply_shape<R>(),
            .target = nullptr};
        if (instance_ != nullptr) {
            entry.target = instance_->make<wrapper>(instance_->shared(), *object_, function);
        }
        pending_.begin(std::move(entry));
        return *this;
    }

private:
    /// Calls under another type's contract go to the servers of that one.
    void check_type(std::string_view route) const {
        const auto type = route.substr(0, route.find('.'));
        if (instance_ != nullptr && type != instance_->app().server_type()) {
            throw error(errc::config, "contract " + std::string(route) +
                                          " is registered by the type '" +
                                          instance_->app().server_type() + "'");
        }
    }

    std::string name_;
    detail::pending_method pending_;
    detail::instance* instance_;
    Object* object_;
};

/// Where a plugin says what it is made of, once to list its routes (nothing is constructed) and
/// once to be created. Objects are constructed from (app&, args...) or (args...); an argument may
/// be a shared_state. What is registered wrongly (a name with a dot, a contract of another type,
/// serial() without a method) is thrown as errc::config, and the plugin is not taken.
///
/// A reload makes all objects anew. A state, handler, remote or component that is to keep what it
/// knows has both `std::string save_state() const` and `void restore_state(std::string_view bytes,
/// std::string_view version)` (or returning result<void>); a state also `static constexpr
/// std::string_view state_name`. A struct that is saved as JSON is read with json::decode_tolerant,
/// so that a member more or less refuses no reload. After on_replacing of the old components and
/// before on_serving of the new ones the old object saves and the new one of the same kind and name
/// restores; `version` is the old module's. After an error or exception the new objects are only
/// destroyed, and the old generation serves on.
///
/// The same objects may keep what they know of a room: `std::string save_room(std::string_view
/// channel)` and `void restore_room(std::string_view channel, std::string_view bytes)`. When the
/// list of servers changes, a channel that is its server's by its name moves to another server with
/// its members: the object here saves what it knows of it and forgets it, the one of the same kind
/// and name there restores it, before the channel's first request there. At a stop all channels are
/// saved, before components stop, for the next life of this server. Limits: 64 KiB a room,
/// over all objects; what is longer is lost, and the log says so. Nothing is saved in a crash.
class registrar {
public:
    /// `made` is null when routes are only listed.
    registrar(door::registration& into, detail::instance* made) : into_(into), instance_(made) {}

    template <class T, class... Args>
    shared_state<T> state(Args... args) {
        T* made = construct<T>(args...);
        if constexpr (requires { std::string_view(T::state_name); }) {
            keep_state("state ", T::state_name, made);
        } else {
            static_assert(!detail::has_part_of_a_state<T> && !detail::has_part_of_a_room<T>,
                          "a state that crosses a reload, or moves with its rooms, has a name: "
                          "static constexpr std::string_view state_name");
        }
        return shared_state<T>(made);
    }
    template <class H, class... Args>
    handler_registration<H> handler(std::string_view name, Args... args) {
        return handler_registration<H>(into_, name, instance_,
                                       keep_state("handler ", name, construct<H>(args...)));
    }
    template <class R, class... Args>
    remote_registration<R> remote(std::string_view name, Args... args) {
        return remote_registration<R>(into_, name, instance_,
                                      keep_state("remote ", name, construct<R>(args...)));
    }

    /// Says that the plugin calls others under these contracts. Calls need no such word; with it
    /// `host check` finds types that do not fit those of the callee's module, and `host reload`
    /// before the first call.
    template <class... Signatures>
    void calls(const remote_method<Signatures>&... contracts) {
        (into_.call(contracts.route(), contracts.hash(), contracts.shape()), ...);
    }

    /// Runs around every request that this server's handlers serve (filter.hpp). With `Message`:
    /// sees and may change it.
    template <class F, class Message = void, class... Args>
    void filter(Args... args) {
        if (auto* object = construct<F>(args...)) {
            instance_->shared().filters.add(
                std::make_unique<detail::filter_of<F, Message>>(*object));
        }
    }
    /// Frontends: runs around every client request, those forwarded to other types too.
    /// `before(route, body, const session&)` may refuse by returning an error; `after(route, const
    /// session&, const error* failed)`.
    template <class F, class... Args>
    void global_filter(Args... args) {
        if (auto* object = construct<F>(args...)) {
            into_.filter(
                instance_->make<detail::global_filter_of<F>>(instance_->app().host(), *object));
        } else {
            into_.filter(nullptr);
        }
    }

    /// Frontends: `check(type, version)` of each client that shakes hands; false: it is answered
    /// 501, "too old".
    template <class F>
    void check_client(F check) {
        static_assert(
            !detail::is_awaitable<std::invoke_result_t<F&, std::string_view, std::string_view>>,
            "nobody awaits check_client: what takes its time is for on_handshake");
        into_.handshake(instance_ == nullptr ? nullptr
                                             : instance_->make<detail::client_check_of>(
                                                   instance_->app().host(), std::move(check)));
    }
    /// Frontends: `hook(app&, client_hello)` returns what the client gets as `user` in the answer
    /// to its handshake: a described type, std::optional of one, nothing; also as a result or a
    /// coroutine of these. An error is answered with its client code, 500 unless it has another.
    template <class F>
    void on_handshake(F hook) {
        into_.handshake(instance_ == nullptr ? nullptr
                                             : instance_->make<detail::handshake_of<F>>(
                                                   instance_->app(), std::move(hook)));
    }

    /// Requests and calls to `type` go to the server that `key(route_param)`, a
    /// result<std::string>, hashes to over the expected list (dispatch_index); or to one that
    /// leaves and has the channel of that name still (`rooms: stay`). It may be asked several times
    /// for one request. Errors of `key` are the caller's answer.
    template <class F>
    void route_by(std::string_view type, F key) {
        static_assert(!detail::is_awaitable<std::invoke_result_t<F&, const route_param&>>,
                      "nobody awaits a route function: it decides at once, on what is known here");
        auto pick = [key](const route_param& by,
                          std::span<const server_info> expected) -> result<std::string> {
            auto text = key(by);
            if (!text) {
                return std::move(text).error();
            }
            return expected[dispatch_index(*text, expected.size())].id;
        };
        add_route(type, std::move(pick), std::move(key));
    }
    /// `pick(route_param, span of expected servers)` gives the id of one of them. The span is
    /// sorted by id and never empty. Servers that leave are not in it, and the host does not know
    /// which room it picks for: what goes to a type with `rooms: stay` uses route_by.
    template <class F>
    void route(std::string_view type, F pick) {
        using returned = std::invoke_result_t<F&, const route_param&, std::span<const server_info>>;
        static_assert(!detail::is_awaitable<returned>,
                      "nobody awaits a route function: it decides at once, on what is known here");
        add_route(type, std::move(pick), nullptr);
    }

    /// Started in order of registration, stopped in reverse (component.hpp).
    template <class T, class... Args>
    void component(std::string_view name, Args... args) {
        if (auto* object = keep_state("component ", name, construct<T>(args...))) {
            into_.part(
                instance_->make<detail::component_of<T>>(instance_->app().host(), name, *object));
        } else {
            into_.part(nullptr);
        }
    }

    /// `hook(app&, std::string_view channel, const member& gone)`: a member left without `remove`.
    /// The channel no longer lists it. No coroutine: it may `app.spawn` one.
    template <class F>
    void on_member_lost(F hook) {
        using returned = std::invoke_result_t<F&, app&, std::string_view, const member&>;
        static_assert(!detail::is_awaitable<returned>,
                      "nobody awaits on_member_lost: call app.spawn with the coroutine");
        if (instance_ != nullptr) {
            instance_->hooks().member_lost.push_back(
                [&app = instance_->app(), hook = std::move(hook)](
                    std::string_view channel, const member& gone) { hook(app, channel, gone); });
        }
    }
    /// `hook(app&, const session&, std::string_view reason)`: a session of this frontend has
    /// closed. No coroutine: it may `app.spawn` one.
    template <class F>
    void on_session_closed(F hook) {
        using returned = std::invoke_result_t<F&, app&, const session&, std::string_view>;
        static_assert(!detail::is_awaitable<returned>,
                      "nobody awaits on_session_closed: call app.spawn with the coroutine");
        if (instance_ != nullptr) {
            instance_->hooks().session_closed.push_back(
                [&app = instance_->app(), hook = std::move(hook)](
                    const session& who, std::string_view reason) { hook(app, who, reason); });
        }
    }
    /// `hook(app&)`, also as a coroutine: the list of servers, or who of them is up, has changed.
    template <class F>
    void on_servers_changed(F hook) {
        if (instance_ != nullptr) {
            instance_->hooks().servers_changed.push_back(
                bound("on_servers_changed", std::move(hook)));
        }
    }
    /// `hook(app&)`, also as a coroutine: this server serves.
    template <class F>
    void on_started(F hook) {
        if (instance_ != nullptr) {
            instance_->hooks().started.push_back(bound("on_started", std::move(hook)));
        }
    }

private:
    void add_route(std::string_view type, detail::pick_function pick, detail::key_function key) {
        into_.route(type, instance_ == nullptr
                              ? nullptr
                              : instance_->make<detail::router_of>(
                                    instance_->app().host(), std::move(pick), std::move(key)));
    }
    template <class T, class... Args>
    T* construct(Args&... args) {
        if (instance_ == nullptr) {
            return nullptr;
        }
        return instance_->make_object<T>(detail::resolve(args)...);
    }
    template <class T>
    T* keep_state(std::string_view kind, std::string_view name, T* made) {
        if (made != nullptr) {
            instance_->states().add(kind, name, *made);
            instance_->hooks().rooms.add(std::string(kind).append(name), *made);
        }
        return made;
    }
    template <class F>
    std::function<void()> bound(const char* name, F hook) {
        return [&app = instance_->app(), name, hook = std::move(hook)] {
            using returned = decltype(hook(app));
            static_assert(!detail::is_awaitable<returned> ||
                              std::is_void_v<detail::awaited_t<returned>>,
                          "nobody looks at what this hook's coroutine gives: it is an "
                          "awaitable<void>, and throws what goes wrong");
            if constexpr (detail::is_awaitable<returned>) {
                app.spawn(name, hook(app));
            } else {
                hook(app);
            }
        };
    }

    door::registration& into_;
    detail::instance* instance_;
};

} // namespace shaddock
