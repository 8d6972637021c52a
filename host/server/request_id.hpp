#pragma once

#include "base/clock.hpp"

#include <shaddock/ids.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace shaddock::server {

/// One request on its way through all servers that it touches, for logs: a client's request, with
/// the calls that are made while it is served; or a call that a server makes of its own accord.
struct request_id {
    /// The life of the server where it began.
    incarnation origin{};
    /// The client's session there; 0: the server's own.
    session_id session{};
    /// Counts up in that life, from 1. 0: no request.
    std::uint64_t number = 0;

    friend bool operator==(const request_id&, const request_id&) = default;
};

/// What code serves, and until when somebody waits for it.
struct service {
    request_id id;
    /// The deadline of the call that is being served; `max()` once that has been answered. Null:
    /// nobody waits.
    std::shared_ptr<const base::time_point> deadline;
};

/// Which request the code that runs now serves: set where a request begins, and where an operation
/// that was begun for it resumes its coroutine. Thread: the loop.
class served_request {
public:
    /// None outside of requests.
    const request_id& now() const { return now_.id; }
    /// The same with its deadline, for what goes on with it later.
    const service& all() const { return now_; }
    /// Until when a call may take that is made at `now` and that may take until `own`: while
    /// somebody waits for what is served, no longer than they do. What is begun after that (a
    /// clean-up, work that goes on beside) has its own time.
    base::time_point bounded(base::time_point own, base::time_point now) const {
        return now_.deadline && *now_.deadline > now ? std::min(own, *now_.deadline) : own;
    }
    /// The next one that begins here.
    request_id begin(incarnation here, session_id of) { return {here, of, ++last_}; }
    /// The one that is served; outside of requests the server's own next one.
    request_id now_or_own(incarnation here) {
        return now_.id.number != 0 ? now_.id : begin(here, session_id{});
    }

    /// While it lives, what runs serves `request`.
    class scope {
    public:
        scope(served_request& where, service what)
            : where_(where), before_(std::exchange(where.now_, std::move(what))) {}
        scope(served_request& where, const request_id& request)
            : scope(where, service{request, nullptr}) {}
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
        ~scope() { where_.now_ = std::move(before_); }

    private:
        served_request& where_;
        service before_;
    };

private:
    service now_;
    std::uint64_t last_ = 0;
};

} // namespace shaddock::server
