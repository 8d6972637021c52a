#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "json.hpp"

/// The env rule: which file, and which part of it. Functions throw `error` (config).
namespace shaddock::config {

/// A file found by the env rule.
struct source_file {
    std::filesystem::path path;
    std::string text;
    /// The file lies in `<folder>/<env>/`, so it has no sections for envs.
    bool for_one_env = false;
};

/// A JSON file cut down to what counts for the env.
struct json_source {
    std::filesystem::path path;
    std::string text;
    json_value root;
    /// `<env>` when `root` is that section of the file; empty when it is the whole.
    std::string key;
};

/// An env is part of paths: 1-64 letters, digits, `.`, `_`, `-`, not beginning with `.`.
void check_env(std::string_view env);

/// Whether `text` may be an id, a type or an env: it becomes part of file names.
bool is_plain_name(std::string_view text);

/// Whether each object of JavaScript has a member of this name (`__proto__`, `constructor`, ..): as
/// an id or type it would be found in tables of pages and scripts that never got it.
bool is_taken_in_javascript(std::string_view text);

/// The whole file, at most 1 MiB.
std::string read_file(const std::filesystem::path& path);

/// `<folder>/<name>`, else `<folder>/<env>/<name>`, else nothing.
std::optional<source_file> find_file(const std::filesystem::path& folder, std::string_view env,
                                     std::string_view name);

/// Parses the file and picks the env's section when it has one.
json_source cut_for_env(source_file file, std::string_view env);

/// find_file and cut_for_env; a missing file is an error that names both places.
json_source require_json(const std::filesystem::path& folder, std::string_view env,
                         std::string_view name);

/// `key.name`, or `name` when there is no key.
std::string below(std::string_view key, std::string_view name);

/// `key[index]`.
std::string element(std::string_view key, std::size_t index);

} // namespace shaddock::config
