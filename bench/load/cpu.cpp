#include "cpu.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#ifndef SHADDOCK_BUILD_FLAGS
#define SHADDOCK_BUILD_FLAGS "unknown"
#endif

namespace shaddock::bench {
namespace {

struct process {
    int parent = 0;
    double cpu_s = 0;
};

/// /proc/PID/stat; the name in parentheses may hold anything, so count from its end.
std::optional<process> read_process(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line) || line.rfind(')') == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream fields(line.substr(line.rfind(')') + 1));
    std::string skipped;
    process read;
    double user = 0;
    double system = 0;
    fields >> skipped >> read.parent;
    for (int i = 5; i <= 13; ++i) {
        fields >> skipped;
    }
    fields >> user >> system;
    read.cpu_s = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    return fields ? std::optional(read) : std::nullopt;
}

/// The exact time of all threads, in ns; 0 where the kernel does not tell (then stat's ticks
/// count).
double exact_cpu_s(int pid) {
    double sum_ns = 0;
    std::error_code failed;
    const std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task",
                                                      failed);
    for (const auto& thread : threads) {
        double ns = 0;
        std::ifstream(thread.path() / "schedstat") >> ns;
        sum_ns += ns;
    }
    return sum_ns / 1e9;
}

void add_descendants(std::set<int>& wanted) {
    std::vector<std::pair<int, int>> parents;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
            const int pid = std::stoi(name);
            if (const auto read = read_process(pid)) {
                parents.emplace_back(pid, read->parent);
            }
        }
    }
    for (bool is_growing = true; is_growing;) {
        is_growing = false;
        for (const auto& [pid, parent] : parents) {
            is_growing |= wanted.contains(parent) && wanted.insert(pid).second;
        }
    }
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

} // namespace

std::vector<int> cpu_meter::processes() const {
    std::set<int> wanted(trees_of_.begin(), trees_of_.end());
    if (!wanted.empty()) {
        add_descendants(wanted);
    }
    wanted.insert(of_.begin(), of_.end());
    // A server that starts its own load generator does not pay for it.
    wanted.erase(getpid());
    return {wanted.begin(), wanted.end()};
}

cpu_reading cpu_meter::read() const {
    cpu_reading now;
    for (const int pid : processes()) {
        const double exact = exact_cpu_s(pid);
        const auto coarse = exact > 0 ? std::nullopt : read_process(pid);
        now.servers_s += coarse ? coarse->cpu_s : exact;
    }
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    now.self_s = seconds(own.ru_utime) + seconds(own.ru_stime);
    return now;
}

std::string machine() {
    std::string model = "unknown processor";
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name") && line.find(": ") != std::string::npos) {
            model = line.substr(line.find(": ") + 2);
            break;
        }
    }
    utsname kernel{};
    uname(&kernel);
    return fmt::format("{}, {} cores, {} {}", model, std::thread::hardware_concurrency(),
                       kernel.sysname, kernel.release);
}

std::string_view build_flags() {
    return SHADDOCK_BUILD_FLAGS;
}

} // namespace shaddock::bench
