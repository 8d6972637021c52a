#include "read.hpp"

#include "complaint.hpp"
#include "config/load.hpp"

#include <algorithm>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace shaddock::config {
namespace {

constexpr std::size_t largest_file = std::size_t{1024} * 1024;

error no_file(const std::filesystem::path& folder, std::string_view env, std::string_view name) {
    return {errc::not_found, fmt::format("{}: found no such file, nor {}, expected one of them",
                                         (folder / name).string(), (folder / env / name).string())};
}

/// The file name of a plugin's own file, or an error when it would leave the folder.
std::string file_name_of(std::string_view name) {
    const std::filesystem::path path(name);
    bool stays = !name.empty() && path.is_relative() && name.find('\0') == std::string_view::npos;
    for (const auto& part : path) {
        stays = stays && part != "..";
    }
    if (!stays) {
        throw error(errc::config, fmt::format("configuration file {}: found a path that leaves the "
                                              "config folder, expected a name "
                                              "such as 'shop' or 'shop.json'",
                                              in_quotes(name)));
    }
    return path.extension() == ".json" ? std::string(name) : std::string(name) + ".json";
}

} // namespace

bool is_plain_name(std::string_view text) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !text.empty() && text.size() <= 64 && text.front() != '.' &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_taken_in_javascript(std::string_view text) {
    // Object.prototype has these and names that begin with two underscores.
    constexpr std::string_view taken[] = {
        "constructor",          "hasOwnProperty", "isPrototypeOf",  "prototype",
        "propertyIsEnumerable", "toString",       "toLocaleString", "valueOf"};
    return text.starts_with("__") || std::ranges::find(taken, text) != std::end(taken);
}

void check_env(std::string_view env) {
    if (!is_plain_name(env)) {
        throw error(
            errc::config,
            fmt::format("env: found {}, expected 1 to 64 letters, digits, '.', '_' or '-', such as "
                        "'development'",
                        in_quotes(env)));
    }
}

std::string read_file(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        throw complaint({path, 0, {}}, "a folder", "a file");
    }
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        throw complaint({path, 0, {}},
                        fmt::format("that it cannot be opened ({})", std::strerror(errno)),
                        "a readable file");
    }
    // One byte more than allowed tells "too large" from "just fits", also for pipes, which have no
    // size.
    std::string text(largest_file + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (in.bad()) {
        throw complaint({path, 0, {}}, "a read error", "a readable file");
    }
    if (text.size() > largest_file) {
        throw complaint({path, 0, {}}, "more than 1 MiB", "a file of at most 1 MiB");
    }
    return text;
}

std::optional<source_file> find_file(const std::filesystem::path& folder, std::string_view env,
                                     std::string_view name) {
    check_env(env);
    std::error_code ignored;
    if (const auto path = folder / name; std::filesystem::exists(path, ignored)) {
        return source_file{path, read_file(path), false};
    }
    if (const auto path = folder / env / name; std::filesystem::exists(path, ignored)) {
        return source_file{path, read_file(path), true};
    }
    return std::nullopt;
}

json_source cut_for_env(source_file file, std::string_view env) {
    json_value root = parse_json(file.text, file.path);
    json_member* section = file.for_one_env ? nullptr : root.find(env);
    if (section == nullptr) {
        return {std::move(file.path), std::move(file.text), std::move(root), {}};
    }
    json_value part = std::move(section->value);
    return {std::move(file.path), std::move(file.text), std::move(part), std::string(env)};
}

json_source require_json(const std::filesystem::path& folder, std::string_view env,
                         std::string_view name) {
    auto file = find_file(folder, env, name);
    if (!file) {
        throw error(errc::config, no_file(folder, env, name).text());
    }
    return cut_for_env(std::move(*file), env);
}

std::string below(std::string_view key, std::string_view name) {
    return key.empty() ? std::string(name) : fmt::format("{}.{}", key, name);
}

std::string element(std::string_view key, std::size_t index) {
    return fmt::format("{}[{}]", key, index);
}

result<config_text> read_for_env(const std::filesystem::path& folder, std::string_view env,
                                 std::string_view name) {
    try {
        const std::string file_name = file_name_of(name);
        auto file = find_file(folder, env, file_name);
        if (!file) {
            return no_file(folder, env, file_name);
        }
        json_source source = cut_for_env(std::move(*file), env);
        const json_value& part = source.root;
        return config_text{std::move(source.path),
                           source.text.substr(part.begin, part.end - part.begin), part.line - 1};
    } catch (const error& failed) {
        return failed;
    }
}

} // namespace shaddock::config
