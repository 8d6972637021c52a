#pragma once

#include "module_reload.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// What the master and a server say to each other about reloads, on the server's line.
namespace shaddock::cli {

/// The arguments of `reload`.
struct reload_order {
    /// The master's; comes back in the answer.
    std::uint64_t job = 0;
    bool is_rollback = false;
    bool is_dry_run = false;
};

/// Form: {"job":7,"rollback":false,"dry_run":false}; an absent key is 0 or false. Errors:
/// bad_request.
result<reload_order> reload_order_from_json(std::string_view text);

/// The arguments of `reloaded`.
/// Form: {"job":7,"ok":true,"from":{"version","build_id","generation"},"to":{..},"ms":12.3}, or
/// with "ok":false and "reason" instead of "to"; "dry_run":true when nothing was swapped.
std::string to_json(std::uint64_t job, const reload_report& report);

} // namespace shaddock::cli
