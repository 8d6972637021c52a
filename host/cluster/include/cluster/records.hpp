#pragma once

#include "cluster/registry.hpp"
#include "config/load.hpp"

namespace shaddock::cluster {

/// The record as plugins and other servers see it; not up, and without a life.
door::server_info info_of(const config::server_record& record);

/// The list that the records are, nobody up in it; those that are stopped are guests.
view list_of(const config::system& system);

} // namespace shaddock::cluster
