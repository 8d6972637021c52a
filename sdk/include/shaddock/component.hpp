#pragma once

#include <shaddock/detail/filter_chain.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// A component is a class with a life cycle of its own, each step of it optional:
///
///     start()            sets up, binds nothing: a check and a refused reload run it too
///     on_serving()       binds the port, takes the lock, before the first request is served
///     on_replacing()     flushes, lets port and lock go, before a newer generation serves
///     stop(stop_reason)  ends it; flushes at stop_reason::server_stops
///
/// Each returns void, result<void>, or either as a coroutine, which is awaited. In order of
/// registration; on_replacing and stop in reverse. An error of start or on_serving stops the
/// server's start; of start, on_replacing or on_serving it refuses a reload, and on_serving of the
/// old generation runs again when its on_replacing has run. `stop()` without the reason runs at
/// server_stops and replaced only. Limits: `reload.timeout` for start, `reload.handover` for
/// on_replacing and for on_serving, all components together; half of `limits: stop_timeout` for
/// each stop.
namespace shaddock {

using stop_reason = door::stop_reason;

} // namespace shaddock

namespace shaddock::detail {

inline result<door::body> body_of_step(const result<void>& outcome) {
    if (!outcome) {
        return outcome.error();
    }
    return door::body{};
}
/// The same for all components; a template, so that it costs only those files that use it.
template <class Step>
awaitable<void> await_step(door::host& host, Step running, std::unique_ptr<door::completion> done) {
    result<void> outcome;
    try {
        outcome = co_await std::move(running);
    } catch (...) {
        outcome = current_error();
    }
    complete(host, std::move(done), body_of_step(outcome));
}

template <class T>
class component_of final : public door::component {
    static constexpr bool has_start = requires(T & t) { t.start(); };
    static constexpr bool has_serving = requires(T & t) { t.on_serving(); };
    static constexpr bool has_replacing = requires(T & t) { t.on_replacing(); };
    static constexpr bool has_stop = requires(T & t) { t.stop(stop_reason::server_stops); };
    static constexpr bool has_old_stop = !has_stop && requires(T & t) { t.stop(); };
    static_assert(
        has_start || !requires { &T::start; },
        "this component's start is never called: it takes no arguments");
    static_assert(
        has_serving || !requires { &T::on_serving; },
        "this component's on_serving is never called: it takes no arguments");
    static_assert(
        has_replacing || !requires { &T::on_replacing; },
        "this component's on_replacing is never called: it takes no arguments");
    static_assert(
        has_stop || has_old_stop || !requires { &T::stop; },
        "this component's stop is never called: it takes a shaddock::stop_reason");

public:
    component_of(door::host& host, std::string_view name, T& object)
        : host_(host), name_(name), object_(object) {}

    std::string_view name() const noexcept override { return name_; }
    void start(std::unique_ptr<door::completion> done) noexcept override {
        begin(
            [](auto& object) requires(has_start) { return object.start(); }, std::move(done));
    }
    void on_serving(std::unique_ptr<door::completion> done) noexcept override {
        begin(
            [](auto& object) requires(has_serving) { return object.on_serving(); },
            std::move(done));
    }
    void on_replacing(std::unique_ptr<door::completion> done) noexcept override {
        begin(
            [](auto& object) requires(has_replacing) { return object.on_replacing(); },
            std::move(done));
    }
    void stop(stop_reason why, std::unique_ptr<door::completion> done) noexcept override {
        if constexpr (has_old_stop) {
            if (why == stop_reason::refused || why == stop_reason::check) {
                return complete(host_, std::move(done), door::body{});
            }
            begin([](auto& object) { return object.stop(); }, std::move(done));
        } else {
            begin(
                [why](auto& object) requires(has_stop) { return object.stop(why); },
                std::move(done));
        }
    }
    std::string_view advice() const noexcept override {
        return has_old_stop && !has_replacing
                   ? "its stop() runs after a reload too, when newer code serves already: write "
                     "what "
                     "must not be lost in on_replacing(), and take stop(shaddock::stop_reason)"
                   : "";
    }

private:
    /// A step that the object has not is over at once.
    template <class F>
    void begin(F step, std::unique_ptr<door::completion> done) noexcept {
        try {
            if constexpr (std::is_invocable_v<F&, T&>) {
                run(step, std::move(done));
            } else {
                complete(host_, std::move(done), door::body{});
            }
        } catch (...) {
            // Out of memory before the step began.
            log_failure(host_, "component " + name_, current_error());
        }
    }
    template <class F>
    void run(F step, std::unique_ptr<door::completion> done) {
        using returned = decltype(step(object_));
        if constexpr (is_awaitable<returned>) {
            std::optional<awaitable<result<void>>> running;
            try {
                running.emplace(settle(step(object_)));
            } catch (...) {
                // It threw before it gave a coroutine.
                return complete(host_, std::move(done), body_of_step(current_error()));
            }
            detail::spawn(host_, "component " + name_,
                          await_step(host_, std::move(*running), std::move(done)));
        } else {
            result<void> outcome;
            try {
                outcome = as_result([&] { return step(object_); });
            } catch (...) {
                outcome = current_error();
            }
            complete(host_, std::move(done), body_of_step(outcome));
        }
    }
    door::host& host_;
    std::string name_;
    T& object_;
};

} // namespace shaddock::detail
