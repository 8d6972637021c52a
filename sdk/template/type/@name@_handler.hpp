#pragma once

#include "@name@_counter.hpp"

#include <shaddock/app.hpp>

namespace @name@_type {

struct add_request {
    std::int64_t by = 0;
};
BOOST_DESCRIBE_STRUCT(add_request, (), (by))

/// The answer to `add` and `watch`, and the message of the push `onTotal`.
struct total_message {
    std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(total_message, (), (total))

struct watch_request {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(watch_request, (), (name))

/// What clients may ask: `@type@.@camel@Handler.add` and the others.
class @name@_handler {
public:
    @name@_handler(shaddock::app& app, counter& counter) : app_(app), counter_(counter) {}

    /// Adds, and tells all who watch. Errors: 500 when `by` is no whole number or out of range.
    shaddock::result<total_message> add(const add_request& request);

    /// From now on the client gets `onTotal`. Errors: 500 when the name is empty or watches already.
    shaddock::awaitable<total_message> watch(watch_request request, shaddock::session& session);
@system@

    /// The total of a @next_type@ server, asked by the contract that both share. Errors: no_server,
    /// timeout and others of a call.
    shaddock::awaitable<total_message> next_total();
@end@

private:
    shaddock::app& app_;
    counter& counter_;
};

} // namespace @name@_type
