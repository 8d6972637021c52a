#include "bus_world.hpp"

namespace shaddock::contract {

TYPED_TEST_SUITE(bus_contract, bus_worlds, world_name);

} // namespace shaddock::contract
