#include "host_yaml.hpp"

#include "units.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

namespace shaddock::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
constexpr std::size_t gib = 1024 * mib;

std::size_t line_of_mark(const YAML::Mark& mark) {
    return mark.line < 0 ? 0 : static_cast<std::size_t>(mark.line) + 1;
}

std::string describe_node(const YAML::Node& node) {
    if (node.IsMap()) {
        return "a map";
    }
    if (node.IsSequence()) {
        return "a list";
    }
    return node.IsScalar() ? in_quotes(node.Scalar()) : "nothing";
}

/// One map of the file. What is taken is known; finish() refuses all other keys.
class section {
public:
    struct entry {
        YAML::Node node;
        place where;
        explicit operator bool() const { return where.line != 0; }
    };

    /// A missing or empty section has no keys.
    section(const std::filesystem::path& path, const YAML::Node& node, std::string key,
            std::size_t line)
        : path_(path), key_(std::move(key)) {
        if (node.IsNull()) {
            return;
        }
        if (!node.IsMap()) {
            throw complaint({path_, line, key_}, describe_node(node), "a map of options");
        }
        for (const auto& pair : node) {
            add(pair.first, pair.second);
        }
    }

    entry take(const std::string& name) {
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
            known_.push_back(name);
        }
        const auto found = std::find_if(entries_.begin(), entries_.end(),
                                        [&](const auto& e) { return e.first == name; });
        return found == entries_.end() ? entry{YAML::Node(), {path_, 0, below(key_, name)}}
                                       : found->second;
    }

    section below_key(const std::string& name) {
        const entry e = take(name);
        return {path_, e.node, e.where.key, e.where.line};
    }

    /// All entries, for maps whose keys are free.
    const std::vector<std::pair<std::string, entry>>& entries() const { return entries_; }
    const std::filesystem::path& path() const { return path_; }

    void duration(const std::string& name, milliseconds& target, milliseconds unit,
                  milliseconds least, std::string_view expected,
                  milliseconds most = milliseconds::max()) {
        if (const entry e = take(name)) {
            const auto value =
                e.node.IsScalar() ? parse_duration(e.node.Scalar(), unit) : std::nullopt;
            if (!value || *value < least || *value > most) {
                throw complaint(e.where, describe_node(e.node), expected);
            }
            target = *value;
        }
    }

    void size(const std::string& name, std::size_t& target, std::size_t least, std::size_t most,
              std::string_view expected) {
        if (const entry e = take(name)) {
            const auto value = e.node.IsScalar() ? parse_size(e.node.Scalar()) : std::nullopt;
            if (!value || *value < least || *value > most) {
                throw complaint(e.where, describe_node(e.node), expected);
            }
            target = *value;
        }
    }

    template <class Number>
    void count(const std::string& name, Number& target, std::size_t least, std::size_t most,
               std::string_view expected) {
        if (const entry e = take(name)) {
            const auto value = e.node.IsScalar() ? parse_count(e.node.Scalar()) : std::nullopt;
            if (!value || *value < least || *value > most) {
                throw complaint(e.where, describe_node(e.node), expected);
            }
            target = static_cast<Number>(*value);
        }
    }

    void flag(const std::string& name, bool& target) {
        if (const entry e = take(name)) {
            const std::string text = e.node.IsScalar() ? e.node.Scalar() : "";
            if (text != "true" && text != "false") {
                throw complaint(e.where, describe_node(e.node), "true or false");
            }
            target = text == "true";
        }
    }

    /// The text of the key, or nothing when it is missing.
    std::optional<std::string> text(const std::string& name, std::string_view expected) {
        const entry e = take(name);
        if (!e) {
            return std::nullopt;
        }
        if (!e.node.IsScalar()) {
            throw complaint(e.where, describe_node(e.node), expected);
        }
        return e.node.Scalar();
    }

    /// Refuses the keys that nobody took.
    void finish() const {
        for (const auto& [name, e] : entries_) {
            if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
                throw unknown_key(e.where, name, "one of the keys: " + join(known_), known_);
            }
        }
    }

private:
    void add(const YAML::Node& name, const YAML::Node& value) {
        const std::size_t line = line_of_mark(name.Mark());
        if (!name.IsScalar()) {
            throw complaint({path_, line, key_}, describe_node(name) + " as a key", "a name");
        }
        const place where{path_, line, below(key_, name.Scalar())};
        for (const auto& [other, e] : entries_) {
            if (other == name.Scalar()) {
                throw complaint(
                    where, fmt::format("the key a second time (first on line {})", e.where.line),
                    "each key once");
            }
        }
        entries_.emplace_back(name.Scalar(), entry{value, where});
    }

    std::filesystem::path path_;
    std::string key_;
    std::vector<std::pair<std::string, entry>> entries_;
    std::vector<std::string> known_;
};

