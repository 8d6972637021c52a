#pragma once

#include "config/options.hpp"
#include "option_rows.hpp"

#include <vector>

/// The rows of each section of host.yaml, in the order of the reference. To add an option, add its
/// field to options.hpp and its row here, and use it: options of a server are handed over in
/// cli/server_options.cpp, without which the key is read and has no effect.
namespace shaddock::config {

const std::vector<option_row<type_options>>& type_rows();
const std::vector<option_row<connector_options>>& connector_rows();
const std::vector<option_row<reload_options>>& reload_rows();
const std::vector<option_row<bus_options>>& bus_rows();
const std::vector<option_row<nats_options>>& nats_rows();
const std::vector<option_row<limit_options>>& limit_rows();
const std::vector<option_row<log_options>>& log_rows();
const std::vector<option_row<web_options>>& web_rows();
const std::vector<option_row<metrics_options>>& metrics_rows();
const std::vector<option_row<supervision_options>>& supervision_rows();

} // namespace shaddock::config
