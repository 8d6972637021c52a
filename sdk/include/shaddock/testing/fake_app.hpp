#pragma once

#include <shaddock/app.hpp>
#include <shaddock/testing/fake_host.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace shaddock::testing {

/// What a coroutine came to that a test has started.
template <class T>
class outcome {
public:
    bool is_done() const { return state_->thrown || state_->value; }
    /// What it returned. Throws what it threw, and errc::internal while it is still waiting.
    T value() const {
        if (state_->thrown) {
            std::rethrow_exception(state_->thrown);
        }
        if (!state_->value) {
            throw error(errc::internal, "the coroutine is still waiting");
        }
        if constexpr (!std::is_void_v<T>) {
            return *state_->value;
        }
    }

private:
    friend class fake_app;
    struct nothing {};
    struct state {
        std::optional<std::conditional_t<std::is_void_v<T>, nothing, T>> value;
        std::exception_ptr thrown;
    };
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// An app without a server: what a handler, remote, filter or component needs to be made and called
/// by a test, alone, in no time.
///
///     shaddock::testing::fake_app fake;
///     lobby_handler handler(fake.app);
///     auto ann = fake.session(1, "ann");
///     auto reply = fake.run(handler.sit({"red"}, ann));
///     EXPECT_EQ(fake.host.pushes.back().route, "onGuests");
///
/// `host` records and answers; `plugin_under_test` is for what a plugin is as a whole: routes,
/// messages as JSON, filters, hooks. Thread: one.
class fake_app {
public:
    fake_app() = default;
    fake_app(const fake_app&) = delete;
    fake_app& operator=(const fake_app&) = delete;

    fake_host host;
    shaddock::app app{host};

    /// A session as a handler gets it. The client is connected: bind, push and kick reach it, and
    /// the next `session` with this id shows it.
    shaddock::session session(std::uint64_t id, std::string uid = {},
                              std::vector<door::setting> settings = {}) {
        auto data = make_session(id, std::move(uid), std::move(settings));
        host.clients.connect(data);
        return shaddock::session(host, std::move(data));
    }
    /// The session as its frontend has it now. Throws errc::not_found when it is not connected.
    shaddock::session session_now(std::uint64_t id) {
        const auto* known = host.clients.find_now(make_session(id).ref);
        if (known == nullptr) {
            throw error(errc::not_found, "session " + std::to_string(id) + " is not connected");
        }
        return shaddock::session(host, door::session_data(*known));
    }

    /// Runs a coroutine until it has ended or waits for what does not come by itself; gives what it
    /// returned. Throws what it threw, and errc::internal when it still waits.
    template <class T>
    T run(awaitable<T> work) {
        return start(std::move(work)).value();
    }
    /// As `run` for one that is to wait, for `host.advance`, `answer_held` or `run_blocking`.
    template <class T>
    outcome<T> start(awaitable<T> work) {
        outcome<T> seen;
        app.spawn("started by the test", keep(std::move(work), seen.state_));
        host.run();
        return seen;
    }

    /// Calls of this remote are answered with `value`.
    template <class R, class... Args>
    void answer(const remote_method<R(Args...)>& method, const std::type_identity_t<R>& value) {
        host.answers[std::string(method.route())] = [text = json::encode(value)](const sent_call&) {
            return result<std::string>(text);
        };
    }
    /// Calls of this remote end in `failed`.
    template <class R, class... Args>
    void fail(const remote_method<R(Args...)>& method, error failed) {
        host.answers[std::string(method.route())] = [failed = std::move(failed)](const sent_call&) {
            return result<std::string>(failed);
        };
    }
    /// The arguments of all calls and casts of this remote so far.
    template <class R, class... Args>
    std::vector<std::tuple<std::remove_cvref_t<Args>...>>
    calls(const remote_method<R(Args...)>& method) const {
        std::vector<std::tuple<std::remove_cvref_t<Args>...>> made;
        for (const auto& one : host.calls) {
            if (one.route == method.route()) {
                made.push_back(one.template as<std::remove_cvref_t<Args>...>());
            }
        }
        return made;
    }
    /// The messages of all pushes of this route so far. Throws the error of one that does not fit.
    template <class T>
    std::vector<T> pushed(std::string_view route) const {
        std::vector<T> messages;
        for (const auto& one : host.pushes) {
            if (one.route == route) {
                messages.push_back(one.template as<T>());
            }
        }
        return messages;
    }

private:
    template <class T>
    static awaitable<void> keep(awaitable<T> work,
                                std::shared_ptr<typename outcome<T>::state> into) {
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(work);
                into->value.emplace();
            } else {
                into->value.emplace(co_await std::move(work));
            }
        } catch (...) {
            into->thrown = std::current_exception();
        }
    }
};

} // namespace shaddock::testing
