#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/process.hpp"
#include "module_files.hpp"

#include <memory>
#include <string>
#include <vector>

namespace shaddock::node {

/// Tries module files in a process of its own, `host check --module`, so that what crashes, spins
/// or exits does it there.
/// Thread: the loop, never blocked. Lifetime: `clock` and `processes` outlive it; destroyed, it
/// kills what still runs.
class child_check {
public:
    struct options {
        /// The program and its arguments, without the modules.
        std::vector<std::string> command;
        /// For people: how they run the same.
        std::string type;
        /// A folder for the child's output and copies; made and removed by each check.
        std::filesystem::path scratch;
        /// After it the process is killed.
        base::duration timeout = std::chrono::seconds(2);
    };
    child_check(base::clock& clock, base::process_starter& processes, options wanted)
        : clock_(clock), processes_(processes), options_(std::move(wanted)) {}
    ~child_check() { cancel(); }
    child_check(const child_check&) = delete;
    child_check& operator=(const child_check&) = delete;

    /// One at a time; `done` once, never inline, unless cancel() comes before. Errors: config, one
    /// line: what the child has said, or how it has ended.
    void run(const std::vector<module_file>& files, base::unique_function<void(result<void>)> done);
    /// Kills the process; `done` is not called.
    void cancel();

private:
    void started(result<std::unique_ptr<base::process>> one);
    void ended(const base::exit_report& how);
    std::string reason_of(const base::exit_report& how) const;
    std::string remedy() const;

    base::clock& clock_;
    base::process_starter& processes_;
    options options_;
    /// The files, for people and for a command line.
    std::string files_;
    std::string arguments_;
    base::unique_function<void(result<void>)> done_;
    std::unique_ptr<base::process> process_;
    base::timer limit_;
    /// False once the run that it was made for is cancelled.
    std::shared_ptr<bool> is_wanted_ = std::make_shared<bool>(true);
    bool is_late_ = false;
};

} // namespace shaddock::node
