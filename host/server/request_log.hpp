#pragma once

#include "base/clock.hpp"
#include "directory.hpp"
#include "request_id.hpp"

#include <shaddock/door.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace shaddock::server {

class generation;

/// What a server logs of one request at level debug: a line when it comes in and one when it is
/// answered.
///
///   request connector-server-1/12/345 begins: 'chat.chatHandler.send', session 12 of
///     connector-server-1 (alice*room), from connector-server-1
///   request connector-server-1/12/345 ends: 'chat.chatHandler.send', ok, 810 us, by chat.so 0.1.0
///     build 5be2a1c09f3d generation 1
///
/// The id is the same on all servers that the request touches: where it began, the session (0: the
/// server's own), and a number. At other levels there is no such object, and nothing is written.
class request_log {
public:
    /// What is known of a request that comes. Views, for the call.
    struct arrival {
        const request_id& id;
        std::string_view route;
        /// Null: it has none.
        const session_ref* session;
        /// A client's `ip:port`, or a server's id.
        std::string_view from;
        /// The one that serves now; null while the server stops.
        const generation* now;
    };
    /// Writes the first line. Null when the log is not on debug. `clock` outlives what is made.
    static std::unique_ptr<request_log> begin(const directory& names, base::clock& clock,
                                              const arrival& what) {
        return is_on() ? write_begin(names, clock, what) : nullptr;
    }
    /// Writes the second line. `by`: whose code has served it; null: it was not served here, and
    /// the line names the generation of the moment when it came.
    void end(const result<door::body>& outcome, const generation* by) const;

private:
    request_log(base::clock& clock, std::string id, const arrival& what);
    static bool is_on();
    static std::unique_ptr<request_log> write_begin(const directory& names, base::clock& clock,
                                                    const arrival& what);

    base::clock& clock_;
    base::time_point begun_;
    std::string id_;
    std::string route_;
    std::string met_;
};

} // namespace shaddock::server
