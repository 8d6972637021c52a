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
    /// Of the list, from 1: `"epoch": 5` beside the types, where a master has written the file.
    std::uint64_t epoch = 1;
};

struct parsed_master {
    master_record master;
    place id_place;
    port_use port;
};

/// Who has written the list: a person, for a start; or a master, which adds `epoch`, `stopped` and
/// `leaving`.
enum class list_writer { person, master };
parsed_servers parse_servers(const json_source& source, std::string_view env, findings& found,
                             list_writer writer = list_writer::person);
/// Nothing when it has a problem.
std::optional<parsed_master> parse_master(const json_source& source, std::string_view env,
                                          findings& found);

} // namespace shaddock::config
