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
#include <optional>
#include <utility>

namespace shaddock::config {
namespace {

json_source read_servers(const load_options& wanted) {
    if (!wanted.servers_file) {
        return require_json(wanted.folder, wanted.env, "servers.json");
    }
    return cut_for_env({*wanted.servers_file, read_file(*wanted.servers_file), false}, wanted.env);
}

/// Ids that no server can have: locks and sockets of the run folder are named so, and commands take
/// the word for something else.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> reserved_ids{
    {{"master", "the master"}, {"web", "the page's server"}, {"all", "every server"}}};

void check_id(const std::string& id, const place& where, std::map<std::string, place>& taken) {
    for (const auto& [reserved, owner] : reserved_ids) {
        if (id == reserved) {
            throw complaint(where, fmt::format("{}, the name of {}", in_quotes(id), owner),
                            "another id");
        }
    }
    const auto [first, is_new] = taken.emplace(id, where);
    if (!is_new) {
        throw complaint(
            where, fmt::format("{}, which {} already has", in_quotes(id), to_string(first->second)),
            "each id once");
    }
}

void check_ids(const parsed_servers& parsed, const std::optional<parsed_master>& master,
               findings& found) {
    std::map<std::string, place> taken;
    if (master) {
        taken.emplace(master->master.id, master->id_place);
    }
    for (std::size_t i = 0; i < parsed.servers.size(); ++i) {
        found.attempt([&] { check_id(parsed.servers[i].id, parsed.id_places[i], taken); });
    }
}

/// All names of this machine are one host, since a port can be had only once there.
std::string host_for_ports(const std::string& host) {
    const bool is_local = host == "localhost" || host == "0.0.0.0" || host == "::1" || host == "::";
    return is_local ? "127.0.0.1" : host;
}

using taken_ports = std::map<std::pair<std::string, std::uint16_t>, const port_use*>;

void check_port(const port_use& use, taken_ports& taken) {
    const auto [first, is_new] = taken.emplace(std::pair{host_for_ports(use.host), use.port}, &use);
    if (!is_new) {
        throw complaint(use.where,
                        fmt::format("port {} for {}, which {} already has on {} ({})", use.port,
                                    use.id, first->second->id, use.host,
                                    to_string(first->second->where)),
                        "each port once per host");
    }
}

std::vector<port_use> ports_of(const load_options& wanted, const parsed_servers& servers,
                               const std::optional<parsed_master>& master,
                               const parsed_host& host) {
    std::vector<port_use> uses;
    if (master) {
        uses.push_back(master->port);
    }
    uses.insert(uses.end(), servers.ports.begin(), servers.ports.end());
    const web_options& web = host.options.web;
    if (web.port != 0) {
        const place by_default{wanted.folder / "host.yaml", 0, "web.port (default)"};
        uses.push_back({web.host, web.port, "the web server",
                        host.web_port.line != 0 ? host.web_port : by_default});
    }
    return uses;
}

void check_ports(const std::vector<port_use>& uses, findings& found) {
    taken_ports taken;
    for (const port_use& use : uses) {
        found.attempt([&] { check_port(use, taken); });
    }
}

/// Whether all servers must be processes of one machine.
bool is_of_one_machine(bus_kind kind) {
    switch (kind) {
    case bus_kind::direct:
    case bus_kind::local:
        return true;
    case bus_kind::nats:
        break;
    }
    return false;
}

void check_host(const server_record& server, place where, const machine_names& own) {
    if (is_here(server.host, own)) {
        return;
    }
    where.key = "server " + in_quotes(server.id) + " host";
    std::string text = fmt::format("{}: found {}, which is not an address of this machine; several "
                                   "machines need `bus: {{kind: nats}}`",
                                   to_string(where), in_quotes(server.host));
    throw located_error(std::move(where), std::move(text));
}

void check_hosts(const parsed_servers& parsed, findings& found) {
    const machine_names own = this_machine();
    for (std::size_t i = 0; i < parsed.servers.size(); ++i) {
        found.attempt([&] { check_host(parsed.servers[i], parsed.host_places[i], own); });
    }
}

/// Names are looked up, which may ask a name server.
void find_own(std::vector<server_record>& servers) {
    const machine_names own = this_machine();
    std::map<std::string, bool> known;
    for (auto& server : servers) {
        const auto [at, is_new] = known.try_emplace(server.host, false);
        if (is_new) {
            at->second = is_here(server.host, own);
        }
        server.is_here = at->second;
    }
}

void check_types(const parsed_servers& parsed, const parsed_host& host,
                 const std::filesystem::path& host_file, findings& found) {
    std::vector<std::string> known;
    for (const auto& [name, ignored] : host.options.types) {
        known.push_back(name);
    }
    for (const auto& [type, where] : parsed.types) {
        if (host.lists_types && !host.options.types.contains(type)) {
            found.attempt([&, &name = type, &place = where] {
                throw unknown_key(place, name,
                                  fmt::format("a type that {} lists under types: {}",
                                              host_file.string(), join(known)),
                                  known);
            });
        }
    }
}

/// Rooms that stay are found again by their names, which clients' connections have none of.
void check_rooms(const parsed_servers& parsed, const parsed_host& host, findings& found) {
    for (const auto& [name, type] : host.options.types) {
        const bool has_clients =
            std::ranges::any_of(parsed.servers, [&of = name](const auto& each) {
                return each.type == of && each.frontend;
            });
        if (type.rooms == room_rule::stay && has_clients) {
            found.attempt([&, &of = name] {
                throw complaint(host.room_places.at(of), "'stay'",
                                "'move', because the servers of the type are frontends, which "
                                "drain their clients (connector.drain)");
            });
        }
    }
}

/// Pomelo's files that nothing here reads.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> unused_files{{
    {"adminUser.json", "who may use the admin API has the token of the run folder"},
    {"adminServer.json", "servers are known by the user of their process"},
    {"log4js.json", "use log: of host.yaml"},
    {"crons.json", "use timers of the plugin: app.every"},
    {"masterha.json", "there is one master; start it again on the same run folder"},
}};

