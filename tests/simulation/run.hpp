#pragma once

#include "check/rules.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::simulation {

/// What can go wrong, by the name that `--faults` takes.
enum class fault : std::uint8_t {
    /// A process is killed, and started again after 50 ms to 1 s.
    kill_chat,
    kill_connector,
    kill_gate,
    /// Any two at once.
    kill_pair,
    /// A process stands still, shorter than the bus's silence.
    freeze,
    /// Longer.
    freeze_long,
    /// The connections of a pair break, and no new one is made for as long.
    cut,
    cut_long,
    /// Bytes between a pair come late.
    delay,
    /// A server is stopped and started by hand.
    restart_chat,
    restart_connector,
    /// The date goes back by up to an hour, before a chat server is killed.
    clock_back,
    /// A process stands still until the master kills it.
    stall,
    /// The master is killed; a new one adopts the others after 50 ms to 3 s.
    kill_master,
    /// A chat server comes into the list, leaves it, or leaves it and is forgotten.
    add,
    stop,
    remove,
    /// A server's plugin is replaced.
    reload,
    /// A gate or connector comes into the list, leaves it, or leaves it and is forgotten.
    add_frontend,
    stop_frontend,
    remove_frontend,
    /// The line between a server and the master is cut.
    cut_master,
};
inline constexpr std::size_t faults_count = 22;
std::string_view to_string(fault kind);

struct run_options {
    std::uint64_t seed = 1;
    /// Simulated, after all servers are linked and before the last calm.
    int seconds = 60;
    std::vector<fault> faults;
    /// While the owner of a room is down, who leaves is told of later. False: perhaps never.
    bool leaves_are_told = false;
    /// As over NATS: who lives may own rooms that a list has given to another, until it says that
    /// it has released them.
    bool has_leases = false;
};

struct run_result {
    /// Of all that clients did and saw, and of when the servers did it.
    std::uint64_t hash = 0;
    bench::check_report report;
    /// What the clients believe and the servers have, where it differs, a line each.
    std::vector<std::string> differences;
    /// What was done to the servers, a line each.
    std::vector<std::string> faults;
    /// The history, as bench/README.md has it.
    std::string log;
    double simulated_s = 0;

    bool is_clean() const { return report.is_clean() && differences.empty(); }
};

/// Throws std::exception for what must never happen (a server that does not start or stop).
run_result run(const run_options& options);

} // namespace shaddock::simulation
