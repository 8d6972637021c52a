#pragma once

#include <shaddock/app.hpp>
#include <shaddock/detail/filter_chain.hpp>
#include <shaddock/detail/shape.hpp>

#include <boost/mp11/list.hpp>

#include <memory>
#include <string>
#include <tuple>
#include <utility>

/// The typed wrapper: between the bytes of the door and the functions of a plugin.
namespace shaddock::detail {

/// What a member function takes and gives.
template <class F>
struct signature;
template <class R, class C, class... Args>
struct signature<R (C::*)(Args...)> {
    using returned = R;
    using arguments = boost::mp11::mp_list<std::remove_cvref_t<Args>...>;
};
template <class R, class C, class... Args>
struct signature<R (C::*)(Args...) const> : signature<R (C::*)(Args...)> {};
template <class R, class C, class... Args>
struct signature<R (C::*)(Args...) noexcept> : signature<R (C::*)(Args...)> {};
template <class R, class C, class... Args>
struct signature<R (C::*)(Args...) const noexcept> : signature<R (C::*)(Args...)> {};

/// The request type of a handler's arguments: `(Req)`, `(Req, session&)`, `(session&)` or `()`.
/// Void without one.
template <class List>
struct request_of {
    static_assert(never<List>, "a handler's method takes (const Request&, session&), (const "
                               "Request&), (session&) or nothing");
};
template <>
struct request_of<boost::mp11::mp_list<>> {
    using type = void;
};
template <>
struct request_of<boost::mp11::mp_list<session>> {
    using type = void;
};
template <class Req>
struct request_of<boost::mp11::mp_list<Req>> {
    using type = Req;
};
template <class Req>
struct request_of<boost::mp11::mp_list<Req, session>> {
    using type = Req;
};

/// What every method of a plugin shares. Lifetime: the plugin object.
struct serving {
    door::host& host;
    filter_chain filters;
};

template <class Reply>
result<door::body> encode_answer(const Reply& reply) {
    return door::body{door::codec::json, json::encode(reply)};
}
inline result<door::body> empty_answer() {
    return door::body{door::codec::json, "{}"};
}

/// Calls `call`, which returns a value, a result or nothing, and writes the answer.
template <class F>
result<door::body> answer_of(F&& call) {
    using returned = std::remove_cvref_t<decltype(call())>;
    if constexpr (std::is_void_v<returned>) {
        call();
        return empty_answer();
    } else if constexpr (is_result<returned>) {
        auto outcome = call();
        if (!outcome) {
            return std::move(outcome).error();
        }
        if constexpr (std::is_void_v<plain_t<returned>>) {
            return empty_answer();
        } else {
            return encode_answer(*outcome);
        }
    } else {
        return encode_answer(call());
    }
}

/// The same for a function that may be a coroutine. `call` stays alive in the caller's frame.
template <class F>
awaitable<result<door::body>> awaited_answer_of(F& call) {
    using returned = decltype(call());
    if constexpr (!is_awaitable<returned>) {
        co_return answer_of(call);
    } else if constexpr (std::is_void_v<awaited_t<returned>>) {
        co_await call();
        co_return empty_answer();
    } else {
        auto outcome = co_await call();
        co_return answer_of([&]() -> decltype(auto) { return std::move(outcome); });
    }
}

/// Stands for the request where a method takes none.
struct no_request {};

/// `H`: the handler; `F`: a pointer to one of its member functions.
template <class H, class F>
class handler_method final : public door::callable {
public:
    using function = signature<F>;
    using request = typename request_of<typename function::arguments>::type;
    using reply = plain_t<typename function::returned>;
    static constexpr bool takes_request = !std::is_void_v<request>;
    static constexpr bool takes_session =
        boost::mp11::mp_contains<typename function::arguments, session>::value;
    using decoded = std::conditional_t<takes_request, request, no_request>;

    handler_method(serving& shared, H& object, F method)
        : shared_(shared), object_(object), method_(method) {}

    void invoke(std::unique_ptr<door::invocation> call) noexcept override {
        try {
            if constexpr (!is_awaitable<typename function::returned>) {
                if (!shared_.filters.is_async()) {
                    call->finish(serve(*call));
                    return;
                }
            }
            detail::spawn(shared_.host, std::string(call->route()),
                          serve_async(*this, std::move(call)));
        } catch (...) {
            // Out of memory before the frame took the call, which then answers `internal` in its
            // destructor.
            log_failure(shared_.host, "a request could not be started", current_error());
        }
    }

private:
    static const door::session_data& session_of(const door::invocation& call,
                                                const door::session_data& none) {
        return call.session() == nullptr ? none : *call.session();
    }

    static result<decoded> read(const door::invocation& call) {
        if constexpr (takes_request) {
            return json::decode<request>(call.request().bytes);
        } else {
            return decoded{};
        }
    }

    static message_ref reference(decoded& message) {
        if constexpr (takes_request) {
            return {&message, &type_tag<request>};
        } else {
            return {};
        }
    }

