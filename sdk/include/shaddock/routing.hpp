#pragma once

#include <shaddock/door.hpp>
#include <shaddock/session.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock {

/// Sends a call to one server by its id.
struct to_server {
    /// No aggregate: g++ 12 destroys those twice inside a co_await expression.
    explicit to_server(std::string server_id) : id(std::move(server_id)) {}
    std::string id;
};

/// What a call is routed by: a session, a text, a number, or to_server{"id"}. Copied: later changes
/// of a session do not move the call. A session also travels as "on whose behalf".
class routing {
public:
    // NOLINTBEGIN(google-explicit-constructor): a call names what it is routed by and nothing else
    routing(const session& by) : session_(by.data()) {}
    routing(const session_ref& by) : session_(door::session_data{by, {}}) {}
    routing(to_server to) : server_id_(std::move(to.id)) {}
    routing(std::string by) : text_(std::move(by)) {}
    routing(std::string_view by) : text_(by) {}
    routing(const char* by) : text_(by) {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) routing(Number by)
        : number_(static_cast<std::int64_t>(by)) {}
    // NOLINTEND(google-explicit-constructor)

    /// How long the caller waits; else host.yaml's `bus: call_timeout`. Never longer than the
    /// caller of what is being served, while that is unanswered and its deadline has not passed.
    routing&& within(door::duration timeout) && {
        timeout_ = timeout;
        return std::move(*this);
    }

    /// Views into this object. `shape`: door::call_target::shape.
    door::call_target target(std::string (*shape)() noexcept = nullptr) const {
        const auto* by = session_ ? &*session_ : nullptr;
        return {.server_id = server_id_,
                .param = {.session = by, .text = text_, .number = number_},
                .timeout = timeout_,
                .session = by,
                .shape = shape};
    }

private:
    std::string server_id_;
    std::optional<door::session_data> session_;
    std::string text_;
    std::optional<std::int64_t> number_;
    door::duration timeout_{};
};

/// What a route function of the plugin decides on: the session of a client's request, or what a
/// caller gave. One of the three is set.
class route_param {
public:
    route_param(door::host& host, const door::route_param& by) : by_(&by) {
        if (by.session != nullptr) {
            session_.emplace(host, *by.session);
        }
    }
    /// Null when the caller gave a text or a number.
    const session* by_session() const { return session_ ? &*session_ : nullptr; }
    std::string_view text() const { return by_->text; }
    std::optional<std::int64_t> number() const { return by_->number; }

private:
    const door::route_param* by_;
    std::optional<session> session_;
};

} // namespace shaddock
