#pragma once

#include "http.hpp"

#include <filesystem>

namespace shaddock::master {

/// Whose files they are. The chat page opens WebSockets to gates and connectors, wherever they are;
/// the admin page talks to the master that serves it, and to nobody else.
enum class page_kind { chat, admin };

/// Answers a request with a file of `root`, which must be canonical.
/// `/` is index.html; a folder is its index.html. Only GET and HEAD. Refused with 404: what leaves
/// the folder (also by a symlink), names beginning with a dot, files over 16 MiB; for the chat page
/// also its folder `admin`, which is of use on the master's address only. Every answer
/// carries the page's Content-Security-Policy; a file carries an ETag and `no-cache`, so the
/// browser asks and gets 304 while it is unchanged. Thread: blocks on the disk; the page's server
/// is a process of its own.
http_response serve_file(const std::filesystem::path& root, const http_request& request,
                         page_kind kind = page_kind::chat);

} // namespace shaddock::master
