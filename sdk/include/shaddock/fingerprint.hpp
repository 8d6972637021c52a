#pragma once

#include <boost/asio/detail/config.hpp>
#include <boost/version.hpp>

#include <string>

/// Everything that decides how the types of the door lie in memory. Host and plugin compare it as
/// text. A macro, because both sides must spell it from their own preprocessor.
#define SHADDOCK_FP_TEXT2(x) #x
#define SHADDOCK_FP_TEXT(x) SHADDOCK_FP_TEXT2(x)

#if defined(__GLIBCXX__)
#define SHADDOCK_FP_LIBRARY                                                                        \
    "libstdc++ " SHADDOCK_FP_TEXT(_GLIBCXX_RELEASE) " cxx11_abi " SHADDOCK_FP_TEXT(                \
        _GLIBCXX_USE_CXX11_ABI)
#elif defined(_LIBCPP_VERSION)
#define SHADDOCK_FP_LIBRARY                                                                        \
    "libc++ " SHADDOCK_FP_TEXT(_LIBCPP_VERSION) " abi " SHADDOCK_FP_TEXT(_LIBCPP_ABI_VERSION)
#else
#error "shaddock: unknown standard library; extend fingerprint.hpp"
#endif

#if defined(_GLIBCXX_DEBUG)
#define SHADDOCK_FP_DEBUG " debug"
#else
#define SHADDOCK_FP_DEBUG ""
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SHADDOCK_FP_SANITIZER "; sanitizer address"
#elif __has_feature(thread_sanitizer)
#define SHADDOCK_FP_SANITIZER "; sanitizer thread"
#endif
#endif
#if !defined(SHADDOCK_FP_SANITIZER)
#if defined(__SANITIZE_ADDRESS__)
#define SHADDOCK_FP_SANITIZER "; sanitizer address"
#elif defined(__SANITIZE_THREAD__)
#define SHADDOCK_FP_SANITIZER "; sanitizer thread"
#else
#define SHADDOCK_FP_SANITIZER ""
#endif
#endif

#if defined(BOOST_ASIO_DISABLE_THREADS) || !defined(BOOST_ASIO_HAS_THREADS)
#define SHADDOCK_FP_THREADS " no-threads"
#else
#define SHADDOCK_FP_THREADS ""
#endif
#if defined(BOOST_ASIO_NO_TS_EXECUTORS)
#define SHADDOCK_FP_TS " no-ts-executors"
#else
#define SHADDOCK_FP_TS ""
#endif
#if defined(BOOST_ASIO_USE_TS_EXECUTOR_AS_DEFAULT)
#define SHADDOCK_FP_DEFAULT " ts-default"
#else
#define SHADDOCK_FP_DEFAULT ""
#endif

/// `sdk 8; libstdc++ 12 cxx11_abi 1; boost 108100; asio; pointer 8`.
#define SHADDOCK_FINGERPRINT(abi)                                                                  \
    "sdk " abi "; " SHADDOCK_FP_LIBRARY SHADDOCK_FP_DEBUG "; boost " SHADDOCK_FP_TEXT(             \
        BOOST_VERSION) "; asio" SHADDOCK_FP_THREADS SHADDOCK_FP_TS SHADDOCK_FP_DEFAULT             \
                       "; pointer " SHADDOCK_FP_TEXT(__SIZEOF_POINTER__) SHADDOCK_FP_SANITIZER

namespace shaddock {

/// This build's fingerprint; the first number is door::sdk_abi (checked in plugin.hpp and in the
/// host's module room).
inline constexpr const char* fingerprint = SHADDOCK_FINGERPRINT("8");

} // namespace shaddock
