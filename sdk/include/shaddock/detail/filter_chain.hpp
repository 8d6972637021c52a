#pragma once

#include <shaddock/app.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Filters as the typed wrapper runs them: before in order, after in reverse.
namespace shaddock::detail {

/// An address per message type, the same within one plugin.
template <class T>
inline constexpr char type_tag{};

/// The decoded message of a request: where it is and which type it has; null without one.
struct message_ref {
    void* object = nullptr;
    const void* tag = nullptr;
};

class filter_step {
public:
    virtual ~filter_step() = default;
    virtual bool is_async() const = 0;
    virtual result<void> before(std::string_view route, session& who, message_ref message) = 0;
    virtual awaitable<result<void>> before_async(std::string_view route, session& who,
                                                 message_ref message) = 0;
    virtual result<void> after(std::string_view route, session& who, const error* failed) = 0;
    virtual awaitable<result<void>> after_async(std::string_view route, session& who,
                                                const error* failed) = 0;
};

/// Turns what a filter's function returned (nothing, a result) into a result.
template <class F>
result<void> as_result(F&& call) {
    if constexpr (std::is_void_v<decltype(call())>) {
        call();
        return {};
    } else {
        return call();
    }
}

/// A coroutine that gives nothing or a result, as one that gives a result.
template <class = void>
awaitable<result<void>> settle(awaitable<void> running) {
    co_await std::move(running);
    co_return result<void>();
}
inline awaitable<result<void>> settle(awaitable<result<void>> running) {
    return running;
}
/// What is known already, as a coroutine.
template <class = void>
awaitable<result<void>> settled(result<void> outcome = {}) {
    co_return outcome;
}

/// What a filter's functions return; `absent` when it has none. `Message` is void for a filter that
/// does not look into messages.
struct absent {};

template <class F, class Message>
auto probe_before() {
    if constexpr (std::is_void_v<Message>) {
        if constexpr (requires(F & f, session & who) { f.before(std::string_view(), who); }) {
            return std::type_identity<decltype(std::declval<F&>().before(
                std::string_view(), std::declval<session&>()))>();
        } else {
            return std::type_identity<absent>();
        }
    } else {
        if constexpr (requires(F & f, session & who, Message & message) {
                          f.before(std::string_view(), who, message);
                      }) {
            return std::type_identity<decltype(std::declval<F&>().before(
                std::string_view(), std::declval<session&>(),
                std::declval<std::add_lvalue_reference_t<Message>>()))>();
        } else {
            return std::type_identity<absent>();
        }
    }
}
template <class F>
auto probe_after() {
    if constexpr (requires(F & f, session & who, const error* failed) {
                      f.after(std::string_view(), who, failed);
                  }) {
        return std::type_identity<decltype(std::declval<F&>().after(
            std::string_view(), std::declval<session&>(), std::declval<const error*>()))>();
    } else {
        return std::type_identity<absent>();
    }
}

template <class F, class Message>
class filter_of final : public filter_step {
public:
    using before_type = typename decltype(probe_before<F, Message>())::type;
    using after_type = typename decltype(probe_after<F>())::type;
    static constexpr bool has_before = !std::is_same_v<before_type, absent>;
    static constexpr bool has_after = !std::is_same_v<after_type, absent>;
    static_assert(has_before || has_after,
                  "a filter has before(std::string_view route, session&[, Message&]) or "
                  "after(std::string_view route, session&, const error*)");
    static_assert(
        has_before || !requires { &F::before; },
        "this filter's before is never called: it takes (std::string_view route, "
        "session&[, Message&]), Message as it is registered");
    static_assert(
        has_after || !requires { &F::after; },
        "this filter's after is never called: it takes (std::string_view route, "
        "session&, const error*)");

    explicit filter_of(F& filter) : filter_(filter) {}

    bool is_async() const override { return is_awaitable<before_type> || is_awaitable<after_type>; }

