#pragma once

#include <shaddock/remote.hpp>

#include <string>
#include <vector>

/// What other server types may ask a lobby.
namespace lobby {

using names = std::vector<std::string>;

/// Who sits at a table, in order of coming; empty when there is no such table.
inline constexpr shaddock::remote_method<names(std::string table)> guests{
    "lobby.lobbyRemote.guests"};

} // namespace lobby
