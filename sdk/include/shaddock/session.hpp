#pragma once

#include <shaddock/detail/wait.hpp>
#include <shaddock/json.hpp>

#include <algorithm>
#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock {

/// A client's session as it was when the request came in: reading and `set` touch this snapshot
/// only; `push`, `bind` and friends go to the frontend, which alone owns the truth, and answer
/// errc::closed when the client has gone. Lifetime: handed to a handler by reference, valid until
/// the handler's answer (its coroutine included), whatever the client does. Whoever needs to reach
/// the client later keeps `ref()`.
class session {
public:
    /// A view of `data`, which must outlive it. The first change makes a copy of its own.
    session(door::host& host, const door::session_data& data) : host_(&host), data_(&data) {}
    /// Owns its data.
    session(door::host& host, door::session_data&& data)
        : host_(&host), own_(std::make_unique<door::session_data>(std::move(data))),
          data_(own_.get()) {}
    session(session&&) noexcept = default;
    session& operator=(session&&) noexcept = default;

    session_id id() const { return data_->ref.id; }
    const std::string& frontend() const { return data_->ref.frontend; }
    /// Empty while not bound.
    const std::string& uid() const { return data_->ref.uid; }
    bool is_bound() const { return !uid().empty(); }
    /// What other servers need to reach this session.
    const session_ref& ref() const { return data_->ref; }
    /// The client's IP address, without a port: the one that trusted proxies name, if it came
    /// through them. Empty: not known.
    const std::string& address() const { return data_->address; }
    /// The IP address at which the client has reached this server. Empty on every server but the
    /// session's frontend.
    const std::string& reached_at() const { return data_->reached_at; }
    const door::session_data& data() const { return *data_; }

    /// Nothing when the key is absent or holds another type; members that its value lacks keep
    /// their initialisers (json::decode_tolerant).
    template <class T>
    std::optional<T> get(std::string_view key) const {
        const auto* found = find(key);
        if (found == nullptr) {
            return std::nullopt;
        }
        auto value = json::decode_tolerant<T>(found->json, key);
        return value ? std::optional<T>(std::move(*value)) : std::nullopt;
    }
    bool has(std::string_view key) const { return find(key) != nullptr; }

    /// Sets the key in this snapshot; the frontend learns of it by `push`.
    template <class T>
    void set(std::string_view key, const T& value) {
        auto& settings = own().settings;
        const auto found = std::ranges::find(settings, key, &door::setting::key);
        if (found != settings.end()) {
            found->json = json::encode(value);
        } else {
            settings.push_back({std::string(key), json::encode(value)});
        }
    }

    /// Writes one key, as it is in this snapshot, into the session. Errors: not_found (never set),
    /// closed.
    template <class = void>
    awaitable<result<void>> push(std::string key) {
        const auto* found = find(key);
        if (found == nullptr) {
            error absent(errc::not_found, "session has no key '" + key + "' to push");
            co_return absent;
        }
        door::session_change change{
            .what = door::session_change::kind::push, .uid = {}, .settings = {*found}, .text = {}};
        co_return co_await send(std::move(change));
    }
    /// Writes all keys of this snapshot. Errors: closed.
    template <class = void>
    awaitable<result<void>> push_all() {
        return send({.what = door::session_change::kind::push,
                     .uid = {},
                     .settings = data_->settings,
                     .text = {}});
    }
    /// Errors: closed; duplicate when bound to another uid.
    template <class = void>
    awaitable<result<void>> bind(std::string uid) {
        return send_uid(door::session_change::kind::bind, std::move(uid));
    }
    /// Errors: closed.
    template <class = void>
    awaitable<result<void>> unbind() {
        return send_uid(door::session_change::kind::unbind, {});
    }
    /// Replaces the bound uid in one step. Errors: closed.
    template <class = void>
    awaitable<result<void>> rebind(std::string uid) {
        return send_uid(door::session_change::kind::rebind, std::move(uid));
    }
    /// Closes the session; the client is told `reason`. Errors: closed.
    template <class = void>
    awaitable<result<void>> kick(std::string reason) {
        return send({.what = door::session_change::kind::kick,
                     .uid = {},
                     .settings = {},
                     .text = std::move(reason)});
    }

private:
    const door::setting* find(std::string_view key) const {
        const auto found = std::ranges::find(data_->settings, key, &door::setting::key);
        return found == data_->settings.end() ? nullptr : &*found;
    }
    door::session_data& own() {
        if (!own_) {
            own_ = std::make_unique<door::session_data>(*data_);
            data_ = own_.get();
        }
        return *own_;
    }
    template <class = void>
    awaitable<result<void>> send(door::session_change change) {
        auto& host = *host_;
        const auto who = ref();
        auto pending = detail::wait([&host, &who, &change](std::unique_ptr<door::completion> done) {
            host.change_session(who, std::move(change), std::move(done));
        });
        co_return detail::without_value(co_await std::move(pending));
    }
    template <class = void>
    awaitable<result<void>> send_uid(door::session_change::kind what, std::string uid) {
        // A named variable: g++ 12 destroys an aggregate temporary inside a co_await expression
        // twice.
        door::session_change change{.what = what, .uid = uid, .settings = {}, .text = {}};
        auto outcome = co_await send(std::move(change));
        if (outcome) {
            own().ref.uid = std::move(uid);
        }
        co_return outcome;
    }

    door::host* host_;
    std::unique_ptr<door::session_data> own_;
    const door::session_data* data_;
};

} // namespace shaddock
