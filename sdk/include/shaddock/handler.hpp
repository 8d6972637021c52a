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
struct signature {
    static_assert(never<F>, "a method is a member function of the registered class, such as "
                            "&my_handler::say");
};
template <class R, class C, class... Args>
struct signature<R (C::*)(Args...)> {
    using returned = R;
    using arguments = boost::mp11::mp_list<std::remove_cvref_t<Args>...>;
    static constexpr bool copies_the_session = (std::is_same_v<Args, session> || ...);
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

/// Calls `call`, which returns a value, a result or nothing, and writes the answer.
template <class F>
result<door::body> answer_of(F&& call) {
    using returned = std::remove_cvref_t<decltype(call())>;
    if constexpr (std::is_void_v<returned>) {
        call();
        return door::body("{}");
    } else if constexpr (is_result<returned>) {
        auto outcome = call();
        if (!outcome) {
            return std::move(outcome).error();
        }
        if constexpr (std::is_void_v<plain_t<returned>>) {
            return door::body("{}");
        } else {
            return json::encode(*outcome);
        }
    } else {
        return json::encode(call());
    }
}

/// The same for a coroutine that is about to run.
template <class T>
awaitable<result<door::body>> await_answer(awaitable<T> running) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(running);
            co_return door::body("{}");
        } else {
            auto outcome = co_await std::move(running);
            co_return answer_of([&]() -> decltype(auto) { return std::move(outcome); });
        }
    } catch (...) {
        co_return current_error();
    }
}
/// For a method that is no coroutine; nobody calls it.
template <class = void>
awaitable<result<door::body>> never_later() {
    error mistaken(errc::internal, "a function was awaited as a coroutine");
    co_return mistaken;
}

/// Stands for the request where a method takes none.
struct no_request {};

/// A decoded message on the heap, for a request whose coroutine outlives the call.
class boxed_message {
public:
    virtual ~boxed_message() = default;
    virtual message_ref ref() = 0;
};
template <class T>
class box_of final : public boxed_message {
public:
    explicit box_of(T value) : value_(std::move(value)) {}
    message_ref ref() override { return {&value_, &type_tag<T>}; }

private:
    T value_;
};

/// The way of a request through the plugin, the same for all types: filters, method, filters,
/// answer. Kept free of templates: a coroutine per method would cost seconds of compile time.
class request_flow : public door::callable {
public:
    explicit request_flow(serving& shared) : shared_(shared) {}
    request_flow(const request_flow&) = delete;
    request_flow& operator=(const request_flow&) = delete;

protected:
    ~request_flow() = default;

    serving& shared() { return shared_; }

    virtual bool is_async() const = 0;
    virtual result<std::unique_ptr<boxed_message>> read_boxed(const door::invocation& call) = 0;
    /// One of the two, by `is_async`. Neither throws.
    virtual result<door::body> answer_now(message_ref message, session& who) = 0;
    virtual awaitable<result<door::body>> answer_later(message_ref message, session& who) = 0;

    static const door::session_data& session_of(const door::invocation& call,
                                                const door::session_data& none) {
        return call.session() == nullptr ? none : *call.session();
    }

    /// No coroutine: method and filters are synchronous.
    result<door::body> serve(const door::invocation& call, message_ref message) {
        const door::session_data none;
        session who(shared_.host, session_of(call, none));
        result<door::body> answer = door::body{};
        if (auto allowed = shared_.filters.before(call.route(), who, message); !allowed) {
            answer = std::move(allowed).error();
        } else {
            answer = answer_now(message, who);
        }
        shared_.filters.after(call.route(), who, answer);
        return answer;
    }

    template <class = void>
    void start_async(std::unique_ptr<door::invocation> call) {
        std::string route(call->route());
        detail::spawn(shared_.host, std::move(route), serve_async(*this, std::move(call)));
    }

private:
    /// The frame owns the call, the session and the message for as long as the handler runs.
    template <class = void>
    static awaitable<void> serve_async(request_flow& self, std::unique_ptr<door::invocation> call) {
        const door::session_data none;
        session who(self.shared_.host, session_of(*call, none));
        auto message = self.read_boxed(*call);
        if (!message) {
            call->finish(std::move(message).error());
            co_return;
        }
        const auto ref = (*message)->ref();
        auto& filters = self.shared_.filters;
        result<door::body> answer = door::body{};
        auto allowed = co_await filters.before_async(call->route(), who, ref);
        if (!allowed) {
            answer = std::move(allowed).error();
        } else if (self.is_async()) {
            answer = co_await self.answer_later(ref, who);
        } else {
            answer = self.answer_now(ref, who);
        }
        co_await filters.after_async(call->route(), who, answer);
        call->finish(std::move(answer));
    }

    serving& shared_;
};

/// `H`: the handler; `F`: a pointer to one of its member functions.
template <class H, class F>
class handler_method final : public request_flow {
public:
    using function = signature<F>;
    using request = typename request_of<typename function::arguments>::type;
    using reply = plain_t<typename function::returned>;
    static constexpr bool takes_request = !std::is_void_v<request>;
    static constexpr bool takes_session =
        boost::mp11::mp_contains<typename function::arguments, session>::value;
    static constexpr bool is_coroutine = is_awaitable<typename function::returned>;
    using decoded = std::conditional_t<takes_request, request, no_request>;
    static_assert(!function::copies_the_session,
                  "a handler's method takes the session by reference: session&");

