#pragma once

#include "complaint.hpp"
#include "config/options.hpp"
#include "read.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

/// host.yaml. The options and their rules are the rows of host_yaml_rows.hpp.
namespace shaddock::config {

struct parsed_host {
    host_options options;
    /// Whether the file has `types`, so that a type it does not list is a mistake.
    bool lists_types = false;
    /// Where the page's port stands; no line when it is the default.
    place web_port;
    /// Of each type that names its modules: where each stands.
    std::map<std::string, std::vector<place>, std::less<>> module_places;
    /// Of each type that says what becomes of its rooms: where.
    std::map<std::string, place, std::less<>> room_places;
};

/// What a system without the file has.
parsed_host default_host(std::string_view env);

/// Problems go to `found`; what has one keeps its default.
parsed_host parse_host(const source_file& file, std::string_view env, findings& found);

} // namespace shaddock::config
