#include "config/load.hpp"

#include "complaint.hpp"
#include "host_yaml.hpp"
#include "machine.hpp"
#include "read.hpp"
#include "servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace shaddock::config {
namespace {

json_source read_servers(const load_options& wanted) {
    if (!wanted.servers_file) {
        return require_json(wanted.folder, wanted.env, "servers.json");
    }
    return cut_for_env({*wanted.servers_file, read_file(*wanted.servers_file), false}, wanted.env);
}

/// Ids that no server can have, because locks and sockets of the run folder are named so.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> reserved_ids{
    {{"master", "the master"}, {"web", "the page's server"}}};

void check_ids(const parsed_servers& parsed, const parsed_master& master) {
    std::map<std::string, place> taken{{master.master.id, master.id_place}};
    for (std::size_t i = 0; i < parsed.servers.size(); ++i) {
        const std::string& id = parsed.servers[i].id;
        for (const auto& [reserved, owner] : reserved_ids) {
            if (id == reserved) {
                throw complaint(parsed.id_places[i],
                                fmt::format("{}, the name of {}", in_quotes(id), owner),
                                "another id");
            }
        }
        const auto [first, is_new] = taken.emplace(id, parsed.id_places[i]);
        if (!is_new) {
            throw complaint(
                parsed.id_places[i],
                fmt::format("{}, which {} already has", in_quotes(id), to_string(first->second)),
                "each id once");
        }
    }
}

/// All names of this machine are one host, since a port can be had only once there.
std::string host_for_ports(const std::string& host) {
    const bool is_local = host == "localhost" || host == "0.0.0.0" || host == "::1" || host == "::";
    return is_local ? "127.0.0.1" : host;
}

void check_ports(const std::vector<port_use>& uses) {
    std::map<std::pair<std::string, std::uint16_t>, const port_use*> taken;
    for (const port_use& use : uses) {
        const auto [first, is_new] =
            taken.emplace(std::pair{host_for_ports(use.host), use.port}, &use);
        if (!is_new) {
            throw complaint(use.where,
                            fmt::format("port {} for {}, which {} already has on {} ({})", use.port,
                                        use.id, first->second->id, use.host,
                                        to_string(first->second->where)),
                            "each port once per host");
        }
    }
}

/// Whether all servers must be processes of one machine.
bool is_of_one_machine(bus_kind kind) {
    switch (kind) {
    case bus_kind::direct:
    case bus_kind::local:
        break;
    }
    return true;
}

void check_hosts(const parsed_servers& parsed) {
    const machine_names own = this_machine();
    for (std::size_t i = 0; i < parsed.servers.size(); ++i) {
        const server_record& server = parsed.servers[i];
        if (is_here(server.host, own)) {
            continue;
        }
        place where = parsed.host_places[i];
        where.key = "server " + in_quotes(server.id) + " host";
        throw error(errc::config,
                    fmt::format("{}: found {}, which is not an address of this machine; several "
                                "machines need `bus: nats`",
                                to_string(where), in_quotes(server.host)));
    }
}

void check_types(const parsed_servers& parsed, const parsed_host& host,
                 const std::filesystem::path& host_file) {
    std::vector<std::string> known;
    for (const auto& [name, ignored] : host.options.types) {
        known.push_back(name);
    }
    for (const auto& [type, where] : parsed.types) {
        if (host.lists_types && !host.options.types.contains(type)) {
            throw unknown_key(where, type,
                              fmt::format("a type that {} lists under types: {}",
                                          host_file.string(), join(known)),
                              known);
        }
    }
}

system load_or_throw(const load_options& wanted) {
    check_env(wanted.env);
    parsed_servers servers = parse_servers(read_servers(wanted), wanted.env);
    parsed_master master =
        parse_master(require_json(wanted.folder, wanted.env, "master.json"), wanted.env);
    const auto host_file = find_file(wanted.folder, wanted.env, "host.yaml");
    parsed_host host = host_file ? parse_host(*host_file, wanted.env) : default_host(wanted.env);

    check_ids(servers, master);
    std::vector<port_use> ports{master.port};
    ports.insert(ports.end(), servers.ports.begin(), servers.ports.end());
    const web_options& web = host.options.web;
    if (web.port != 0) {
        const place by_default{wanted.folder / "host.yaml", 0, "web.port (default)"};
        ports.push_back({web.host, web.port, "the web server",
                         host.web_port.line != 0 ? host.web_port : by_default});
    }
    check_ports(ports);
    if (host_file) {
        check_types(servers, host, host_file->path);
    }
    if (is_of_one_machine(host.options.bus.kind)) {
        check_hosts(servers);
    }

    system out;
    out.env = wanted.env;
    out.folder = wanted.folder;
    out.servers = std::move(servers.servers);
    out.master = std::move(master.master);
    out.host = std::move(host.options);
    for (const auto& [type, ignored] : servers.types) {
        out.types.push_back(type);
        out.host.types.emplace(type, out.host.type(type));
    }
    out.warnings = std::move(servers.warnings);
    out.warnings.insert(out.warnings.end(), master.warnings.begin(), master.warnings.end());
    return out;
}

} // namespace

result<system> load(const load_options& wanted) {
    try {
        return load_or_throw(wanted);
    } catch (const error& failed) {
        return failed;
    }
}

const server_record* system::find(std::string_view id) const {
    const auto found = std::find_if(servers.begin(), servers.end(),
                                    [&](const server_record& s) { return s.id == id; });
    return found != servers.end() ? &*found : nullptr;
}

std::vector<server_record> system::of_type(std::string_view type) const {
    std::vector<server_record> found;
    std::copy_if(servers.begin(), servers.end(), std::back_inserter(found),
                 [&](const server_record& s) { return s.type == type; });
    return found;
}

} // namespace shaddock::config
