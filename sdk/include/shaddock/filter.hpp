#pragma once

#include <shaddock/app.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

/// A filter is a class with one or both of `before` and `after`:
///
///     result<void> before(std::string_view route, session& who);
///     result<void> before(std::string_view route, session& who, send_request& message);
///     result<void> after(std::string_view route, session& who, const error* failed);
///
/// each also with `void`, or as a coroutine. The first `before` is for registrar.filter<F>(), the
/// second for registrar.filter<F, send_request>(); `failed` is null on success. Befores run in
/// order of registration, afters in reverse. A refusal of `before` is the answer: the befores after
/// it and the handler are skipped. Afters always run, all of them; an error of one replaces the
/// answer. What belongs to one request goes into the session (`who.set`): it is a snapshot of this
/// request. A request whose body does not decode is answered without any filter.
namespace shaddock {

/// Logs `request <route> timeout` for each request that is not answered in time; it neither answers
/// nor cancels. Limits: requests beyond `tracked_limit` at the same time are not watched. Source:
/// Pomelo's timeout filter.
class timeout_filter {
public:
    explicit timeout_filter(app& app, door::duration limit = std::chrono::seconds(3),
                            std::size_t tracked_limit = 500)
        : app_(app), limit_(limit), tracked_limit_(tracked_limit) {}

    void before(std::string_view route, session& who) {
        if (running_.size() < tracked_limit_) {
            running_.insert_or_assign(&who,
                                      request{std::string(route), door::later(app_.now(), limit_)});
            if (!is_armed_) {
                arm(limit_);
            }
        }
    }
    void after(std::string_view, session& who, const error*) { running_.erase(&who); }

private:
    struct request {
        std::string route;
        door::time_point due;
    };

    void arm(door::duration delay) {
        is_armed_ = true;
        // A name of its own: several modules of a type may each have such a filter.
        app_.once("shaddock.timeout_filter." +
                      std::to_string(reinterpret_cast<std::uintptr_t>(this)),
                  delay, [this] { look(); });
    }
    void look() {
        const auto now = app_.now();
        auto next = door::time_point::max();
        for (auto it = running_.begin(); it != running_.end();) {
            if (it->second.due <= now) {
                app_.log().warn("request ", it->second.route, " timeout");
                it = running_.erase(it);
            } else {
                next = std::min(next, it->second.due);
                ++it;
            }
        }
        is_armed_ = false;
        if (!running_.empty()) {
            arm(next == door::time_point::max() ? door::duration::max() : next - now);
        }
    }

    app& app_;
    door::duration limit_;
    std::size_t tracked_limit_;
    bool is_armed_ = false;
    /// By the request's own session snapshot.
    std::unordered_map<const session*, request> running_;
};

} // namespace shaddock
