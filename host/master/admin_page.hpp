#pragma once

#include "http.hpp"

#include <filesystem>
#include <string_view>

/// The admin page on the master's address. Its files hold no secret, so anyone who reaches the
/// address gets them; what they show they ask of the API with the token that the browser has.
namespace shaddock::master {

/// Whether the page answers it, not the API: `/admin` and all below it.
bool is_of_admin_page(std::string_view target);

/// `/admin` and `/admin/` are index.html, `/admin/x` is the file x of `folder`; form, limits and
/// headers as serve_file. Thread: the loop, which waits for the disk while a file is read.
http_response serve_admin_page(const std::filesystem::path& folder, const http_request& request);

} // namespace shaddock::master