void read_heartbeat(section& from, connector_options& options) {
    constexpr std::string_view expected = "whole seconds such as '3 s' (0 = no heartbeats)";
    from.duration("heartbeat", options.heartbeat, 1s, 0ms, expected);
    if (options.heartbeat % 1s != 0ms) {
        const auto own = from.take("heartbeat");
        throw complaint(own.where, describe_node(own.node), expected);
    }
}

/// Overlays `options` with what the section says; what it does not say stays.
void read_connector(section from, connector_options& options) {
    read_heartbeat(from, options);
    from.duration("timeout", options.timeout, 1s, 0ms,
                  "a time such as '6 s' (0 = twice the heartbeat)");
    from.flag("dict", options.dict);
    from.flag("proto", options.proto);
    from.flag("crypto", options.crypto);
    from.duration("idle_timeout", options.idle_timeout, 1s, 0ms,
                  "a time such as '90 s' (0 = never)");
    from.duration("handshake_timeout", options.handshake_timeout, 1s, 0ms,
                  "a time such as '10 s' (0 = no limit)");
    from.duration("ack_timeout", options.ack_timeout, 1s, 0ms,
                  "a time such as '10 s' (0 = no limit)");
    from.size("package_limit", options.package_limit, 1, 16 * mib - 1,
              "a size such as '64 KiB', from 1 to 16777215 bytes");
    from.size("pending_limit", options.pending_limit, 4 * kib, gib,
              "a size such as '1 MiB', from 4 KiB to 1 GiB");
    from.count("connections_limit", options.connections_limit, 0, 10'000'000,
               "a number of connections up to 10000000 (0 = no limit)");
    from.flag("distinctHost", options.distinct_host);
    from.flag("nodelay", options.no_delay);
    const bool has_deadline = options.heartbeat.count() != 0 && options.timeout.count() != 0;
    if (has_deadline && options.timeout < options.heartbeat) {
        const auto own = from.take("timeout");
        throw complaint(own ? own.where : from.take("heartbeat").where,
                        fmt::format("a timeout of {} ms with a heartbeat of {} ms",
                                    options.timeout.count(), options.heartbeat.count()),
                        "a timeout at least as long as the heartbeat");
    }
    from.finish();
}

void read_bus(section from, bus_options& options) {
    constexpr std::string_view kinds =
        "'direct' (Unix sockets on one machine) or 'local' (one process)";
    if (const auto kind = from.text("kind", kinds)) {
        if (*kind == "nats") {
            throw complaint(from.take("kind").where, "'nats', which this build does not have",
                            kinds);
        }
        if (*kind != "direct" && *kind != "local") {
            throw complaint(from.take("kind").where, in_quotes(*kind), kinds);
        }
        options.kind = *kind == "direct" ? bus_kind::direct : bus_kind::local;
    }
    from.duration("call_timeout", options.call_timeout, 1s, 1ms,
                  "a time such as '10 s', more than 0");
    from.size("queue_limit", options.queue_limit, 64 * kib, gib,
              "a size such as '8 MiB', from 64 KiB to 1 GiB");
    from.duration("heartbeat", options.heartbeat, 1s, 1ms, "a time such as '1 s', more than 0");
    from.duration("silence", options.silence, 1s, 1ms, "a time such as '5 s', more than 0");
    if (options.silence <= options.heartbeat) {
        const auto own = from.take("silence");
        throw complaint(own ? own.where : from.take("heartbeat").where,
                        fmt::format("a silence of {} ms with a heartbeat of {} ms",
                                    options.silence.count(), options.heartbeat.count()),
                        "a silence longer than the heartbeat");
    }
    from.finish();
}

void read_limits(section from, limit_options& options) {
    from.duration("stop_timeout", options.stop_timeout, 1s, 0ms,
                  "a time such as '10 s' (0 = do not wait)");
    from.count("blocking_threads", options.blocking_threads, 1, 64,
               "a number of threads from 1 to 64");
    from.duration("tick_warning", options.tick_warning, 1ms, 0ms,
                  "a time such as '50 ms' (0 = never)");
    constexpr std::string_view requests = "a number of requests from 1 to 1000000";
    from.count("requests_per_session", options.requests_per_session, 1, 1'000'000, requests);
    from.count("serial_per_session", options.serial_per_session, 1, 1'000'000, requests);
    from.duration("generation_timeout", options.generation_timeout, 1s, 0ms,
                  "a time such as '10 s', at most an hour (0 = cancel at once)", 1h);
    from.finish();
}

/// Overlays `options` with what the section says; what it does not say stays.
void read_reload(section from, reload_options& options) {
    from.flag("watch", options.watch);
    from.duration("drain", options.drain, 1ms, 0ms,
                  "a time such as '50 ms', at most 10 s (0 = requests do not wait)", 10s);
    from.duration("timeout", options.timeout, 1s, 100ms,
                  "a time such as '2 s', from 100 ms to 60 s", 60s);
    from.finish();
}

