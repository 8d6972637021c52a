// shaddock-history: checks what clients logged (bench/README.md has the form of the log).
#include "check/log_file.hpp"
#include "check/summary.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

namespace bench = shaddock::bench;

namespace {

/// `ROOM,@FRONTEND,...`; may be empty.
bench::hurt_ones hurt_of(const std::string& text) {
    bench::hurt_ones found;
    std::istringstream in(text);
    for (std::string each; std::getline(in, each, ',');) {
        if (each.starts_with('@')) {
            found.frontends.push_back(each.substr(1));
        } else {
            found.rooms.push_back(each);
        }
    }
    return found;
}

/// `FROM-TO`, in the log's nanoseconds, then perhaps `:told`, then perhaps `:only=` and who may
/// miss messages.
bench::trouble trouble_of(const std::string& text) {
    bench::trouble made;
    long long from = 0;
    long long to = 0;
    int used = 0;
    const bool has_times = std::sscanf(text.c_str(), "%lld-%lld%n", &from, &to, &used) == 2;
    std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
    made.from = from;
    made.to = to;
    constexpr std::string_view told = ":told";
    constexpr std::string_view only = ":only=";
    if (rest.starts_with(told)) {
        made.is_told = true;
        rest.remove_prefix(told.size());
    }
    if (rest.starts_with(only)) {
        made.only = hurt_of(std::string(rest.substr(only.size())));
        rest = {};
    }
    if (!has_times || to < from || !rest.empty()) {
        throw CLI::ValidationError(
            "--trouble",
            "found " + text + "; expected FROM-TO[:told][:only=[ROOM,@FRONTEND,..]], nanoseconds");
    }
    return made;
}

int program(int argc, char** argv) {
    CLI::App app{"Checks chat histories: every request answered once, every message to exactly the "
                 "members, once, in order.\nExit: 0 clean, 1 violations, 2 unreadable."};
    std::vector<std::string> files;
    std::vector<std::string> allowed;
    std::int64_t grace_ms = 2000;
    std::size_t explain = 20;
    std::string json;
    std::vector<std::string> troubles;
    app.add_option("files", files, "Logs, JSON lines; several are checked as one history")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--leave-grace-ms", grace_ms,
                   "Time for onLeave after a connection closed, ms (default 2000)");
    app.add_option("--explain", explain, "How many violations to explain (default 20)");
    app.add_option("--allow", allowed, "Violations that are counted but do not fail, by name")
        ->delimiter(',');
    app.add_option("--trouble", troubles,
                   "FROM-TO: a fault was at work then, in nanoseconds of the log's clock; with "
                   ":told behind it members are told all the same who came and went, with "
                   ":only=ROOM,@FRONTEND,.. only members of these rooms and clients of these "
                   "frontends may miss messages");
    app.add_option("--json", json, "Also write the counts to this file");
    bench::check_options options;
    try {
        app.parse(argc, argv);
        for (const auto& text : troubles) {
            options.troubles.push_back(trouble_of(text));
        }
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
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