    decltype(auto) call_method(decoded& message, session& who) {
        if constexpr (takes_request && takes_session) {
            return (object_.*method_)(message, who);
        } else if constexpr (takes_request) {
            return (object_.*method_)(message);
        } else if constexpr (takes_session) {
            return (object_.*method_)(who);
        } else {
            return (object_.*method_)();
        }
    }

    result<door::body> serve(door::invocation& call) {
        const door::session_data none;
        session who(shared_.host, session_of(call, none));
        try {
            auto message = read(call);
            if (!message) {
                return std::move(message).error();
            }
            result<door::body> answer = door::body{};
            if (auto allowed = shared_.filters.before(call.route(), who, reference(*message));
                !allowed) {
                answer = std::move(allowed).error();
            } else {
                answer = guarded_answer(*message, who);
            }
            shared_.filters.after(call.route(), who, answer);
            return answer;
        } catch (...) {
            return current_error();
        }
    }

    result<door::body> guarded_answer(decoded& message, session& who) {
        try {
            return answer_of([&]() -> decltype(auto) { return call_method(message, who); });
        } catch (...) {
            return current_error();
        }
    }

    /// The frame owns the call, the session and the message for as long as the handler runs.
    static awaitable<void> serve_async(handler_method& self,
                                       std::unique_ptr<door::invocation> call) {
        const door::session_data none;
        session who(self.shared_.host, session_of(*call, none));
        auto message = read(*call);
        if (!message) {
            call->finish(std::move(message).error());
            co_return;
        }
        result<door::body> answer = door::body{};
        auto allowed =
            co_await self.shared_.filters.before_async(call->route(), who, reference(*message));
        if (!allowed) {
            answer = std::move(allowed).error();
        } else {
            answer = co_await guarded_answer_async(self, *message, who);
        }
        co_await self.shared_.filters.after_async(call->route(), who, answer);
        call->finish(std::move(answer));
    }

    static awaitable<result<door::body>> guarded_answer_async(handler_method& self,
                                                              decoded& message, session& who) {
        try {
            auto call = [&]() -> decltype(auto) { return self.call_method(message, who); };
            co_return co_await awaited_answer_of(call);
        } catch (...) {
            co_return current_error();
        }
    }

    serving& shared_;
    H& object_;
    F method_;
};

/// A remote's method under a contract `R(Args...)`.
template <class Object, class F, class R, class... Args>
class remote_callable final : public door::callable {
public:
    using function = signature<F>;
    using arguments = std::tuple<std::remove_cvref_t<Args>...>;
    static_assert(std::is_invocable_v<F, Object&, std::remove_cvref_t<Args>&...>,
                  "the remote's method does not take the contract's arguments");
    static_assert(std::is_same_v<plain_t<typename function::returned>, R>,
                  "the remote's method does not return the contract's result");

    remote_callable(serving& shared, Object& object, F method)
        : shared_(shared), object_(object), method_(method) {}

    void invoke(std::unique_ptr<door::invocation> call) noexcept override {
        try {
            if constexpr (!is_awaitable<typename function::returned>) {
                call->finish(serve(*call));
            } else {
                detail::spawn(shared_.host, std::string(call->route()),
                              serve_async(*this, std::move(call)));
            }
        } catch (...) {
            log_failure(shared_.host, "a remote call could not be started", current_error());
        }
    }

private:
    /// Form: a JSON array. A caller that names the route only (contract 0) is checked by decoding
    /// alone.
    static result<arguments> read(const door::invocation& call) {
        constexpr auto own = remote_method<R(Args...)>::hash();
        if (call.contract() != 0 && call.contract() != own) {
            return error(errc::contract, std::string(call.route()) +
                                             ": caller and callee were built with different types; "
                                             "build both from the same contract");
        }
        return json::decode<arguments>(call.request().bytes, "arguments");
    }

    decltype(auto) call_method(arguments& given) {
        return std::apply(
            [&](auto&... each) -> decltype(auto) { return (object_.*method_)(std::move(each)...); },
            given);
    }

    result<door::body> serve(const door::invocation& call) {
        try {
            auto given = read(call);
            if (!given) {
                return std::move(given).error();
            }
            return answer_of([&]() -> decltype(auto) { return call_method(*given); });
        } catch (...) {
            return current_error();
        }
    }

    static awaitable<void> serve_async(remote_callable& self,
                                       std::unique_ptr<door::invocation> call) {
        result<door::body> answer = door::body{};
        try {
            auto given = read(*call);
            if (given) {
                auto run = [&]() -> decltype(auto) { return self.call_method(*given); };
                answer = co_await awaited_answer_of(run);
            } else {
                answer = std::move(given).error();
            }
        } catch (...) {
            answer = current_error();
        }
        call->finish(std::move(answer));
    }

    serving& shared_;
    Object& object_;
    F method_;
};

} // namespace shaddock::detail