    result<void> before(std::string_view route, session& who, message_ref message) override {
        if constexpr (has_before && !is_awaitable<before_type>) {
            return applies(message) ? as_result([&] { return call_before(route, who, message); })
                                    : result<void>();
        } else {
            return {};
        }
    }
    awaitable<result<void>> before_async(std::string_view route, session& who,
                                         message_ref message) override {
        if constexpr (is_awaitable<before_type>) {
            return applies(message) ? settle(call_before(route, who, message)) : settled();
        } else {
            return settled(before(route, who, message));
        }
    }
    result<void> after(std::string_view route, session& who, const error* failed) override {
        if constexpr (has_after && !is_awaitable<after_type>) {
            return as_result([&] { return filter_.after(route, who, failed); });
        } else {
            return {};
        }
    }
    awaitable<result<void>> after_async(std::string_view route, session& who,
                                        const error* failed) override {
        if constexpr (is_awaitable<after_type>) {
            return settle(filter_.after(route, who, failed));
        } else {
            return settled(after(route, who, failed));
        }
    }

private:
    before_type call_before(std::string_view route, session& who,
                            [[maybe_unused]] message_ref message) {
        if constexpr (std::is_void_v<Message>) {
            return filter_.before(route, who);
        } else {
            return filter_.before(route, who, *static_cast<Message*>(message.object));
        }
    }
    static bool applies([[maybe_unused]] message_ref message) {
        if constexpr (std::is_void_v<Message>) {
            return true;
        } else {
            return message.tag == &type_tag<Message>;
        }
    }

    F& filter_;
};

/// The filters of a plugin in order of registration.
class filter_chain {
public:
    void add(std::unique_ptr<filter_step> step) {
        is_async_ = is_async_ || step->is_async();
        steps_.push_back(std::move(step));
    }
    bool is_async() const { return is_async_; }

    /// The first refusal ends it.
    result<void> before(std::string_view route, session& who, message_ref message) {
        for (const auto& step : steps_) {
            auto outcome = guarded([&] { return step->before(route, who, message); });
            if (!outcome) {
                return outcome;
            }
        }
        return {};
    }
    template <class = void>
    awaitable<result<void>> before_async(std::string_view route, session& who,
                                         message_ref message) {
        for (const auto& step : steps_) {
            const auto begin = [&] { return step->before_async(route, who, message); };
            auto outcome = co_await guarded_async(begin);
            if (!outcome) {
                co_return outcome;
            }
        }
        co_return result<void>();
    }
    /// All of them, also after a refusal; an error of one replaces the answer.
    void after(std::string_view route, session& who, result<door::body>& answer) {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
            const auto failed = failure_of(answer);
            auto outcome =
                guarded([&] { return (*step)->after(route, who, failed ? &*failed : nullptr); });
            if (!outcome) {
                answer = std::move(outcome).error();
            }
        }
    }
    template <class = void>
    awaitable<void> after_async(std::string_view route, session& who, result<door::body>& answer) {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
            const auto failed = failure_of(answer);
            const auto begin = [&] {
                return (*step)->after_async(route, who, failed ? &*failed : nullptr);
            };
            auto outcome = co_await guarded_async(begin);
            if (!outcome) {
                answer = std::move(outcome).error();
            }
        }
    }

private:
    static std::optional<error> failure_of(const result<door::body>& answer) {
        return answer ? std::nullopt : std::optional<error>(answer.error());
    }
    template <class F>
    static result<void> guarded(F&& call) {
        try {
            return call();
        } catch (...) {
            return current_error();
        }
    }
    /// `call` stays until this has ended.
    template <class F>
    static awaitable<result<void>> guarded_async(const F& call) {
        try {
            co_return co_await call();
        } catch (...) {
            co_return current_error();
        }
    }

    std::vector<std::unique_ptr<filter_step>> steps_;
    bool is_async_ = false;
};

} // namespace shaddock::detail
