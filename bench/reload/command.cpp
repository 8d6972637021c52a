#include "command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

extern char** environ;

namespace shaddock::reload {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

nanoseconds now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

struct pipe_ends {
    int read = -1;
    int write = -1;
};

pipe_ends make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe");
    }
    return {ends[0], ends[1]};
}

pid_t spawn(const std::vector<std::string>& words, const pipe_ends& out, const pipe_ends& err) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, out.write, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err.write, STDERR_FILENO);
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, arguments[0], &files, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    close(out.write);
    close(err.write);
    if (failed != 0) {
        close(out.read);
        close(err.read);
        throw std::system_error(failed, std::generic_category(), words.front());
    }
    return pid;
}

std::size_t entries(const fs::path& folder) {
    std::error_code failed;
    const fs::directory_iterator all(folder, failed);
    return failed ? 0 : static_cast<std::size_t>(std::distance(all, fs::directory_iterator()));
}

} // namespace

ended run_command(const std::vector<std::string>& words) {
    const auto out = make_pipe();
    const auto err = make_pipe();
    const auto pid = spawn(words, out, err);
    asio::io_context io;
    asio::posix::stream_descriptor out_stream(io, out.read);
    asio::posix::stream_descriptor err_stream(io, err.read);
    ended said;
    const auto ignore = [](boost::system::error_code, std::size_t) {};
    asio::async_read(out_stream, asio::dynamic_buffer(said.out), ignore);
    asio::async_read(err_stream, asio::dynamic_buffer(said.err), ignore);
    io.run();
    int status = 0;
    waitpid(pid, &status, 0);
    said.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return said;
}

reload system_under_test::exchange(const std::string& type, std::size_t build) const {
    const auto& place = into.at(type);
    const auto& made = builds.at(type);
    fs::path beside = place;
    beside += ".new";
    fs::copy_file(made[build % made.size()], beside, fs::copy_options::overwrite_existing);
    fs::rename(beside, place);

    reload done;
    done.target = type;
    done.began = now();
    const auto said = run_command({host.string(), "reload", type, "--json", "--run", run.string()});
    done.ended = now();
    done.status = said.status;
    if (auto swaps = parse_swaps(said.out)) {
        done.swaps = std::move(*swaps);
    }
    if (done.status != 0 || done.swaps.empty()) {
        done.said = said.out + said.err;
    }
    return done;
}

std::vector<listed_server> system_under_test::list() const {
    const auto said = run_command({host.string(), "list", "--json", "--run", run.string()});
    auto listed = parse_list(said.out);
    if (said.status > 1 || !listed) { // 1: one does not serve just now
        throw std::runtime_error(
            fmt::format("host list: exit {}: {}{}", said.status, said.out, said.err));
    }
    return *listed;
}

std::vector<listed_server> system_under_test::list_at_rest(std::chrono::seconds patience) const {
    const auto limit = std::chrono::steady_clock::now() + patience;
    for (;;) {
        auto listed = list();
        const bool is_at_rest =
            std::ranges::all_of(listed, [](const auto& one) { return one.ending == 0; });
        if (is_at_rest || std::chrono::steady_clock::now() > limit) {
            return listed;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
}

holding holding_of(pid_t pid) {
    const fs::path folder = "/proc/" + std::to_string(pid);
    holding held;
    std::ifstream status(folder / "status");
    for (std::string word; status >> word;) {
        if (word == "VmRSS:") {
            status >> held.rss_kib;
        }
    }
    std::ifstream maps(folder / "maps");
    for (std::string line; std::getline(maps, line);) {
        ++held.maps;
    }
    held.threads = entries(folder / "task");
    held.descriptors = entries(folder / "fd");
    return held;
}

} // namespace shaddock::reload
