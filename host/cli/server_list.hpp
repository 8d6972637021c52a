#pragma once

#include <shaddock/door.hpp>
#include <shaddock/error.hpp>

#include <string_view>
#include <vector>

namespace shaddock::cli {

/// What the master says under `servers` on a server's line: who is expected now. Nobody is up in
/// it. Errors: bad_request.
result<std::vector<door::server_info>> servers_from_json(std::string_view text);

} // namespace shaddock::cli
