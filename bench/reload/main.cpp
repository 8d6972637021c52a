// shaddock-reload: the proof of reload (bench/README.md).
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace reload = shaddock::reload;

namespace {

/// What CLI11 reads, before it becomes run_options.
struct raw_options {
    std::string host = "build/release/bin/host";
    std::string run = "run";
    std::string chat_into;
    std::string connector_into;
    std::vector<std::string> chat_builds;
    std::vector<std::string> connector_builds;
    std::vector<std::string> allowed;
    std::uint64_t memory_slack_kib = 0;
};

void add_system_options(CLI::App& app, reload::run_options& wanted, raw_options& raw) {
    app.add_option("--host", raw.host, "The executable whose `reload` and `list` are called")
        ->capture_default_str();
    app.add_option("--run", raw.run, "The system's run folder")->capture_default_str();
    app.add_option("--connectors", wanted.connectors, "HOST:PORT,.. of the connectors")
        ->delimiter(',')
        ->required();
    app.add_option("--chat", raw.chat_builds, "Builds of hot_chat that take turns, at least 2")
        ->delimiter(',')
        ->required();
    app.add_option("--connector", raw.connector_builds, "Builds of hot_connector that take turns")
        ->delimiter(',')
        ->required();
    app.add_option("--chat-into", raw.chat_into, "The file that the system's chat servers load")
        ->required();
    app.add_option("--connector-into", raw.connector_into, "The file that its connectors load")
        ->required();
}

void add_options(CLI::App& app, reload::run_options& wanted, raw_options& raw) {
    app.add_option("--reloads", wanted.reloads, "Reloads in all, chat and connector in turn")
        ->capture_default_str();
    app.add_option("--windows", wanted.windows, "Pairs of windows without and with reloads")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--seconds", wanted.seconds, "Length of a window without reloads")
        ->capture_default_str();
    app.add_option("--every-ms", wanted.every_ms, "From one reload's start to the next's, at least")
        ->capture_default_str();
    app.add_option("--warm-up", wanted.warm_up, "Reloads before anything is measured")
        ->capture_default_str();
    app.add_option("--sessions", wanted.sessions, "Sessions")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--rooms", wanted.rooms, "Rooms; sessions are dealt out in turn")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--rate", wanted.rate, "Requests per second in all")->capture_default_str();
    app.add_option("--rate-floor", wanted.rate_floor, "Answers per second a window must reach")
        ->capture_default_str();
    app.add_option("--pipeline", wanted.pipeline, "Unanswered requests of a session at most")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    auto* drained =
        app.add_flag("--drained", wanted.is_drained,
                     "The chat servers drain before a swap: state must cross without a gap");
    app.add_option("--rows", wanted.rows_in,
                   "The folder in which the chat servers write rows: none may be lost or stale")
        ->needs(drained);
    app.add_option("--memory-slack-kib", raw.memory_slack_kib,
                   "Taken off a server's growth: noise that few reloads do not drown")
        ->capture_default_str();
    app.add_option("--allow", raw.allowed,
                   "Bounds that are shown but do not fail: rate, latency, memory, maps, ..")
        ->delimiter(',');
}

int run(reload::run_options& wanted, const raw_options& raw) {
    wanted.system.host = raw.host;
    wanted.system.run = raw.run;
    wanted.system.into = {{"chat", raw.chat_into}, {"connector", raw.connector_into}};
    wanted.system.builds["chat"].assign(raw.chat_builds.begin(), raw.chat_builds.end());
    wanted.system.builds["connector"].assign(raw.connector_builds.begin(),
                                             raw.connector_builds.end());

    reload::proof_run proof(wanted);
    const auto measured = proof.run();
    const auto found = reload::check(proof.seen());
    const auto bounds = reload::bounds_of(wanted, proof.seen(), measured, raw.memory_slack_kib);
    std::cout << reload::text_report(wanted, proof.seen(), measured, found, bounds);
    for (const auto& refusal : proof.refusals()) {
        std::cout << "refused: " << refusal << '\n';
    }
    const bool are_kept = std::ranges::all_of(bounds, [&](const reload::bound& one) {
        return one.is_kept || std::ranges::find(raw.allowed, one.name) != raw.allowed.end();
    });
    const bool is_clean = found.is_clean() && are_kept && measured.problem.empty();
    std::cout << (is_clean ? "clean\n" : "NOT clean\n");
    return is_clean ? 0 : 1;
}

int program(int argc, char** argv) {
    CLI::App app{"Exchanges the modules of a running system under load and checks that nobody "
                 "notices.\nExit: 0 clean, 1 violations, 2 wrong usage."};
    reload::run_options wanted;
    raw_options raw;
    add_system_options(app, wanted, raw);
    add_options(app, wanted, raw);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    return run(wanted, raw);
}

} // namespace

int main(int argc, char** argv) {
    try {
        return program(argc, argv);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "shaddock-reload: %s\n", problem.what());
        return 2;
    }
}
