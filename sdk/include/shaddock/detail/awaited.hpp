#pragma once

#include <shaddock/detail/traits.hpp>
#include <shaddock/error.hpp>

#include <boost/asio/awaitable.hpp>

namespace shaddock {

/// What a coroutine returns: `co_await` it inside another one. Runs on the server's loop.
template <class T>
using awaitable = boost::asio::awaitable<T>;

} // namespace shaddock

/// Functions that may be synchronous or coroutines, and may give a value or a result: what they
/// give in the end.
///
/// g++ makes code of every inline coroutine that it reads, used or not, in each file: half of what
/// including plugin.hpp cost. So coroutines of the SDK, and what calls them, are templates
/// (`template <class = void>`): only a file that uses one pays for it.
namespace shaddock::detail {

template <class T>
inline constexpr bool is_awaitable = is_instance<T, boost::asio::awaitable>;
template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<boost::system::result<T, error>> = true;

template <class T>
struct awaited {
    using type = T;
};
template <class T>
struct awaited<boost::asio::awaitable<T>> {
    using type = T;
};
/// What a function gives in the end, without `awaitable` and `result` around it.
template <class T>
struct plain {
    using type = T;
};
template <class T>
struct plain<boost::system::result<T, error>> {
    using type = T;
};
template <class T>
using awaited_t = typename awaited<T>::type;
template <class T>
using plain_t = typename plain<awaited_t<T>>::type;

} // namespace shaddock::detail
