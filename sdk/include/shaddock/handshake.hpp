#pragma once

#include <shaddock/handler.hpp>
#include <shaddock/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace shaddock {

/// What a client says of itself in its handshake, before it has a session.
struct client_hello {
    /// `sys.type`, e.g. "js-websocket"; empty when it gave none.
    std::string type;
    /// `sys.version`, e.g. "0.0.1"; empty when it gave none.
    std::string version;
    /// `ip:port`.
    std::string address;
    /// What the application on the client's side gave along; `null` when it gave nothing.
    raw_json user;

    /// `user` as a described type. Errors: bad_request, naming the path.
    template <class T>
    result<T> user_as() const {
        return json::decode<T>(user.text, "user");
    }
};

namespace detail {

using client_check = std::function<bool(std::string_view type, std::string_view version)>;

/// A check of the client's kind and version. Says nothing to those that pass.
class client_check_of final : public door::handshake_hook {
public:
    client_check_of(door::host& host, client_check check) : host_(host), check_(std::move(check)) {}

    result<bool> accepts(const door::client_info& client) noexcept override {
        try {
            return check_(client.type, client.version);
        } catch (...) {
            return current_error();
        }
    }
    void shake_hands(const door::client_info&,
                     std::unique_ptr<door::completion> done) noexcept override {
        complete(host_, std::move(done), door::body{});
    }

private:
    door::host& host_;
    client_check check_;
};

/// `F`: (app&, client_hello), returns what the client gets as `user`, plain, as a result or as a
/// coroutine of either.
template <class F>
class handshake_of final : public door::handshake_hook {
public:
    using returned = std::invoke_result_t<F&, app&, client_hello>;
    static constexpr bool says_nothing = std::is_void_v<plain_t<returned>>;

    handshake_of(app& with, F hook) : app_(with), hook_(std::move(hook)) {}

    result<bool> accepts(const door::client_info&) noexcept override { return true; }
    void shake_hands(const door::client_info& client,
                     std::unique_ptr<door::completion> done) noexcept override {
        try {
            run(hello_of(client), std::move(done));
        } catch (...) {
            // Out of memory; the host answers 500 when `done` is destroyed.
            log_failure(app_.host(), "on_handshake", current_error());
        }
    }

private:
    static client_hello hello_of(const door::client_info& client) {
        client_hello hello{
            std::string(client.type), std::string(client.version), std::string(client.address), {}};
        if (!client.user.empty()) {
            hello.user.text = client.user;
        }
        return hello;
    }
    void run(client_hello hello, std::unique_ptr<door::completion> done) {
        result<door::body> user = door::body{};
        try {
            if constexpr (is_awaitable<returned>) {
                auto running = hook_(app_, std::move(hello));
                detail::spawn(app_.host(), "on_handshake",
                              run_async(*this, await_answer(std::move(running)), std::move(done)));
                return;
            } else {
                if constexpr (std::is_void_v<returned>) {
                    hook_(app_, std::move(hello));
                } else {
                    user = answer_of(hook_(app_, std::move(hello)));
                }
            }
        } catch (...) {
            user = current_error();
        }
        finish(std::move(done), std::move(user));
    }
    static awaitable<void> run_async(handshake_of& self, awaitable<result<door::body>> running,
                                     std::unique_ptr<door::completion> done) {
        result<door::body> user = door::body{};
        // NOLINTBEGIN(bugprone-use-after-move): false; clang-tidy 14 misreads co_await
        try {
            user = co_await std::move(running);
        } catch (...) {
            user = current_error();
        }
        // NOLINTEND(bugprone-use-after-move)
        self.finish(std::move(done), std::move(user));
    }
    void finish(std::unique_ptr<door::completion> done, result<door::body> user) {
        if (says_nothing && user) {
            user->clear();
        }
        complete(app_.host(), std::move(done), std::move(user));
    }

    app& app_;
    F hook_;
};

} // namespace detail
} // namespace shaddock
