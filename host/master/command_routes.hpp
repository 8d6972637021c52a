#pragma once

#include "commands.hpp"
#include "master/admin.hpp"

/// The commands as calls of the admin API. Their forms stand in docs/operations.md, Admin API.
namespace shaddock::master {

/// Before the server's start. Lifetime: `with` outlives it.
void add_command_routes(admin_server& to, commands& with);

} // namespace shaddock::master
