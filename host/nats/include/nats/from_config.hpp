#pragma once

#include "config/options.hpp"
#include "nats/connection.hpp"
#include "nats/kv.hpp"

#include <filesystem>
#include <string_view>

/// From `bus.nats:` of host.yaml to what this room is told. Everything of a system stands under the
/// subject `shaddock.CLUSTER.`, so that one rule of NATS's permissions covers it, and in one
/// bucket.
namespace shaddock::nats {

/// `folder`: to which the files of the options are relative. `id`: of this process, a server or a
/// master, as `nats server report connections` shows it.
options options_for(const config::nats_options& wanted, const std::filesystem::path& folder,
                    std::string_view id);
kv_options bucket_for(const config::nats_options& wanted);

} // namespace shaddock::nats
