#pragma once

#include <shaddock/remote.hpp>

#include <cstdint>

/// What the server types of this project may ask each other. The caller includes this header, and
/// calls
///
///     auto total = co_await app.call(@name@_type::total, shaddock::routing("any key"));
@each type@

namespace @name@_type {

/// The sum of all that was added to a @type@ server.
inline constexpr shaddock::remote_method<std::int64_t()> total{"@type@.@camel@Remote.total"};

} // namespace @name@_type
@end@
