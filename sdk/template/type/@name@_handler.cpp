#include "@name@_handler.hpp"
@system@

#include "@contracts@"
@end@

namespace @name@_type {
namespace {

constexpr std::string_view watchers = "watchers";
constexpr std::int64_t most_at_once = 1'000'000;

} // namespace

shaddock::result<total_message> @name@_handler::add(const add_request& request) {
    if (request.by < -most_at_once || request.by > most_at_once) {
        return shaddock::error(shaddock::errc::bad_request, "by: out of range");
    }
    const total_message now{counter_.add(request.by)};
    app_.channels().create(watchers).push("onTotal", now).value();
    return now;
}

shaddock::awaitable<total_message> @name@_handler::watch(watch_request request,
                                                    shaddock::session& session) {
    if (request.name.empty()) {
        throw shaddock::error(shaddock::errc::bad_request, "name: empty");
    }
    // Who has logged in elsewhere has a name already.
    if (!session.is_bound()) {
        (co_await session.bind(request.name)).value();
    }
    // `.value()` of a failed result throws its error, which is the answer.
    app_.channels().create(watchers).add(session.ref()).value();
    co_return total_message{counter_.total()};
}
@system@

shaddock::awaitable<total_message> @name@_handler::next_total() {
    const auto answer = co_await app_.call(@next_name@_type::total, shaddock::routing("any key"));
    co_return total_message{answer.value()};
}
@end@

} // namespace @name@_type
