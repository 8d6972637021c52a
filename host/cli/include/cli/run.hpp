#pragma once

#include "cli/arguments.hpp"
#include "config/load.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What the commands of `host` do.
namespace shaddock::cli {

/// Runs one command to its end and returns the exit status. Text for people goes to stdout, errors
/// to stderr.
int run(const std::vector<std::string>& arguments);

/// The folders that the flags name; nothing in them is read yet. Paths are absolute.
struct located_folder {
    config::load_options wanted;
    std::filesystem::path exe;
    std::filesystem::path run;
};
/// Errors: config: there is no config folder.
result<located_folder> locate(const place& where);

/// Everything that the flags say, found and checked. Paths are absolute.
struct setting {
    config::system system;
    std::filesystem::path exe;
    std::filesystem::path run;
    std::optional<std::filesystem::path> servers_file;
};
/// Removes the list of servers of a system that runs no more.
void forget_stale_list(const place& where);
/// While any process of the system runs, its own list counts, if it has one, instead of the files
/// (master::running_list). Errors: config: all that is wrong in the files, a line each.
result<setting> resolve(const place& where);

/// The record that `--type` and `--id` name. Errors: config, with the known types or the nearest
/// ids.
result<config::server_record> find_record(const config::system& system, std::string_view type,
                                          std::string_view id);

/// `host: <text>` on stderr, for each line of the text; returns `exit_failed`.
int complain(std::string_view text);

/// What run() does with each command that has a file of its own; the rest stands in run.cpp. Each
/// returns the exit status.
int run_command(const serve_command& wanted);
int run_command(const web_command& wanted);
int run_command(const routes_command& wanted);
int run_command(const client_command& wanted);
/// Reads the files; asks a master only where they are.
int run_command(const logs_command& wanted);
/// Those that ask a running master: run_with_master.cpp.
int run_command(const list_command& wanted);
int run_command(const stop_command& wanted);
int run_command(const reload_command& wanted);
int run_command(const add_command& wanted);
int run_command(const restart_command& wanted);
int run_command(const kill_command& wanted);
int run_command(const log_command& wanted);
int run_command(const admin_command& wanted);

} // namespace shaddock::cli
