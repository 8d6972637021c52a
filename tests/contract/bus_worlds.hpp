#pragma once

#include "bus_world.hpp"
#ifdef SHADDOCK_NATS_VICTIM
#include "nats_world.hpp"
#endif

/// On what the contract suites of the bus run.
namespace shaddock::contract {

#ifdef SHADDOCK_NATS_VICTIM
using bus_worlds = testing::Types<local_world, direct_world, nats_world>;
#else
using bus_worlds = testing::Types<local_world, direct_world>;
#endif

struct world_name {
    template <class World>
    static std::string GetName(int) {
        return std::is_same_v<World, local_world>    ? "local"
               : std::is_same_v<World, direct_world> ? "direct"
                                                     : "nats";
    }
};

} // namespace shaddock::contract
