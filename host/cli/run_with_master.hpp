#pragma once

#include "cli/arguments.hpp"

/// The commands that ask a running master. Each returns the exit status.
namespace shaddock::cli {

int run_command(const list_command& wanted);
int run_command(const stop_command& wanted);
int run_command(const reload_command& wanted);
int run_command(const add_command& wanted);
int run_command(const restart_command& wanted);
int run_command(const kill_command& wanted);
int run_command(const log_command& wanted);
/// Reads the files; asks a master only where they are.
int run_command(const logs_command& wanted);

} // namespace shaddock::cli
