#pragma once

#include "base/clock.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace shaddock::master {

/// The folder of the page: `wanted` if given; else `web` beside the config folder, `<exe
/// dir>/../web`,
/// `<exe dir>/../share/shaddock/web`, or `web` of the source tree that the build lies in.
/// Errors: not_found (no index.html there; the text names every place looked at).
result<std::filesystem::path> find_page_folder(const std::optional<std::filesystem::path>& wanted,
                                               const std::filesystem::path& config_folder,
                                               const std::filesystem::path& exe);

/// The folder of the admin page: `admin` in the first of those `web` folders that has it.
/// Errors: not_found, naming every place looked at.
result<std::filesystem::path> find_admin_folder(const std::filesystem::path& config_folder,
                                                const std::filesystem::path& exe);

/// Serves the files of one folder over HTTP: GET and HEAD, ETag, security headers, nothing outside
/// of the folder. Limits: request head 8 KiB, 10 s to send it and to take the answer, 256
/// connections, files of 16 MiB. Thread: the loop, which it blocks while it reads a file: give it a
/// process of its own.
class page_server {
public:
    page_server(const boost::asio::any_io_executor& executor, base::clock& clock,
                const std::filesystem::path& folder);
    ~page_server();
    page_server(const page_server&) = delete;
    page_server& operator=(const page_server&) = delete;

    /// Errors: config (cannot listen).
    result<void> start(const std::string& host, std::uint16_t port);
    std::uint16_t port() const;
    std::size_t connections() const;
    void stop();

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace shaddock::master
