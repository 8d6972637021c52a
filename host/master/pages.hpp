#pragma once

#include "http.hpp"

#include <filesystem>

namespace shaddock::master {

/// Answers a request with a file of `root`, which must be canonical.
/// `/` is index.html; a folder is its index.html. Only GET and HEAD. Refused with 404: what leaves
/// the folder (also by a symlink), names beginning with a dot, files over 16 MiB. Every answer
/// carries the security headers; a file carries an ETag and `no-cache`, so the browser asks and
/// gets 304 while it is unchanged. Thread: blocks on the disk; the page's server is a process of
/// its own.
http_response serve_file(const std::filesystem::path& root, const http_request& request);

} // namespace shaddock::master
