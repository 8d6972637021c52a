#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shaddock::bench {

/// CPU seconds (user and system) that processes have used so far.
struct cpu_reading {
    double servers_s = 0;
    double self_s = 0;
};

/// Reads the CPU time of other processes from /proc: exact, or in steps of 10 ms per process where
/// the kernel has no schedstat.
class cpu_meter {
public:
    /// `of`: these processes; `trees_of`: these and all their descendants. Looked up at each read.
    cpu_meter(std::vector<int> of, std::vector<int> trees_of)
        : of_(std::move(of)), trees_of_(std::move(trees_of)) {}

    bool has_servers() const { return !of_.empty() || !trees_of_.empty(); }
    /// The processes that are measured now.
    std::vector<int> processes() const;
    /// A process or thread that has ended counts no more; a difference is then too low.
    cpu_reading read() const;

private:
    std::vector<int> of_;
    std::vector<int> trees_of_;
};

/// The machine in a line: processor, cores, kernel.
std::string machine();
/// Compiler and flags of this program; host and plugins of the same build folder have the same.
std::string_view build_flags();

} // namespace shaddock::bench
