#pragma once

#include <shaddock/ids.hpp>

#include <cstdint>

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

/// Which request the code that runs now serves: set where a request begins, and where an operation
/// that was begun for it resumes its coroutine. Thread: the loop.
class served_request {
public:
    /// None outside of requests.
    const request_id& now() const { return now_; }
    /// The next one that begins here.
    request_id begin(incarnation here, session_id of) { return {here, of, ++last_}; }
    /// The one that is served; outside of requests the server's own next one.
    request_id now_or_own(incarnation here) {
        return now_.number != 0 ? now_ : begin(here, session_id{});
    }

    /// While it lives, what runs serves `request`.
    class scope {
    public:
        scope(served_request& where, const request_id& request)
            : where_(where), before_(where.now_) {
            where.now_ = request;
        }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;
        ~scope() { where_.now_ = before_; }

    private:
        served_request& where_;
        request_id before_;
    };

private:
    request_id now_;
    std::uint64_t last_ = 0;
};

} // namespace shaddock::server
