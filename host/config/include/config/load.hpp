#pragma once

#include "config/options.hpp"

#include <shaddock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// From the files of a config folder to checked values.
///
/// The env rule, for every file: `<folder>/<file>`; if it has a top-level key named like the env,
/// that section, else the whole; if the file is absent, `<folder>/<env>/<file>`, whole.
///
/// Errors: errc::config, text `<file>:<line>: <key>: found <x>, expected <y>[; nearest known key:
/// <z>]`.
///
/// Limits: a file has at most 1 MiB, JSON at most 64 levels. JSON is strict: no comments, no
/// trailing commas, no key twice.
///
/// Thread: any; blocks on the disk, so at start-up or through `blocking`.
///
/// Source: Pomelo's rule for config files (lib/util/appUtil.js).
namespace shaddock::config {

/// The record as it stands in a list: with "stopped" and "leaving" if it is, and without
/// `clusterCount`, which counts only where ids are yet to be made. Compact JSON.
std::string written(const server_record& server);

struct load_options {
    std::filesystem::path folder;
    std::string env = "development";
    /// Used instead of `<folder>/servers.json`; the env key is looked up in it, `<folder>/<env>` is
    /// not.
    std::optional<std::filesystem::path> servers_file;
};

/// Everything the config folder says for one env.
struct system {
    std::string env;
    std::filesystem::path folder;
    /// In the order of the file: types as their keys stand, then records; clusters expanded in
    /// place.
    std::vector<server_record> servers;
    /// Of the expected list (cluster::view) that `servers` without the stopped ones is.
    std::uint64_t epoch = 1;
    /// The types of servers.json in the order of the file, also those without a server.
    std::vector<std::string> types;
    master_record master;
    host_options host;
    /// What is allowed but looks like a slip, such as a custom key one letter away from a known
    /// one. For the log.
    std::vector<std::string> warnings;

    /// The record with this id, or null. Valid as long as `servers` is not changed.
    const server_record* find(std::string_view id) const;
    /// The records of a type in file order.
    std::vector<server_record> of_type(std::string_view type) const;
};

/// Reads servers.json, master.json (both required) and host.yaml (optional) and checks each alone
/// and all together: ids once, ports once per host, types known to host.yaml (when it has `types`),
/// hosts of this machine (`bus: direct` and `local` link no other; names are not looked up).
/// The error is the first of the problems that check() tells.
result<system> load(const load_options& wanted);

/// Where in the files something stands.
struct place {
    /// Empty: in none.
    std::filesystem::path path;
    /// From 1; 0 = the file as a whole.
    std::size_t line = 0;
    /// As `development.connector[0].port`; empty = the file as a whole.
    std::string key;
};

/// `<file>[:<line>][: <key>]`.
std::string to_string(const place& where);

/// One thing that a check has found.
struct finding {
    /// Allowed, but it looks like a slip, or has no effect.
    bool is_warning = false;
    place where;
    /// The whole of it for people, on one line: `<file>:<line>: <key>: found <x>, expected <y>`.
    std::string text;
};

/// A finding of an error text of this form; the place is read from it when it begins with `path`.
finding problem_in(const std::filesystem::path& path, const error& failed);

/// A port of the files, and whose it is.
struct port_use {
    std::string host;
    std::uint16_t port = 0;
    /// Of the server or the master; `the web server`.
    std::string id;
    place where;
    /// false: Pomelo's RPC port, where nobody listens.
    bool is_listened = true;
};

struct checked {
    /// Without problems, what load() gives. Else what could be read: records and options with a
    /// problem are left out.
    system read;
    /// In the order of the files: servers.json, master.json, host.yaml, then what does not fit
    /// together.
    std::vector<finding> findings;
    std::vector<port_use> ports;
    /// For each type of `read.host.types` and each of its modules, where the files ask for it.
    std::map<std::string, std::vector<place>, std::less<>> module_places;

    /// Whether load() would refuse the folder.
    bool has_problems() const;
};

/// As load(), but goes on after a problem: tells all that is wrong, and warns of files of Pomelo
/// that have no effect here.
checked check(const load_options& wanted);

/// The config folder: `explicit_folder` if given; else ./config if it is there; else the installed
/// one,
/// `<exe dir>/../config` or `<exe dir>/../share/shaddock/config`. Errors: errc::config, naming
/// every place looked at.
result<std::filesystem::path>
find_folder(const std::optional<std::filesystem::path>& explicit_folder,
            const std::filesystem::path& exe_path);

/// The `count` candidates most like `text`, best first (edit distance, case counts little, ties by
/// name): for "did you mean".
std::vector<std::string> nearest(std::string_view text, const std::vector<std::string>& candidates,
                                 std::size_t count = 3);

/// The candidate that `text` was probably meant to be: one or two letters away, not the same; else
/// nothing.
std::optional<std::string> slip_of(std::string_view text,
                                   const std::vector<std::string>& candidates);

/// A JSON file, or its section for an env, as text.
struct config_text {
    std::filesystem::path path;
    /// One JSON value, exactly as it stands in the file.
    std::string text;
    /// Lines of the file before the text: line n of the text is line `line_offset + n` of the file.
    std::size_t line_offset = 0;
};

/// A plugin's own file: `<folder>/<name>[.json]` by the env rule. The text is strict JSON within
/// the limits. Errors: not_found (no such file; the text names both places), config (unreadable,
/// not JSON, or a name that is absolute or leaves the folder).
result<config_text> read_for_env(const std::filesystem::path& folder, std::string_view env,
                                 std::string_view name);

/// The extra routes of the dictionary, `<folder>/dictionary.json` by the env rule: those that no
/// handler has, so mostly routes of pushes. In file order; a route may stand there twice.
/// Form: a JSON list of texts, `["onChat", "onAdd"]`; an absent file, `[]` and `{}` are none.
/// Limits: 65535 routes of 1 to 255 bytes, which is what a message can carry.
/// Source: Pomelo's config/dictionary.json.
result<std::vector<std::string>> read_dictionary(const std::filesystem::path& folder,
                                                 std::string_view env);

} // namespace shaddock::config
