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

/// What a method returned, a value or a result, as the answer's text.
template <class R>
result<door::body> answer_of(R&& returned) {
    if constexpr (!is_result<std::remove_cvref_t<R>>) {
        return json::encode(returned);
    } else if (!returned) {
        return std::forward<R>(returned).error();
    } else if constexpr (std::is_void_v<plain_t<std::remove_cvref_t<R>>>) {
        return door::body("{}");
    } else {
        return json::encode(*returned);
    }
}

/// The same for a coroutine that is about to run; throws what it throws.
template <class T>
awaitable<result<door::body>> await_answer(awaitable<T> running) {
    if constexpr (std::is_void_v<T>) {
        co_await std::move(running);
        co_return door::body("{}");
    } else {
        co_return answer_of(co_await std::move(running));
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

/// What tells one method from another before it is called.
struct method_traits {
    /// Null: it takes no message.
    decode_function decode;
    const void* tag;
    bool is_coroutine;
};

/// The way of a request or call through the plugin, the same for all types: filters, method,
/// filters, answer. Kept free of templates, and what is made per method small: that is what a
/// plugin's methods cost to compile.
class method_flow : public door::callable {
public:
    method_flow(const method_flow&) = delete;
    method_flow& operator=(const method_flow&) = delete;

protected:
    /// `filters`: null for remotes, which have none.
    method_flow(door::host& host, filter_chain* filters, method_traits traits)
        : host_(host), filters_(filters), traits_(traits) {}
    ~method_flow() = default;

    /// A template: see awaited.hpp.
    template <class = void>
    void begin(std::unique_ptr<door::invocation> call) noexcept {
        try {
            if (traits_.is_coroutine || (!is_remote() && filters_->is_async())) {
                start_async(std::move(call));
            } else {
                call->finish(answer_at_once(*call));
            }
        } catch (...) {
            // Out of memory; the call, wherever it is, answers `internal` in its destructor.
            log_failure(host_, "a request could not be started", current_error());
        }
    }

    /// Calls `serve` with an empty message on its stack.
    virtual result<door::body> answer_at_once(const door::invocation& call) = 0;
    /// An empty message for a coroutine, which outlives the call.
    virtual any_object make_message() = 0;
    /// One of the two, by `is_coroutine`.
    virtual result<door::body> answer_now(void* message, session& who) = 0;
    virtual awaitable<result<door::body>> answer_later(void* message, session& who) = 0;

    /// No coroutine: method and filters are synchronous.
    result<door::body> serve(const door::invocation& call, void* message) {
        if (auto known = read(call, message); !known) {
            return std::move(known).error();
        }
        const door::session_data none;
        session who(host_, session_of(call, none));
        if (is_remote()) {
            return guarded(message, who);
        }
        result<door::body> answer = door::body{};
        if (auto allowed = filters_->before(call.route(), who, {message, traits_.tag}); !allowed) {
            answer = std::move(allowed).error();
        } else {
            answer = guarded(message, who);
        }
        filters_->after(call.route(), who, answer);
        return answer;
    }

private:
    bool is_remote() const { return filters_ == nullptr; }
    static const door::session_data& session_of(const door::invocation& call,
                                                const door::session_data& none) {
        return call.session() == nullptr ? none : *call.session();
    }
    /// Form: a remote's arguments are a JSON array; the host has compared the caller's contract.
    result<void> read(const door::invocation& call, void* message) const {
        if (traits_.decode == nullptr) {
            return {};
        }
        return is_remote() ? read_text(call.request(), "arguments", message, traits_.decode)
                           : read_client_body(call.request(), message, traits_.decode);
    }
    result<door::body> guarded(void* message, session& who) {
        try {
            return answer_now(message, who);
        } catch (...) {
            return current_error();
        }
    }

    template <class = void>
    void start_async(std::unique_ptr<door::invocation> call) {
        std::string route(call->route());
        detail::spawn(host_, std::move(route), serve_async(*this, std::move(call)));
    }
    /// The frame owns the call, the session and the message for as long as the method runs.
    template <class = void>
    static awaitable<void> serve_async(method_flow& self, std::unique_ptr<door::invocation> call) {
        const door::session_data none;
        session who(self.host_, session_of(*call, none));
        const auto message = self.make_message();
        if (auto known = self.read(*call, message.get()); !known) {
            call->finish(std::move(known).error());
            co_return;
        }
        result<void> allowed;
        if (!self.is_remote()) {
            const message_ref ref{message.get(), self.traits_.tag};
            allowed = co_await self.filters_->before_async(call->route(), who, ref);
        }
        result<door::body> answer = door::body{};
        if (!allowed) {
            answer = std::move(allowed).error();
        } else if (!self.traits_.is_coroutine) {
            answer = self.guarded(message.get(), who);
        } else {
            try {
                answer = co_await self.answer_later(message.get(), who);
            } catch (...) {
                answer = current_error();
            }
        }
        if (!self.is_remote()) {
            co_await self.filters_->after_async(call->route(), who, answer);
        }
        call->finish(std::move(answer));
    }

    door::host& host_;
    filter_chain* filters_;
    method_traits traits_;
};

/// The part that knows the types. `Method::call(message, session)` calls the plugin's function.
template <class Method, class Message, class Returned>
class typed_method : public method_flow {
protected:
    static constexpr bool is_coroutine = is_awaitable<Returned>;
    using method_flow::method_flow;
    ~typed_method() = default;

private:
    Method& self() { return static_cast<Method&>(*this); }

    void invoke(std::unique_ptr<door::invocation> call) noexcept final {
        this->begin(std::move(call));
    }
    result<door::body> answer_at_once(const door::invocation& call) final {
        Message message{};
        return this->serve(call, &message);
    }
    any_object make_message() final { return any_of(new Message{}); }

    result<door::body> answer_now([[maybe_unused]] void* message,
                                  [[maybe_unused]] session& who) final {
        if constexpr (is_coroutine) {
            return error(errc::internal, "a coroutine was called as a function");
        } else if constexpr (std::is_void_v<Returned>) {
            self().call(*static_cast<Message*>(message), who);
            return door::body("{}");
        } else {
            return answer_of(self().call(*static_cast<Message*>(message), who));
        }
    }
    awaitable<result<door::body>> answer_later([[maybe_unused]] void* message,
                                               [[maybe_unused]] session& who) final {
        if constexpr (is_coroutine) {
            return await_answer(self().call(*static_cast<Message*>(message), who));
        } else {
            return never_later();
        }
    }
};

/// What a handler's function is, and how it is called.
template <class F>
struct handler_function : signature<F> {
    using request = typename request_of<typename signature<F>::arguments>::type;
    using reply = plain_t<typename signature<F>::returned>;
    static constexpr bool takes_request = !std::is_void_v<request>;
    static constexpr bool takes_session =
        boost::mp11::mp_contains<typename signature<F>::arguments, session>::value;
    using message = std::conditional_t<takes_request, request, no_request>;
    static_assert(!signature<F>::copies_the_session,
                  "a handler's method takes the session by reference: session&");
};

/// `H`: the handler; `F`: a pointer to one of its member functions.
template <class H, class F>
class handler_method final
    : public typed_method<handler_method<H, F>, typename handler_function<F>::message,
                          typename handler_function<F>::returned> {
    using function = handler_function<F>;
    using base =
        typed_method<handler_method, typename function::message, typename function::returned>;

public:
    handler_method(serving& shared, H& object, F method)
        : base(shared.host, &shared.filters,
               {.decode = function::takes_request ? &decode_message : nullptr,
                .tag = &type_tag<typename function::message>,
                .is_coroutine = base::is_coroutine}),
          object_(object), method_(method) {}

    decltype(auto) call([[maybe_unused]] typename function::message& given,
                        [[maybe_unused]] session& who) {
        if constexpr (function::takes_request && function::takes_session) {
            return (object_.*method_)(given, who);
        } else if constexpr (function::takes_request) {
            return (object_.*method_)(given);
        } else if constexpr (function::takes_session) {
            return (object_.*method_)(who);
        } else {
            return (object_.*method_)();
        }
    }

private:
    static bool decode_message(void* into, const json_value& root, refusal& no) {
        if constexpr (function::takes_request) {
            return decode_object<typename function::request>(into, root, no);
        } else {
            return true;
        }
    }

    H& object_;
    F method_;
};

/// A remote's method under a contract `R(Args...)`.
template <class Object, class F, class R, class... Args>
class remote_callable final : public typed_method<remote_callable<Object, F, R, Args...>,
                                                  std::tuple<std::remove_cvref_t<Args>...>,
                                                  typename signature<F>::returned> {
public:
    using arguments = std::tuple<std::remove_cvref_t<Args>...>;
    static_assert(std::is_invocable_v<F, Object&, std::remove_cvref_t<Args>...>,
                  "the remote's method does not take the contract's arguments");
    static_assert(std::is_same_v<plain_t<typename signature<F>::returned>, R>,
                  "the remote's method does not return the contract's result");

    remote_callable(serving& shared, Object& object, F method)
        : base(shared.host, nullptr,
               {.decode = &decode_object<arguments>,
                .tag = nullptr,
                .is_coroutine = base::is_coroutine}),
          object_(object), method_(method) {}

    decltype(auto) call(arguments& given, session& /*nobody*/) {
        return call_with(given, std::index_sequence_for<Args...>());
    }

private:
    using base = typed_method<remote_callable, arguments, typename signature<F>::returned>;

    template <std::size_t... I>
    decltype(auto) call_with(arguments& given, std::index_sequence<I...>) {
        return (object_.*method_)(std::move(std::get<I>(given))...);
    }

    Object& object_;
    F method_;
};

} // namespace shaddock::detail
