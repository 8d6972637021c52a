#pragma once

#include "master/reload.hpp"

#include <shaddock/error.hpp>

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The small JSON texts of the admin API.
namespace shaddock::master {

std::string error_json(std::string_view text);
/// The text of {"error":"<text>"}; empty when it is something else.
std::string error_from_json(std::string_view text);

/// Of `ids` {"ids":["<id>",..]}; of none {"all":true}.
std::string ids_json(const std::vector<std::string>& ids);
/// None: all. An empty list of ids is none of both: a script that finds no server must not stop
/// all of them. Errors: bad_request.
result<std::vector<std::string>> ids_from_json(std::string_view text);

/// What `POST /api/reload` asks for:
/// {"targets":["<type or id>",..],"rollback":false,"dry_run":false}; the last two may be absent.
std::string reload_request_json(const reload_request& wanted);
/// Errors: bad_request.
result<reload_request> reload_request_from_json(std::string_view text);

/// What `<run>/admin.json` says: where the master listens and who it is.
struct admin_place {
    std::string host;
    std::uint16_t port = 0;
    pid_t pid = 0;
};
std::string admin_place_json(const admin_place& place);
result<admin_place> admin_place_from_json(std::string_view text);

} // namespace shaddock::master