    handler_method(serving& shared, H& object, F method)
        : request_flow(shared), object_(object), method_(method) {}

    void invoke(std::unique_ptr<door::invocation> call) noexcept override {
        try {
            if (is_coroutine || shared().filters.is_async()) {
                start_async(std::move(call));
                return;
            }
            auto message = read(*call);
            call->finish(message ? serve(*call, {&*message, &type_tag<decoded>})
                                 : result<door::body>(std::move(message).error()));
        } catch (...) {
            // Out of memory; the call, wherever it is, answers `internal` in its destructor.
            log_failure(shared().host, "a request could not be started", current_error());
        }
    }

private:
    bool is_async() const override { return is_coroutine; }

    static result<decoded> read(const door::invocation& call) {
        if constexpr (takes_request) {
            return json::decode_client_body<request>(call.request());
        } else {
            return decoded{};
        }
    }
    result<std::unique_ptr<boxed_message>> read_boxed(const door::invocation& call) override {
        auto message = read(call);
        if (!message) {
            return std::move(message).error();
        }
        return std::unique_ptr<boxed_message>(
            std::make_unique<box_of<decoded>>(std::move(*message)));
    }

    decltype(auto) call_method(message_ref message, session& who) {
        auto& given = *static_cast<decoded*>(message.object);
        if constexpr (takes_request && takes_session) {
            return (object_.*method_)(given, who);
        } else if constexpr (takes_request) {
            return (object_.*method_)(given);
        } else if constexpr (takes_session) {
            return (object_.*method_)(who);
        } else {
            return (object_.*method_)();
        }
    }

    result<door::body> answer_now(message_ref message, session& who) override {
        if constexpr (is_coroutine) {
            return error(errc::internal, "a coroutine was called as a function");
        } else {
            try {
                return answer_of([&]() -> decltype(auto) { return call_method(message, who); });
            } catch (...) {
                return current_error();
            }
        }
    }
    awaitable<result<door::body>> answer_later(message_ref message, session& who) override {
        if constexpr (is_coroutine) {
            return await_answer(call_method(message, who));
        } else {
            return never_later();
        }
    }

    H& object_;
    F method_;
};

/// A remote call on its way, the same for all types.
class remote_flow : public door::callable {
public:
    explicit remote_flow(serving& shared) : shared_(shared) {}
    remote_flow(const remote_flow&) = delete;
    remote_flow& operator=(const remote_flow&) = delete;

protected:
    ~remote_flow() = default;

    serving& shared() { return shared_; }
    template <class = void>
    void start_async(std::unique_ptr<door::invocation> call) {
        std::string route(call->route());
        detail::spawn(shared_.host, std::move(route), serve_async(*this, std::move(call)));
    }
    /// A caller that names the route only (contract 0) is checked by decoding alone.
    static result<void> check_contract(const door::invocation& call, std::uint64_t own) {
        if (call.contract() != 0 && call.contract() != own) {
            return error(errc::contract,
                         std::string(call.route()) +
                             ": caller and callee were built with different types; build both "
                             "from the same contract");
        }
        return {};
    }

private:
    /// Does not throw by itself; decoded arguments are owned by the coroutine.
    virtual awaitable<result<door::body>> answer_later(const door::invocation& call) = 0;

    template <class = void>
    static awaitable<void> serve_async(remote_flow& self, std::unique_ptr<door::invocation> call) {
        auto answer = co_await self.answer_later(*call);
        call->finish(std::move(answer));
    }

    serving& shared_;
};

/// A remote's method under a contract `R(Args...)`.
template <class Object, class F, class R, class... Args>
class remote_callable final : public remote_flow {
public:
    using function = signature<F>;
    using arguments = std::tuple<std::remove_cvref_t<Args>...>;
    static_assert(std::is_invocable_v<F, Object&, std::remove_cvref_t<Args>...>,
                  "the remote's method does not take the contract's arguments");
    static_assert(std::is_same_v<plain_t<typename function::returned>, R>,
                  "the remote's method does not return the contract's result");
    static constexpr bool is_coroutine = is_awaitable<typename function::returned>;

    remote_callable(serving& shared, Object& object, F method)
        : remote_flow(shared), object_(object), method_(method) {}

    void invoke(std::unique_ptr<door::invocation> call) noexcept override {
        try {
            if constexpr (is_coroutine) {
                start_async(std::move(call));
            } else {
                call->finish(serve(*call));
            }
        } catch (...) {
            log_failure(shared().host, "a remote call could not be started", current_error());
        }
    }

private:
    /// Form: a JSON array.
    static result<arguments> read(const door::invocation& call) {
        if (auto same = check_contract(call, remote_method<R(Args...)>::hash()); !same) {
            return std::move(same).error();
        }
        return json::decode<arguments>(call.request(), "arguments");
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

    awaitable<result<door::body>> answer_later(const door::invocation& call) override {
        if constexpr (is_coroutine) {
            return serve_later(*this, call);
        } else {
            return never_later();
        }
    }
    static awaitable<result<door::body>> serve_later(remote_callable& self,
                                                     const door::invocation& call) {
        auto given = read(call);
        if (!given) {
            co_return std::move(given).error();
        }
        co_return co_await await_answer(self.call_method(*given));
    }

    Object& object_;
    F method_;
};

} // namespace shaddock::detail
