#pragma once

#include "complaint.hpp"
#include "config/options.hpp"
#include "read.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

/// servers.json and master.json, each checked alone. Problems and warnings go to `found`; a record
/// with a problem is left out.
namespace shaddock::config {

struct parsed_servers {
    std::vector<server_record> servers;
    /// Of `servers`, index by index: where its id stands (its record, when the id was made by
    /// clusterCount).
    std::vector<place> id_places;
    /// Of `servers`, index by index: where its host stands.
    std::vector<place> host_places;
    std::vector<port_use> ports;
    /// Each type of the file and where its key stands.
    std::vector<std::pair<std::string, place>> types;
};

struct parsed_master {
    master_record master;
    place id_place;
    port_use port;
};

parsed_servers parse_servers(const json_source& source, std::string_view env, findings& found);
/// Nothing when it has a problem.
std::optional<parsed_master> parse_master(const json_source& source, std::string_view env,
                                          findings& found);

} // namespace shaddock::config
