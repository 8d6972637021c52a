# All third-party packages, found once. No network at configure time.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)

# RapidJSON: header-only; SSE2 halves the parse time of a chat message.
find_path(RAPIDJSON_INCLUDE_DIR rapidjson/document.h REQUIRED)
