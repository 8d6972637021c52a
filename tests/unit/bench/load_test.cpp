#include "fake_server.hpp"

#include "check/log_file.hpp"

#include <gmock/gmock.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace shaddock::bench {
namespace {

struct outcome {
    int exit_status = -1;
    std::string output;
};

outcome run(const std::string& command) {
    outcome seen;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    std::array<char, 4096> piece{};
    while (const std::size_t size = fread(piece.data(), 1, piece.size(), pipe)) {
        seen.output.append(piece.data(), size);
    }
    const int status = pclose(pipe);
    seen.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return seen;
}

/// Less than a second of everything: two rooms, all and private, changes of room, leaving,
/// returning.
outcome load(const fake_server& server, const std::string& more = "") {
    return run(std::string(SHADDOCK_LOAD) +
               " --gate 127.0.0.1:" + std::to_string(server.gate_port()) +
               " --users 8 --rooms 2 --rate 30 --pipeline 4 --seconds 0.7 --private 0.3"
               " --switch-every 0.3 --churn-every 0.5 --linger-ms 150 --away-ms 20 --settle-ms 200"
               " --leave-grace-ms 600 --drain-ms 1000 --login-timeout 10 " +
               more);
}

struct temp_dir {
    temp_dir() {
        std::string name = std::filesystem::temp_directory_path() / "bench_XXXXXX";
        path = mkdtemp(name.data());
    }
    ~temp_dir() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

TEST(load_generator, passes_a_correct_server) {
    const fake_server server({});
    const auto seen = load(server);
    EXPECT_EQ(seen.exit_status, 0) << seen.output;
    EXPECT_THAT(seen.output, testing::HasSubstr("\nclean\n"));
}

TEST(load_generator, speaks_dictionary_and_protobuf) {
    const fake_server server({.fault = {}, .is_compact = true});
    const auto seen = load(server);
    EXPECT_EQ(seen.exit_status, 0) << seen.output;
}

TEST(load_generator, sends_the_number_it_was_told_as_fast_as_the_pipeline_allows) {
    const fake_server server({});
    const auto seen =
        run(std::string(SHADDOCK_LOAD) + " --gate 127.0.0.1:" + std::to_string(server.gate_port()) +
            " --users 4 --rate 0 --pipeline 8 --count 50 --settle-ms 60");
    EXPECT_EQ(seen.exit_status, 0) << seen.output;
    EXPECT_THAT(seen.output, testing::HasSubstr("200 messages, 800 deliveries (800 owed)"));
}

TEST(load_generator, fails_when_nobody_answers) {
    std::uint16_t port = 0;
    {
        const fake_server gone({});
        port = gone.gate_port();
    }
    const auto seen = run(std::string(SHADDOCK_LOAD) + " --gate 127.0.0.1:" + std::to_string(port) +
                          " --users 1 --settle-ms 0");
    EXPECT_EQ(seen.exit_status, 1);
    EXPECT_THAT(seen.output, testing::HasSubstr("only 0 of 1 users were in"));
}

TEST(load_generator, measures_the_cpu_of_the_server) {
    const fake_server server({});
    const temp_dir dir;
    const auto json = dir.path / "report.json";
    // The server is this process, which is also the generator's parent.
    const auto seen =
        load(server, "--cpu-of " + std::to_string(getpid()) + " --json " + json.string());
    EXPECT_EQ(seen.exit_status, 0) << seen.output;
    EXPECT_THAT(seen.output, testing::HasSubstr("1 processes"));
    std::ifstream file(json);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_THAT(text, testing::HasSubstr("\"processes\":[" + std::to_string(getpid()) + "]"));
    EXPECT_THAT(text, testing::HasSubstr(R"("check":{"clean":true)"));
}

TEST(load_generator, writes_histories_that_the_history_checker_passes) {
    const fake_server server({});
    const temp_dir dir;
    const auto log = dir.path / "log.jsonl";
    EXPECT_EQ(load(server, "--history " + log.string()).exit_status, 0);
    const auto seen = run(std::string(SHADDOCK_HISTORY) + " --leave-grace-ms 600 " + log.string());
    EXPECT_EQ(seen.exit_status, 0) << seen.output;
    EXPECT_THAT(seen.output, testing::HasSubstr("\nclean\n"));
}

TEST(history_checker, refuses_what_it_cannot_read) {
    const temp_dir dir;
    std::ofstream(dir.path / "log.jsonl") << "nonsense\n";
    const auto seen = run(std::string(SHADDOCK_HISTORY) + " " + (dir.path / "log.jsonl").string());
    EXPECT_EQ(seen.exit_status, 2);
    EXPECT_THAT(seen.output, testing::HasSubstr("log.jsonl:1: "));
}

/// A server that breaks one promise is caught by that promise's name, while it runs and from the
/// log alone.
struct broken_servers : testing::TestWithParam<std::size_t> {};

TEST_P(broken_servers, are_caught) {
    const auto fault = static_cast<violation_kind>(GetParam());
    const fake_server server({.fault = fault});
    const temp_dir dir;
    const auto log = dir.path / "log.jsonl";
    const std::string named = "violation " + std::string(to_string(fault)) + ": ";
    const auto online = load(server, "--explain 100000 --history " + log.string());
    EXPECT_EQ(online.exit_status, 1) << online.output.substr(0, 4000);
    EXPECT_THAT(online.output, testing::HasSubstr(named));
    const auto offline = run(std::string(SHADDOCK_HISTORY) +
                             " --leave-grace-ms 600 --explain 100000 " + log.string());
    EXPECT_EQ(offline.exit_status, 1);
    EXPECT_THAT(offline.output, testing::HasSubstr(named));
}

INSTANTIATE_TEST_SUITE_P(each, broken_servers, testing::Range(std::size_t{0}, violation_kinds),
                         [](const auto& one) {
                             return std::string(to_string(static_cast<violation_kind>(one.param)));
                         });

} // namespace
} // namespace shaddock::bench
