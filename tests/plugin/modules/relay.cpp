#include "relay.hpp"
#include "counting.hpp"

SHADDOCK_PLUGIN("probe", registrar) {
    relaying::setup(registrar);
    counting::setup(registrar);
}
