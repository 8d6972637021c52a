#pragma once

#include "master/supervisor.hpp"

#include <string>

/// The rows of `host list`, with what /proc says of each process.
namespace shaddock::master {

/// `is_out`: it was stopped. One that is not, and does not serve, is missing, also when it was
/// killed; and so is one that serves and is `is_unlisted` (server_book); unless the system stops.
control::server_row row_of(const child_report& child, bool is_out, bool is_unlisted,
                           bool is_stopping);
/// Of the master, which is this process.
control::server_row master_row(const std::string& id, const std::string& version, incarnation life,
                               bool is_stopping);

} // namespace shaddock::master
