#pragma once

#include <shaddock/remote.hpp>

#include <cstdint>

/// What other server types may ask a @type@ server: they include this header, and call
///
///     auto total = co_await app.call(@name@_type::total, shaddock::routing("any key"));
namespace @name@_type {

/// The sum of all that was added.
inline constexpr shaddock::remote_method<std::int64_t()> total{"@type@.@camel@Remote.total"};

} // namespace @name@_type
