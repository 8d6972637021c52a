# All third-party packages, found once. No network at configure time.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
# Only its core is linked: values and their text form.
find_package(prometheus-cpp REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
# The line editor of `host client`.
pkg_check_modules(libedit REQUIRED IMPORTED_TARGET libedit)

# RapidJSON: header-only; SSE2 halves the parse time of a chat message. It reads whole aligned 16 bytes, also past the end of a text:
# harmless, but sanitizers object.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT SHADDOCK_SANITIZE)
  set(SHADDOCK_RAPIDJSON_DEFINITIONS RAPIDJSON_SSE2)
endif()
find_path(RAPIDJSON_INCLUDE_DIR rapidjson/document.h REQUIRED)

# The client of NATS, for several machines. Its own CMake package is broken in Debian 12.
set(SHADDOCK_HAS_NATS OFF)
if(SHADDOCK_NATS STREQUAL "ON")
  pkg_check_modules(libnats REQUIRED IMPORTED_TARGET libnats>=3.4)
elseif(NOT SHADDOCK_NATS STREQUAL "OFF")
  pkg_check_modules(libnats IMPORTED_TARGET libnats>=3.4)
endif()
if(SHADDOCK_NATS STREQUAL "OFF")
  set(SHADDOCK_NATS_STATE "OFF")
elseif(libnats_FOUND)
  set(SHADDOCK_HAS_NATS ON)
  set(SHADDOCK_NATS_STATE "ON (${libnats_VERSION})")
else()
  set(SHADDOCK_NATS_STATE "OFF (no libnats)")
endif()
