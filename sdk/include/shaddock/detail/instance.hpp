#pragma once

#include <shaddock/app.hpp>
#include <shaddock/detail/state.hpp>
#include <shaddock/handler.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

/// A plugin's own side of the door: the object that `create` makes, and the hooks and routers that
/// hang on it.
namespace shaddock::detail {

class hook_table final : public door::hooks {
public:
    explicit hook_table(door::host& host) : host_(host) {}

    std::vector<std::function<void(std::string_view, const door::member&)>> member_lost;
    std::vector<std::function<void(const session&, std::string_view)>> session_closed;
    std::vector<std::function<void()>> servers_changed;
    std::vector<std::function<void()>> started;
    room_table rooms;

    void on_member_lost(std::string_view channel, const door::member& gone) noexcept override {
        each("on_member_lost", member_lost, [&](const auto& hook) { hook(channel, gone); });
    }
    void on_session_closed(const door::session_data& data,
                           std::string_view reason) noexcept override {
        each("on_session_closed", session_closed,
             [&](const auto& hook) { hook(session(host_, data), reason); });
    }
    void on_servers_changed() noexcept override {
        each("on_servers_changed", servers_changed, [](const auto& hook) { hook(); });
    }
    void on_started() noexcept override {
        each("on_started", started, [](const auto& hook) { hook(); });
    }
    std::vector<door::saved_state> save_room(std::string_view channel) noexcept override {
        std::vector<door::saved_state> states;
        each("save_room", rooms.entries(), [&](const auto& object) {
            if (auto bytes = object.save(channel); !bytes.empty()) {
                states.push_back({object.name, std::move(bytes)});
            }
        });
        return states;
    }
    void restore_room(std::string_view channel,
                      std::span<const door::saved_state> states) noexcept override {
        each("restore_room", rooms.entries(), [&](const auto& object) {
            for (const auto& state : states) {
                if (state.name == object.name) {
                    object.restore(channel, state.bytes);
                }
            }
        });
    }

private:
    template <class Hooks, class F>
    void each(const char* name, const Hooks& all, F&& call) noexcept {
        for (const auto& hook : all) {
            try {
                call(hook);
            } catch (...) {
                log_failure(host_, name, current_error());
            }
        }
    }

    door::host& host_;
};

using pick_function =
    std::function<result<std::string>(const route_param&, std::span<const server_info>)>;
using key_function = std::function<result<std::string>(const route_param&)>;

class router_of final : public door::router {
public:
    /// `key`: empty when it is not known.
    router_of(door::host& host, pick_function pick, key_function key)
        : host_(host), pick_(std::move(pick)), key_(std::move(key)) {}
    result<std::string> pick(const door::route_param& by,
                             std::span<const server_info> expected) noexcept override {
        try {
            return pick_(route_param(host_, by), expected);
        } catch (...) {
            return current_error();
        }
    }
    std::optional<std::string> key(const door::route_param& by) noexcept override {
        if (!key_) {
            return std::nullopt;
        }
        try {
            auto text = key_(route_param(host_, by));
            return text ? std::optional(std::move(*text)) : std::nullopt;
        } catch (...) {
            return std::nullopt; // `pick` says why
        }
    }

private:
    door::host& host_;
    pick_function pick_;
    key_function key_;
};

template <class F>
class global_filter_of final : public door::global_filter {
    static constexpr bool has_before = requires(F & f, std::string_view text, const session& who) {
        f.before(text, text, who);
    };
    static constexpr bool has_after =
        requires(F & f, std::string_view route, const session& who, const error* failed) {
        f.after(route, who, failed);
    };
    static_assert(has_before || has_after,
                  "a global filter has before(std::string_view route, std::string_view body, "
                  "const session&) or after(std::string_view route, const session&, const error*)");
    static_assert(
        has_before || !requires { &F::before; },
        "this global filter's before is never called: it takes (std::string_view "
        "route, std::string_view body, const session&)");
    static_assert(
        has_after || !requires { &F::after; },
        "this global filter's after is never called: it takes (std::string_view "
        "route, const session&, const error*)");

public:
    global_filter_of(door::host& host, F& filter) : host_(host), filter_(filter) {}

    result<void> before(std::string_view route, door::body_view request,
                        const door::session_data& data) noexcept override {
        if constexpr (has_before) {
            using returned =
                decltype(filter_.before(route, request, std::declval<const session&>()));
            static_assert(!is_awaitable<returned>,
                          "nobody awaits a global filter's before: it decides at once, or a "
                          "filter of the server that serves the request does, which may wait");
            try {
                const session who(host_, data);
                return as_result([&] { return filter_.before(route, request, who); });
            } catch (...) {
                return current_error();
            }
        }
        return {};
    }
    void after(std::string_view route, const door::session_data& data,
               const error* failed) noexcept override {
        if constexpr (has_after) {
            using returned = decltype(filter_.after(route, std::declval<const session&>(), failed));
            static_assert(!is_awaitable<returned>,
                          "nobody awaits a global filter's after: call app.spawn with the "
                          "coroutine");
            try {
                const session who(host_, data);
                filter_.after(route, who, failed);
            } catch (...) {
                log_failure(host_, "global filter, after", current_error());
            }
        }
    }

private:
    door::host& host_;
    F& filter_;
};

/// The plugin object. Owns everything that was registered; destroyed in reverse order.
class instance final : public door::plugin {
public:
    explicit instance(door::host& host)
        : app_(host), serving_{host, {}}, hooks_(std::make_unique<hook_table>(host)) {}
    ~instance() {
        while (!owned_.empty()) {
            owned_.pop_back();
        }
    }
    instance(const instance&) = delete;
    instance& operator=(const instance&) = delete;

    shaddock::app& app() { return app_; }
    serving& shared() { return serving_; }
    hook_table& hooks() { return *hooks_; }
    state_table& states() { return states_; }
    result<std::vector<door::saved_state>> save() const { return states_.save(); }
    result<void> restore(std::span<const door::saved_state> states, std::string_view version) {
        return states_.restore(states, version);
    }

    /// Makes what stays until the plugin object goes.
    template <class T, class... Args>
    T* make(Args&&... args) {
        auto* made = new T(std::forward<Args>(args)...);
        own(any_of(made));
        return made;
    }
    /// The same for the author's objects: from (app&, args...) when T takes it, else from
    /// (args...).
    template <class T, class... Args>
    T* make_object(Args&... args) {
        if constexpr (std::is_constructible_v<T, shaddock::app&, Args&...>) {
            return make<T>(app_, args...);
        } else {
            static_assert(std::is_constructible_v<T, Args&...>,
                          "the object takes neither (app&, args...) nor (args...)");
            return make<T>(args...);
        }
    }

private:
    void own(any_object made) { owned_.push_back(std::move(made)); }

    shaddock::app app_;
    serving serving_;
    std::unique_ptr<hook_table> hooks_;
    std::vector<any_object> owned_;
    // After the objects that it refers to, so destroyed before them.
    state_table states_;
};

} // namespace shaddock::detail
