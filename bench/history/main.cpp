// shaddock-history: checks what clients logged (bench/README.md has the form of the log).
#include "check/log_file.hpp"
#include "check/summary.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace bench = shaddock::bench;

namespace {

int program(int argc, char** argv) {
    CLI::App app{"Checks chat histories: every request answered once, every message to exactly the "
                 "members, once, in order.\nExit: 0 clean, 1 violations, 2 unreadable."};
    std::vector<std::string> files;
    std::vector<std::string> allowed;
    std::int64_t grace_ms = 2000;
    std::size_t explain = 20;
    std::string json;
    app.add_option("files", files, "Logs, JSON lines; several are checked as one history")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--leave-grace-ms", grace_ms,
                   "Time for onLeave after a connection closed, ms (default 2000)");
    app.add_option("--explain", explain, "How many violations to explain (default 20)");
    app.add_option("--allow", allowed, "Violations that are counted but do not fail, by name")
        ->delimiter(',');
    app.add_option("--json", json, "Also write the counts to this file");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    bench::check_options options;
    options.leave_grace = grace_ms * 1'000'000;
    options.explain = explain;
    bench::allow(options, allowed);
    bench::history log;
    for (const auto& file : files) {
        std::ifstream in(file);
        bench::read_log(in, file, log);
    }
    const auto report = bench::check(log, options);
    std::cout << bench::summary(report);
    if (!json.empty()) {
        std::ofstream(json) << bench::summary_json(report) << '\n';
    }
    return report.is_clean() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return program(argc, argv);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "shaddock-history: %s\n", problem.what());
        return 2;
    }
}