void read_log(section from, log_options& options) {
    using base::log::level;
    static constexpr std::array<std::pair<std::string_view, level>, 5> levels{
        {{"debug", level::debug},
         {"info", level::info},
         {"warn", level::warn},
         {"error", level::error},
         {"off", level::off}}};
    constexpr std::string_view expected = "debug, info, warn, error or off";
    if (const auto name = from.text("level", expected)) {
        const auto found = std::find_if(levels.begin(), levels.end(),
                                        [&](const auto& l) { return l.first == *name; });
        if (found == levels.end()) {
            throw complaint(from.take("level").where, in_quotes(*name), expected);
        }
        options.level = found->second;
    }
    if (const auto folder = from.text("folder", "a folder such as 'logs' ('' = no files)")) {
        options.folder = *folder;
    }
    from.size("file_limit", options.file_limit, 4 * kib, 16 * gib,
              "a size such as '10 MiB', from 4 KiB to 16 GiB");
    from.count("files", options.files, 1, 1000, "a number of files from 1 to 1000");
    from.finish();
}

void read_web(section from, web_options& options) {
    from.count("port", options.port, 0, 65535, "a port from 1 to 65535 (0 = no web server)");
    constexpr std::string_view address = "an address such as '127.0.0.1'";
    if (const auto host = from.text("host", address)) {
        if (host->empty()) {
            throw complaint(from.take("host").where, "an empty text", address);
        }
        options.host = *host;
    }
    if (const auto folder = from.text("folder", "a folder ('' = the page of this host)")) {
        options.folder = *folder;
    }
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

std::vector<std::string> read_modules(const section::entry& from) {
    std::vector<std::string> modules;
    if (from.node.IsScalar()) {
        add_module(from.node, from.where, modules);
    } else if (from.node.IsSequence() && from.node.size() > 0) {
        for (std::size_t i = 0; i < from.node.size(); ++i) {
            const YAML::Node module = from.node[i];
            add_module(module,
                       {from.where.path, line_of_mark(module.Mark()), element(from.where.key, i)},
                       modules);
        }
    } else {
        throw complaint(from.where, describe_node(from.node),
                        "a list of modules such as [chat.so]");
    }
    return modules;
}

void read_type(const std::string& name, section from, host_options& options) {
    type_options& type = options.types.emplace(name, options.type(name)).first->second;
    if (const auto modules = from.take("modules")) {
        type.modules = read_modules(modules);
    }
    read_connector(from.below_key("connector"), type.connector);
    read_reload(from.below_key("reload"), type.reload);
    from.finish();
}

parsed_host read_host(section from, std::string_view env) {
    parsed_host out = default_host(env);
    host_options& options = out.options;
    // First, because it is what the types overlay.
    read_connector(from.below_key("connector"), options.connector);
    read_reload(from.below_key("reload"), options.reload);
    out.lists_types = static_cast<bool>(from.take("types"));
    const section types = from.below_key("types");
    for (const auto& [name, type] : types.entries()) {
        if (!is_plain_name(name) || name.find('.') != std::string::npos) {
            throw complaint(type.where, "the type " + in_quotes(name),
                            "1 to 64 letters, digits, '_' or '-'");
        }
        read_type(name, {from.path(), type.node, type.where.key, type.where.line}, options);
    }
    read_bus(from.below_key("bus"), options.bus);
    read_limits(from.below_key("limits"), options.limits);
    read_log(from.below_key("log"), options.log);
    section web = from.below_key("web");
    out.web_port = web.take("port").where;
    read_web(std::move(web), options.web);
    from.finish();
    return out;
}

} // namespace

parsed_host default_host(std::string_view env) {
    parsed_host out;
    out.options.reload.watch = env == "development";
    return out;
}

parsed_host parse_host(const source_file& file, std::string_view env) {
    try {
        const YAML::Node root = YAML::Load(file.text);
        if (!root.IsNull() && !root.IsMap()) {
            throw complaint({file.path, line_of_mark(root.Mark()), {}}, describe_node(root),
                            "a map of options");
        }
        section whole(file.path, root, {}, 1);
        if (!file.for_one_env) {
            for (const auto& [name, entry] : whole.entries()) {
                if (name == env) {
                    return read_host({file.path, entry.node, name, entry.where.line}, env);
                }
            }
        }
        return read_host(std::move(whole), env);
    } catch (const YAML::Exception& failed) {
        throw complaint({file.path, line_of_mark(failed.mark), {}}, "no YAML (" + failed.msg + ")",
                        "YAML");
    }
}

type_options host_options::type(std::string_view name) const {
    const auto found = types.find(name);
    return found != types.end() ? found->second
                                : type_options{{std::string(name) + ".so"}, connector, reload};
}

} // namespace shaddock::config
