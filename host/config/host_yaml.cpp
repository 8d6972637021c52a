#include "host_yaml.hpp"

#include "host_yaml_nats.hpp"
#include "host_yaml_rows.hpp"
#include "yaml_section.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::config {
namespace {

constexpr std::size_t most_cost = 1'000'000;

void read_costs(const yaml_section& costs, connector_options& options) {
    for (const auto& [route, each] : costs.entries()) {
        costs.found().attempt([&, &key = route, &entry = each] {
            const auto cost =
                entry.node.IsScalar() ? parse_count(entry.node.Scalar()) : std::nullopt;
            if (!cost || *cost < 1 || *cost > most_cost) {
                throw complaint(entry.where, describe_node(entry.node),
                                fmt::format("a number of messages from 1 to {}", most_cost));
            }
            options.route_cost[key] = *cost;
        });
    }
}

/// Who may connect, and whose word on that counts.
void read_callers(yaml_section& from, connector_options& options) {
    if (const auto list = from.take("trusted_proxies")) {
        options.trusted_proxies.clear();
        read_list(list, "a list of networks such as [127.0.0.1, 10.0.0.0/8]",
                  "an address or a network such as '10.0.0.0/8'", from.found(),
                  [&](const std::string& text) {
                      const auto network = base::parse_network(text);
                      options.trusted_proxies.push_back(network.value_or(base::network()));
                      return network.has_value();
                  });
    }
    if (const auto list = from.take("origins")) {
        options.origins.clear();
        constexpr std::string_view expected = "an origin such as 'https://chat.example', or '*'";
        read_list(list, "a list of origins such as ['https://chat.example']", expected,
                  from.found(), [&](const std::string& text) {
                      options.origins.push_back(text);
                      const auto scheme = text.find("://");
                      return text == "*" ||
                             (scheme != 0 && scheme != text.npos &&
                              text.find('/', scheme + 3) == text.npos && text.size() > scheme + 3);
                  });
        if (list.node.IsSequence() && list.node.size() == 0) {
            from.found().attempt([&] { throw complaint(list.where, "an empty list", expected); });
        }
    }
    if (options.proxy_protocol && options.trusted_proxies.empty()) {
        from.found().attempt([&] {
            throw complaint(from.place_of("proxy_protocol", "trusted_proxies"),
                            "true without trusted_proxies, so that nobody could connect",
                            "the proxies' networks in trusted_proxies");
        });
    }
}

void read_connector(yaml_section from, connector_options& options) {
    read_costs(from.below_key("route_cost"), options);
    const bool all_good = from.read(connector_rows(), options);
    read_callers(from, options);
    const bool has_deadline = options.heartbeat.count() != 0 && options.timeout.count() != 0;
    if (all_good && has_deadline && options.timeout < options.heartbeat) {
        from.found().attempt([&] {
            throw complaint(from.place_of("timeout", "heartbeat"),
                            fmt::format("a timeout of {} ms with a heartbeat of {} ms",
                                        options.timeout.count(), options.heartbeat.count()),
                            "a timeout at least as long as the heartbeat");
        });
    }
    if (all_good && options.tls_certificate.empty() != options.tls_key.empty()) {
        from.found().attempt([&] {
            throw complaint(from.place_of("tls_certificate", "tls_key"),
                            options.tls_key.empty() ? "a tls_certificate without a tls_key"
                                                    : "a tls_key without a tls_certificate",
                            "both, or none");
        });
    }
    from.finish();
}

void read_bus(yaml_section from, bus_options& options) {
    const bool all_good = from.read(bus_rows(), options);
    if (all_good && options.silence <= options.heartbeat) {
        from.found().attempt([&] {
            throw complaint(from.place_of("silence", "heartbeat"),
                            fmt::format("a silence of {} ms with a heartbeat of {} ms",
                                        options.silence.count(), options.heartbeat.count()),
                            "a silence longer than the heartbeat");
        });
    }
    read_nats(from, options);
    from.finish();
}

/// A section whose options depend on no other.
template <class Section>
void read_section(yaml_section from, const std::vector<option_row<Section>>& rows,
                  Section& options) {
    from.read(rows, options);
    from.finish();
}

/// Checks one file name of a module and adds it.
void add_module(const YAML::Node& node, const place& where, std::vector<std::string>& modules) {
    const std::string name = node.IsScalar() ? node.Scalar() : "";
    const std::filesystem::path path(name);
    const std::string file = path.filename();
    const bool is_file_name =
        file.size() > 3 && file.size() <= 255 && file.ends_with(".so") && file.front() != '.' &&
        (file == name || (path.is_absolute() && name == path.lexically_normal()));
    if (!is_file_name) {
        throw complaint(where, describe_node(node),
                        "the name of a module in the plugins folder, such as 'chat.so', or an "
                        "absolute path");
    }
    if (std::find(modules.begin(), modules.end(), name) != modules.end()) {
        throw complaint(where, in_quotes(name) + " a second time", "each module once");
    }
    modules.push_back(name);
}

struct named_modules {
    std::vector<std::string> names;
    std::vector<place> places;
};

named_modules read_modules(const yaml_section::entry& from) {
    named_modules modules;
    const auto add = [&](const YAML::Node& node, const place& where) {
        add_module(node, where, modules.names);
        modules.places.push_back(where);
    };
    if (from.node.IsScalar()) {
        add(from.node, from.where);
    } else if (from.node.IsSequence() && from.node.size() > 0) {
        for (std::size_t i = 0; i < from.node.size(); ++i) {
            const YAML::Node module = from.node[i];
            add(module, {from.where.path, line_of_mark(module.Mark()), element(from.where.key, i)});
        }
    } else {
        throw complaint(from.where, describe_node(from.node),
                        "a list of modules such as [chat.so]");
    }
    return modules;
}

void read_type(const std::string& name, const place& where, yaml_section from, parsed_host& out) {
    findings& found = from.found();
    host_options& options = out.options;
    type_options& type = options.types.emplace(name, options.type(name)).first->second;
    std::vector<place>& places = out.module_places[name];
    places = {where};
    from.read(type_rows(), type);
    if (const auto rooms = from.take("rooms")) {
        out.room_places[name] = rooms.where;
    }
    if (const auto modules = from.take("modules")) {
        found.attempt([&] {
            auto named = read_modules(modules);
            type.modules = std::move(named.names);
            places = std::move(named.places);
        });
    }
    found.attempt([&] { read_connector(from.below_key("connector"), type.connector); });
    found.attempt([&] { read_section(from.below_key("reload"), reload_rows(), type.reload); });
    from.finish();
}

void read_types(const yaml_section& types, parsed_host& out) {
    for (const auto& [name, type] : types.entries()) {
        types.found().attempt([&, &key = name, &entry = type] {
            if (!is_plain_name(key) || key.find('.') != std::string::npos) {
                throw complaint(entry.where, "the type " + in_quotes(key),
                                "1 to 64 letters, digits, '_' or '-'");
            }
            read_type(key, entry.where,
                      {types.found(), types.path(), entry.node, entry.where.key, entry.where.line},
                      out);
        });
    }
}

void read_log(yaml_section from, log_options& log) {
    const yaml_section levels = from.below_key("levels");
    const auto& known = base::log::areas();
    for (const auto& [name, each] : levels.entries()) {
        from.found().attempt([&, &area = name, &entry = each] {
            if (std::find(known.begin(), known.end(), area) == known.end()) {
                throw unknown_key(entry.where, area, "an area of the log: " + join(known), known);
            }
            const auto at =
                entry.node.IsScalar() ? base::log::level_of(entry.node.Scalar()) : std::nullopt;
            if (!at) {
                throw complaint(entry.where, describe_node(entry.node),
                                "debug, info, warn, error or off");
            }
            log.levels[area] = *at;
        });
    }
    read_section(std::move(from), log_rows(), log);
}

parsed_host read_host(yaml_section from, std::string_view env) {
    parsed_host out = default_host(env);
    host_options& options = out.options;
    findings& found = from.found();
    // First, because it is what the types overlay.
    found.attempt([&] { read_connector(from.below_key("connector"), options.connector); });
    found.attempt([&] { read_section(from.below_key("reload"), reload_rows(), options.reload); });
    out.lists_types = static_cast<bool>(from.take("types"));
    found.attempt([&] { read_types(from.below_key("types"), out); });
    found.attempt([&] { read_bus(from.below_key("bus"), options.bus); });
    found.attempt([&] { read_section(from.below_key("limits"), limit_rows(), options.limits); });
    found.attempt([&] { read_log(from.below_key("log"), options.log); });
    found.attempt([&] {
        yaml_section web = from.below_key("web");
        out.web_port = web.take("port").where;
        read_section(std::move(web), web_rows(), options.web);
    });
    found.attempt(
        [&] { read_section(from.below_key("metrics"), metrics_rows(), options.metrics); });
    found.attempt([&] {
        read_section(from.below_key("supervision"), supervision_rows(), options.supervision);
    });
    from.finish();
    return out;
}

parsed_host parse_whole(const source_file& file, std::string_view env, findings& found) {
    const YAML::Node root = YAML::Load(file.text);
    if (!root.IsNull() && !root.IsMap()) {
        throw complaint({file.path, line_of_mark(root.Mark()), {}}, describe_node(root),
                        "a map of options");
    }
    yaml_section whole(found, file.path, root, {}, 1);
    if (!file.for_one_env) {
        for (const auto& [name, entry] : whole.entries()) {
            if (name == env) {
                return read_host({found, file.path, entry.node, name, entry.where.line}, env);
            }
        }
    }
    return read_host(std::move(whole), env);
}

} // namespace

parsed_host default_host(std::string_view env) {
    parsed_host out;
    out.options.reload.watch = env == "development";
    out.options.supervision.stalled =
        env == "development" ? stalled_process::report : stalled_process::kill;
    return out;
}

parsed_host parse_host(const source_file& file, std::string_view env, findings& found) {
    parsed_host out = default_host(env);
    found.attempt([&] {
        try {
            out = parse_whole(file, env, found);
        } catch (const YAML::Exception& failed) {
            throw complaint({file.path, line_of_mark(failed.mark), {}},
                            "no YAML (" + failed.msg + ")", "YAML");
        }
    });
    return out;
}

type_options host_options::type(std::string_view name) const {
    const auto found = types.find(name);
    return found != types.end()
               ? found->second
               : type_options{{std::string(name) + ".so"}, room_rule::move, connector, reload};
}

} // namespace shaddock::config
