#include "run.hpp"

#include "base/log.hpp"
#include "check/summary.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <sstream>

namespace shaddock::simulation {
namespace {

struct arguments {
    std::uint64_t first = 1;
    std::uint64_t count = 1;
    double cpu_seconds = 0;
    int seconds = 60;
    std::vector<std::string> faults;
    bool are_leaves_told = false;
    bool has_leases = false;
    bool is_twice = false;
    bool does_log = false;
    bool goes_on = false;
    double least_speed = 0;
    std::string log_file;
    std::string list_file;
};

double cpu_now() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<fault> faults_of(const std::vector<std::string>& names) {
    std::vector<fault> found;
    for (std::size_t i = 0; i < faults_count; ++i) {
        const auto kind = static_cast<fault>(i);
        if (std::find(names.begin(), names.end(), to_string(kind)) != names.end()) {
            found.push_back(kind);
        }
    }
    return found;
}

std::string command(const arguments& asked, std::uint64_t seed) {
    return fmt::format("simulate --seed {} --seconds {} --faults {}{}{} --log", seed, asked.seconds,
                       fmt::join(asked.faults, ","), asked.are_leaves_told ? " --told" : "",
                       asked.has_leases ? " --leases" : "");
}

void report(const arguments& asked, std::uint64_t seed, const run_result& found) {
    fmt::print("seed {} FAILED\n{}", seed, bench::summary(found.report));
    for (const auto& each : found.differences) {
        fmt::print("difference: {}\n", each);
    }
    fmt::print("faults:\n");
    for (const auto& each : found.faults) {
        fmt::print("  {}\n", each);
    }
    fmt::print("again: {}\n", command(asked, seed));
    if (!asked.log_file.empty()) {
        std::ofstream(asked.log_file) << found.log;
    }
}

struct totals {
    double simulated_s = 0;
    std::size_t requests = 0;
    std::size_t joins = 0;
    std::size_t deliveries = 0;
    std::size_t faults = 0;
};

bool is_good(const arguments& asked, std::uint64_t seed, totals& all) {
    const run_options options{seed, asked.seconds, faults_of(asked.faults), asked.are_leaves_told,
                              asked.has_leases};
    try {
        const auto found = run(options);
        all.simulated_s += found.simulated_s;
        all.requests += found.report.requests;
        all.joins += found.report.joins;
        all.deliveries += found.report.deliveries;
        all.faults += found.faults.size();
        if (asked.is_twice) {
            const auto again = run(options);
            all.simulated_s += again.simulated_s;
            if (again.hash != found.hash) {
                fmt::print("seed {}: {:016x} and then {:016x}\n", seed, found.hash, again.hash);
                return false;
            }
        }
        if (!found.is_clean()) {
            report(asked, seed, found);
        }
        return found.is_clean();
    } catch (const std::exception& failed) {
        fmt::print("seed {}: {}\nagain: {}\n", seed, failed.what(), command(asked, seed));
        return false;
    }
}

/// Lines `SEED FAULTS`, as they stand in `seeds.txt`; `#` begins a comment.
int go_through_list(const arguments& asked) {
    std::ifstream in(asked.list_file);
    std::string line;
    totals all;
    int failed = in ? 0 : 1;
    while (std::getline(in, line)) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string faults;
        arguments one = asked;
        if (!(words >> one.first >> faults)) {
            continue;
        }
        one.faults = CLI::detail::split(faults, ',');
        failed += is_good(one, one.first, all) ? 0 : 1;
    }
    fmt::print("{:.0f} simulated s, {} failed\n", all.simulated_s, failed);
    return failed > 0 ? 1 : 0;
}

int go(const arguments& asked) {
    base::log::options quiet;
    quiet.threshold = asked.does_log ? base::log::level::info : base::log::level::off;
    base::log::start("simulation", quiet);
    if (!asked.list_file.empty()) {
        return go_through_list(asked);
    }
    const auto began = cpu_now();
    totals all;
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    // What runs for hours meets other seeds each time, and says which.
    const auto limit = asked.cpu_seconds * (std::getenv("SHADDOCK_LONG") != nullptr ? 10 : 1);
    for (auto seed = asked.first;; ++seed, ++runs) {
        if (limit > 0 ? cpu_now() - began > limit : runs >= asked.count) {
            break;
        }
        failed += is_good(asked, seed, all) ? 0 : 1;
        if (failed > 0 && !asked.goes_on) {
            break;
        }
    }
    runs += failed > 0 && !asked.goes_on ? 1 : 0;
    const auto speed = all.simulated_s / (cpu_now() - began);
    fmt::print("{} seeds, {} failed: {} faults, {} requests, {} joins, {} deliveries; {:.0f} "
               "simulated s, {:.0f} for each s of CPU\n",
               runs, failed, all.faults, all.requests, all.joins, all.deliveries, all.simulated_s,
               speed);
    if (speed < asked.least_speed) {
        fmt::print("expected at least {:.0f} for each s of CPU\n", asked.least_speed);
        return 1;
    }
    return failed > 0 ? 1 : 0;
}

} // namespace
} // namespace shaddock::simulation

int main(int count, char** words) {
    shaddock::simulation::arguments asked;
    CLI::App app{"Runs the servers of a chat system on simulated time, network and chance, does "
                 "harm to them by seed, and checks what clients see."};
    app.add_option("--seed", asked.first, "the first seed");
    app.add_option("--seeds", asked.count, "how many");
    app.add_option("--cpu", asked.cpu_seconds, "as many as take so many seconds of CPU");
    app.add_option("--seconds", asked.seconds, "simulated, of each seed");
    app.add_option("--faults", asked.faults, "which harm")->delimiter(',');
    app.add_flag("--leases", asked.has_leases,
                 "who lives owns its rooms until it has said that it gave them away");
    app.add_flag("--told", asked.are_leaves_told, "leaves while an owner is down must be told");
    app.add_flag("--twice", asked.is_twice, "each seed twice; both must be the same");
    app.add_flag("--log", asked.does_log, "the servers' log");
    app.add_flag("--go-on", asked.goes_on, "after a failure");
    app.add_option("--least-speed", asked.least_speed, "simulated seconds for each of CPU");
    app.add_option("--list", asked.list_file, "a file of seeds and their faults");
    app.add_option("--history", asked.log_file, "where the history of a failed seed goes");
    CLI11_PARSE(app, count, words);
    return shaddock::simulation::go(asked);
}
