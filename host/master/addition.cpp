#include "addition.hpp"

#include "control/codec.hpp"
#include "control/requests.hpp"
#include "private_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

/// Texts stay texts, unless JSON says that they are something else.
bool is_text(const std::string& value) {
    const auto read = control::from_json<raw_json>(value);
    return !read || read->text == "null" || read->text.starts_with('"');
}

std::string record_text(const std::string& type, const control::addition_keys& keys) {
    std::string members;
    for (const auto& [key, value] : keys) {
        if (key != "serverType") {
            members += fmt::format("{}{}:{}", members.empty() ? "" : ",", control::to_json(key),
                                   is_text(value) ? control::to_json(value) : value);
        }
    }
    return fmt::format("{{{}:[{{{}}}]}}", control::to_json(type), members);
}

std::string with_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// `<file>:12: chat[3].id` -> `the running system: chat[3].id`: nobody sees the file.
std::string without_lines(std::string text, const std::string& file) {
    for (auto at = text.find(file); at != std::string::npos; at = text.find(file, at)) {
        auto end = at + file.size();
        while (end < text.size() && (text[end] == ':' || (text[end] >= '0' && text[end] <= '9'))) {
            ++end;
        }
        text.replace(at, end - at, "the running system:");
    }
    return text;
}

/// A file of the run folder that is gone at the end of its scope.
class passing_file {
public:
    explicit passing_file(fs::path file) : path(std::move(file)) {}
    passing_file(const passing_file&) = delete;
    passing_file& operator=(const passing_file&) = delete;
    ~passing_file() {
        std::error_code ignored;
        fs::remove(path, ignored);
    }
    const fs::path path;
};

/// Reads `text` as servers.json. Errors speak of what was given, not of the file.
result<config::system> load_as_servers(const config::system& system, const fs::path& run,
                                       const std::string& text, const std::string& type) {
    const passing_file file(run / "add.json");
    if (auto written = write_private_file(file.path, text); !written) {
        return written.error();
    }
    config::load_options wanted;
    wanted.folder = system.folder;
    wanted.env = system.env;
    wanted.servers_file = file.path;
    auto loaded = config::load(wanted);
    if (loaded) {
        return loaded;
    }
    auto said = loaded.error().text();
    for (const auto& place : {fmt::format("{}:1: {}[0].", file.path.string(), type),
                              fmt::format("{}:1: {}[0]: ", file.path.string(), type),
                              fmt::format("{}:1: ", file.path.string())}) {
        said = with_all(std::move(said), place, "add: ");
    }
    return error(errc::config, without_lines(std::move(said), file.path.string()));
}

/// The number behind the last of the type's ids that clusterCount has made.
std::size_t next_in_cluster(const config::system& system, const std::string& prefix) {
    std::size_t next = 0;
    for (const auto& server : system.servers) {
        std::size_t number = 0;
        const auto* end = server.id.data() + server.id.size();
        if (server.id.starts_with(prefix) &&
            std::from_chars(server.id.data() + prefix.size(), end, number).ptr == end) {
            next = std::max(next, number + 1);
        }
    }
    return next;
}

/// Of the records that clusterCount has made, numbered from 0: numbered on from those that run.
void number_on(const config::system& system, const std::string& type,
               std::vector<config::server_record>& made) {
    const auto prefix = fmt::format("cluster-server-{}-", type);
    auto next = next_in_cluster(system, prefix);
    for (auto& server : made) {
        const auto old = fmt::format(R"("id":"{}")", server.id);
        server.id = fmt::format("{}{}", prefix, next++);
        server.json = with_all(std::move(server.json), old, fmt::format(R"("id":"{}")", server.id));
    }
}

error no_type(const config::system& system) {
    std::string known;
    for (const auto& type : system.types) {
        known += (known.empty() ? "" : ", ") + type;
    }
    return {errc::config, fmt::format("add: serverType: found nothing, expected the server's "
                                      "type: one of {}, or one of host.yaml",
                                      known)};
}

} // namespace

std::string list_text(const std::vector<config::server_record>& servers, std::uint64_t epoch) {
    std::vector<std::string> types;
    std::map<std::string, std::vector<std::string>> records;
    for (const auto& server : servers) {
        auto& of_type = records[server.type];
        if (of_type.empty()) {
            types.push_back(server.type);
        }
        of_type.push_back(config::written(server));
    }
    auto text = fmt::format("{{\"epoch\": {}", epoch);
    for (const auto& type : types) {
        text += fmt::format(",\n\"{}\": [", type);
        for (std::size_t i = 0; i < records[type].size(); ++i) {
            text += fmt::format("{}\n  {}", i == 0 ? "" : ",", records[type][i]);
        }
        text += "]";
    }
    return text + "\n}\n";
}

result<addition> check_addition(const config::system& system, const control::addition_keys& keys,
                                const fs::path& run) {
    if (auto good = control::check_keys(keys); !good) {
        return good.error();
    }
    const auto at =
        std::ranges::find(keys, "serverType", &control::addition_keys::value_type::first);
    if (at == keys.end() || at->second.empty()) {
        return no_type(system);
    }
    const auto& type = at->second;
    auto alone = load_as_servers(system, run, record_text(type, keys), type);
    if (!alone) {
        return alone.error();
    }
    addition made;
    made.servers = std::move(alone->servers);
    const bool is_cluster =
        std::ranges::any_of(keys, [](const auto& key) { return key.first == "clusterCount"; });
    if (is_cluster) {
        number_on(system, type, made.servers);
    }
    auto all = system.servers;
    all.insert(all.end(), made.servers.begin(), made.servers.end());
    auto together = load_as_servers(system, run, list_text(all, system.epoch), type);
    if (!together) {
        return together.error();
    }
    made.host = std::move(together->host);
    made.warnings = std::move(alone->warnings);
    const auto place = fmt::format("{}:1: {}[0].", (run / "add.json").string(), type);
    for (auto& each : made.warnings) {
        each = with_all(std::move(each), place, "");
    }
    return {boost::system::in_place_value, std::move(made)};
}

std::vector<std::string> edited_since(const config::system& running) {
    config::load_options files;
    files.folder = running.folder;
    files.env = running.env;
    const auto now = config::check(files).read;
    const auto to_compare = [](config::server_record server) {
        server.stopped = false;
        return config::written(server);
    };
    std::vector<std::string> ids;
    for (const auto& server : running.servers) {
        const auto* edited = now.find(server.id);
        if (edited != nullptr &&
            (edited->type != server.type || to_compare(*edited) != to_compare(server))) {
            ids.push_back(server.id);
        }
    }
    return ids;
}

} // namespace shaddock::master
