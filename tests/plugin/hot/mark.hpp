#pragma once

#include "hot_api.hpp"
// One of one/, two/, three/.
#include "work.hpp"

namespace hot {

inline stamp mark(shaddock::app& app, const memory& known, std::uint32_t n) {
    return {.server = app.server_id(),
            .life = std::to_string(shaddock::number(app.self().life)),
            .version = SHADDOCK_PLUGIN_VERSION,
            .generation = known.generation(),
            .proof = proof(n)};
}

} // namespace hot
