#pragma once

#include "cluster/registry.hpp"

#include <shaddock/error.hpp>

#include <string_view>

namespace shaddock::node {

/// What the master says under `servers` on a server's line: who is expected now. Nobody is up in
/// it; epoch 0: of a master that is older than epochs. Errors: bad_request.
result<cluster::view> list_from_json(std::string_view text);

} // namespace shaddock::node
