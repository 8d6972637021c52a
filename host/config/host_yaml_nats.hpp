#pragma once

#include "config/options.hpp"
#include "yaml_section.hpp"

namespace shaddock::config {

/// `bus.nats:` and what it must have where `bus.kind` is nats. `bus`: the section `bus`.
void read_nats(yaml_section& bus, bus_options& options);

} // namespace shaddock::config
