#pragma once

#include <shaddock/detail/filter_chain.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// A component is a class with a life cycle of its own: `start()` before the server serves,
/// `stop()` when it ends, both optional, each returning void, result<void>, or either as a
/// coroutine. Started in order of registration, stopped in reverse. An error of `start` stops the
/// server's start.
namespace shaddock::detail {

template <class T>
class component_of final : public door::component {
    static constexpr bool has_start = requires(T & t) { t.start(); };
    static constexpr bool has_stop = requires(T & t) { t.stop(); };
    static_assert(
        has_start || !requires { &T::start; },
        "this component's start is never called: it takes no arguments");
    static_assert(
        has_stop || !requires { &T::stop; },
        "this component's stop is never called: it takes no arguments");

public:
    component_of(door::host& host, std::string_view name, T& object)
        : host_(host), name_(name), object_(object) {}

    std::string_view name() const noexcept override { return name_; }
    void start(std::unique_ptr<door::completion> done) noexcept override {
        if constexpr (has_start) {
            begin([](T& object) { return object.start(); }, std::move(done));
        } else {
            complete(host_, std::move(done), door::body{});
        }
    }
    void stop(std::unique_ptr<door::completion> done) noexcept override {
        if constexpr (has_stop) {
            begin([](T& object) { return object.stop(); }, std::move(done));
        } else {
            complete(host_, std::move(done), door::body{});
        }
    }

private:
    template <class F>
    void begin(F step, std::unique_ptr<door::completion> done) noexcept {
        try {
            run(step, std::move(done));
        } catch (...) {
            // Out of memory before the step began.
            log_failure(host_, "component " + name_, current_error());
        }
    }
    template <class F>
    void run(F step, std::unique_ptr<door::completion> done) {
        using returned = decltype(step(object_));
        if constexpr (is_awaitable<returned>) {
            detail::spawn(host_, "component " + name_, run_async(*this, step, std::move(done)));
        } else {
            result<void> outcome;
            try {
                outcome = as_result([&] { return step(object_); });
            } catch (...) {
                outcome = current_error();
            }
            complete(host_, std::move(done), body_of(outcome));
        }
    }
    template <class F>
    static awaitable<void> run_async(component_of& self, F step,
                                     std::unique_ptr<door::completion> done) {
        result<void> outcome;
        try {
            outcome = co_await settle(step(self.object_));
        } catch (...) {
            outcome = current_error();
        }
        complete(self.host_, std::move(done), body_of(outcome));
    }
    static result<door::body> body_of(const result<void>& outcome) {
        if (!outcome) {
            return outcome.error();
        }
        return door::body{};
    }

    door::host& host_;
    std::string name_;
    T& object_;
};

} // namespace shaddock::detail