void warn_of_unused_files(const load_options& wanted, findings& found) {
    for (const auto& [name, instead] : unused_files) {
        for (const auto& path : {wanted.folder / name, wanted.folder / wanted.env / name}) {
            std::error_code ignored;
            if (std::filesystem::exists(path, ignored)) {
                found.warn({path, 0, {}}, fmt::format("not used by this version, {}", instead));
            }
        }
    }
}

system system_of(const load_options& wanted, parsed_servers servers,
                 const std::optional<parsed_master>& master, host_options host) {
    system out;
    out.env = wanted.env;
    out.folder = wanted.folder;
    out.servers = std::move(servers.servers);
    out.epoch = servers.epoch;
    out.master = master ? master->master : master_record();
    out.host = std::move(host);
    for (const auto& [type, ignored] : servers.types) {
        out.types.push_back(type);
        out.host.types.emplace(type, out.host.type(type));
    }
    return out;
}

void read_all(const load_options& wanted, findings& found, checked& out) {
    check_env(wanted.env);
    parsed_servers servers;
    std::optional<parsed_master> master;
    parsed_host host = default_host(wanted.env);
    std::optional<source_file> host_file;
    // One that is named may be the list of a running system.
    const auto writer = wanted.servers_file ? list_writer::master : list_writer::person;
    found.attempt(
        [&] { servers = parse_servers(read_servers(wanted), wanted.env, found, writer); });
    found.attempt([&] {
        master =
            parse_master(require_json(wanted.folder, wanted.env, "master.json"), wanted.env, found);
    });
    found.attempt([&] {
        host_file = find_file(wanted.folder, wanted.env, "host.yaml");
        if (host_file) {
            host = parse_host(*host_file, wanted.env, found);
        }
    });
    check_ids(servers, master, found);
    out.ports = ports_of(wanted, servers, master, host);
    check_ports(out.ports, found);
    if (host_file) {
        check_types(servers, host, host_file->path, found);
        check_rooms(servers, host, found);
    }
    if (is_of_one_machine(host.options.bus.kind)) {
        check_hosts(servers, found);
    } else {
        find_own(servers.servers);
        if (master && !is_here(master->master.host, this_machine())) {
            master->master.host = "127.0.0.1"; // it is the address of another machine's master
        }
    }
    out.module_places = std::move(host.module_places);
    for (const auto& [type, where] : servers.types) {
        out.module_places.try_emplace(type, 1, where);
    }
    out.read = system_of(wanted, std::move(servers), master, std::move(host.options));
}

} // namespace

checked check(const load_options& wanted) {
    findings found;
    checked out;
    if (found.attempt([&] { read_all(wanted, found, out); })) {
        for (const finding& one : found.all()) {
            if (one.is_warning) {
                out.read.warnings.push_back(one.text);
            }
        }
        warn_of_unused_files(wanted, found);
    }
    out.findings = found.all();
    return out;
}

bool checked::has_problems() const {
    return std::any_of(findings.begin(), findings.end(),
                       [](const finding& one) { return !one.is_warning; });
}

result<system> load(const load_options& wanted) {
    checked all = check(wanted);
    for (finding& one : all.findings) {
        if (!one.is_warning) {
            return error(errc::config, std::move(one.text));
        }
    }
    return std::move(all.read);
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
