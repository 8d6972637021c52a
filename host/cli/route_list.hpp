#pragma once

#include "cli/arguments.hpp"
#include "node/module_look.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// `host routes`: what handlers and remotes take and give, read from the modules.
namespace shaddock::cli {

struct listed_module {
    std::string type;
    std::filesystem::path file;
    node::module_routes routes;
};

struct route_list {
    /// By type, then as host.yaml names them.
    std::vector<listed_module> modules;
    /// Of the config files and the type asked for, and why modules are not in the list; a line
    /// each.
    std::vector<std::string> problems;
};

/// Opens the modules of a type, or of all types when it is empty, each in a process of its own.
/// What cannot be read does not keep the rest from being listed.
/// An unknown type is a problem that names the nearest one.
/// Errors: config: there is no config folder.
/// Thread: of a process that has no other yet; blocks, at most 5 s for each module.
result<route_list> list_routes(const place& where, const std::string& type);

/// `{content: string, target: string} -> {}`; a remote's arguments stand in parentheses, `?` is not
/// known.
std::string handler_text(const node::registered_route& one);
std::string remote_text(const node::registered_route& one);

/// A block for each type, or for each module of a type that has several.
std::string to_text(const route_list& list);

/// `[{"type","route","kind","serial","module","request","reply","text"},..]`; `request` and `reply`
/// as schema_of() gives them.
std::string to_json(const route_list& list);

} // namespace shaddock::cli
