// shaddock-load: the checking load generator (bench/README.md).
#include "report.hpp"

#include "check/log_file.hpp"
#include "check/summary.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace bench = shaddock::bench;

namespace {

/// What CLI11 reads into types of its own, before it becomes load_options.
struct raw_options {
    std::string gate = "127.0.0.1:3014";
    std::int64_t grace_ms = 2000;
    std::vector<std::string> allowed;
};

void add_options(CLI::App& app, bench::load_options& wanted, raw_options& raw) {
    app.add_option("--gate", raw.gate, "HOST:PORT of the gate")->capture_default_str();
    app.add_option("--tag", wanted.tag, "Part of all names; default: made from the process id");
    app.add_option("--users", wanted.users, "Users")->capture_default_str();
    app.add_option("--rooms", wanted.rooms, "Rooms; users are dealt out in turn")
        ->capture_default_str();
    app.add_option("--senders", wanted.senders, "Users who talk, 0: all")->capture_default_str();
    app.add_option("--rate", wanted.rate,
                   "Messages per second and sender; 0: as fast as the pipeline allows")
        ->capture_default_str();
    app.add_option("--pipeline", wanted.pipeline, "Unanswered sends per user at most")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--seconds", wanted.seconds, "How long they talk")->capture_default_str();
    app.add_option("--count", wanted.count, "Messages per sender, instead of --seconds");
    app.add_option("--size", wanted.size, "Bytes of a message's content")->capture_default_str();
    app.add_option("--private", wanted.private_share, "Share of private messages, 0 to 1")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_flag("--to-self", wanted.is_to_self, "Private messages go to the sender");
    app.add_option("--switch-every", wanted.switch_every_s,
                   "Mean seconds between a user's changes of room, 0: never");
    app.add_option("--churn-every", wanted.churn_every_s,
                   "Mean seconds between a user's departures (and returns), 0: never");
    app.add_option("--linger-ms", wanted.linger_ms, "From the wish to leave to closing")
        ->capture_default_str();
    app.add_option("--away-ms", wanted.away_ms, "From closing to coming back")
        ->capture_default_str();
    app.add_flag("--reconnect", wanted.is_reconnecting, "Users who lose the connection come back");
    app.add_option("--login-concurrency", wanted.login_concurrency, "Logins at a time")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--login-timeout", wanted.login_timeout_s, "Seconds for all logins")
        ->capture_default_str();
    app.add_option("--settle-ms", wanted.settle_ms, "Quiet that ends the run")
        ->capture_default_str();
    app.add_option("--drain-ms", wanted.drain_ms, "Longest wait for that quiet")
        ->capture_default_str();
    app.add_option("--cpu-of", wanted.cpu_of, "Server processes whose CPU is measured")
        ->delimiter(',');
    app.add_option("--cpu-children-of", wanted.cpu_children_of,
                   "Processes measured with all their descendants")
        ->delimiter(',');
    app.add_option("--json", wanted.json_file, "Write the report as JSON");
    app.add_option("--history", wanted.history_file, "Write all events (JSON lines)");
    app.add_option("--leave-grace-ms", raw.grace_ms, "Time for onLeave after a close")
        ->capture_default_str();
    app.add_option("--explain", wanted.check.explain, "Violations to explain")
        ->capture_default_str();
    app.add_option("--allow", raw.allowed, "Violations that are counted but do not fail, by name")
        ->delimiter(',');
}

void finish_options(bench::load_options& wanted, const raw_options& raw) {
    const auto colon = raw.gate.rfind(':');
    if (colon == std::string::npos) {
        throw std::invalid_argument("--gate " + raw.gate + ": expected HOST:PORT");
    }
    wanted.gate_host = raw.gate.substr(0, colon);
    const int port = std::stoi(raw.gate.substr(colon + 1));
    if (port < 1 || port > 0xffff) {
        throw std::invalid_argument("--gate " + raw.gate + ": expected a port of 1 to 65535");
    }
    wanted.gate_port = static_cast<std::uint16_t>(port);
    if (wanted.users == 0 || wanted.rooms == 0) {
        throw std::invalid_argument("--users and --rooms must be at least 1");
    }
    if (wanted.tag.empty()) {
        wanted.tag = "p" + std::to_string(getpid());
    }
    wanted.check.leave_grace = raw.grace_ms * 1'000'000;
    bench::allow(wanted.check, raw.allowed);
}

int run(const bench::load_options& wanted) {
    bench::load_run load(wanted);
    const auto measured = load.run();
    const auto& all = load.everything();
    if (!wanted.history_file.empty()) {
        std::ofstream out(wanted.history_file);
        bench::write_log(all.log, out);
    }
    const auto found = bench::check(all.log, wanted.check);
    std::cout << bench::text_report(wanted, all, measured, found);
    if (!wanted.json_file.empty()) {
        std::ofstream(wanted.json_file) << bench::json_report(wanted, all, measured, found) << '\n';
    }
    return found.is_clean() && measured.problem.empty() ? 0 : 1;
}

int program(int argc, char** argv) {
    CLI::App app{"Simulates chat users and checks everything they see.\n"
                 "Exit: 0 clean, 1 violations or not all users got in, 2 wrong usage."};
    bench::load_options wanted;
    raw_options raw;
    add_options(app, wanted, raw);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    finish_options(wanted, raw);
    return run(wanted);
}

} // namespace

int main(int argc, char** argv) {
    try {
        return program(argc, argv);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "shaddock-load: %s\n", problem.what());
        return 2;
    }
}
