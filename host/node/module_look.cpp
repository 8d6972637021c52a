#include "node/module_look.hpp"

#include "base/clock.hpp"
#include "config/load.hpp"
#include "module/module.hpp"
#include "scratch_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shaddock::node {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_said = std::size_t{8} * 1024 * 1024;

/// What the child says, line by line: a letter and a text; of a route four texts with tabs between,
/// of a contract three.
constexpr char handler_line = 'h';
constexpr char remote_line = 'r';
constexpr char called_line = 'c';
constexpr char served_line = 's';
constexpr char error_line = 'e';
constexpr char end_line = '.';
constexpr std::string_view serial_word = "serial";

std::string on_one_line(std::string text) {
    const auto breaks_it = [](char c) { return c == '\n' || c == '\t'; };
    std::replace_if(text.begin(), text.end(), breaks_it, ' ');
    return text;
}

std::string line_of(char kind, const std::string& type, const module::route& one) {
    return fmt::format("{}{}\t{}\t{}\t{}\n", kind,
                       on_one_line(fmt::format("{}.{}.{}", type, one.object, one.method)),
                       one.is_serial ? serial_word : "", on_one_line(one.request_shape),
                       on_one_line(one.reply_shape));
}

std::string line_of(char kind, std::string_view route, std::uint64_t hash, std::string_view shape) {
    return fmt::format("{}{}\t{}\t{}\n", kind, on_one_line(std::string(route)), hash,
                       on_one_line(std::string(shape)));
}

/// Cuts the text up to the next tab off.
std::string next_text(std::string_view& line) {
    const auto end = std::min(line.find('\t'), line.size());
    std::string text(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    return text;
}

registered_route route_from(std::string_view line) {
    registered_route read;
    read.route = next_text(line);
    read.is_serial = next_text(line) == serial_word;
    read.request_shape = next_text(line);
    read.reply_shape = next_text(line);
    return read;
}

server::contract_row contract_from(std::string_view line, server::contract_row::role as) {
    server::contract_row read;
    read.as = as;
    read.route = next_text(line);
    read.hash = std::strtoull(next_text(line).c_str(), nullptr, 10);
    read.shape = next_text(line);
    return read;
}

std::string said_of(const result<module::listing>& listed) {
    if (!listed) {
        return fmt::format("{}{}\n{}\n", error_line, on_one_line(listed.error().text()), end_line);
    }
    std::string text;
    for (const auto& one : listed->handlers) {
        text += line_of(handler_line, listed->type, one);
    }
    for (const auto& one : listed->remotes) {
        text += line_of(remote_line, listed->type, one);
        text += line_of(served_line, fmt::format("{}.{}.{}", listed->type, one.object, one.method),
                        one.contract, fmt::format("{} -> {}", one.request_shape, one.reply_shape));
    }
    for (const auto& one : listed->calls) {
        text += line_of(called_line, one.route, one.contract, one.shape);
    }
    return text + fmt::format("{}\n", end_line);
}

void write_all(int to, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(to, text.data(), text.size());
        if (written <= 0 && errno != EINTR) {
            return;
        }
        text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
}

/// The life of the child.
[[noreturn]] void tell_routes(const fs::path& scratch, const fs::path& file, std::string_view type,
                              int to) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    // What a plugin prints while it is opened is nobody's answer.
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    try {
        module::loader loader(scratch, "look");
        write_all(to, said_of(loader.list_routes(file, type)));
    } catch (const std::exception& failed) {
        write_all(to, said_of(error(errc::config, file.string() + ": " + failed.what())));
    }
    _exit(0);
}

/// All until the other end is closed; nothing: it took too long or said too much.
std::optional<std::string> read_within(std::chrono::milliseconds limit, int from) {
    const base::steady_clock clock;
    const auto deadline = clock.now() + limit;
    std::string text;
    std::array<char, 16384> part{};
    while (text.size() < most_said) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.now());
        pollfd wanted{from, POLLIN, 0};
        const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<long>(0, left.count())));
        if (ready == 0) {
            return std::nullopt;
        }
        const auto got = ready > 0 ? ::read(from, part.data(), part.size()) : -1;
        if (got == 0) {
            return text;
        }
        if (got > 0) {
            text.append(part.data(), static_cast<std::size_t>(got));
        } else if (errno != EINTR) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

error not_opened(const fs::path& file, std::string_view found) {
    return error(
        errc::config,
        fmt::format("{}: found {} while it was opened, wanted a module that can be opened: "
                    "see what its static objects do",
                    file.string(), found));
}

result<module_routes> routes_from(std::string_view said, const fs::path& file, int status) {
    module_routes routes;
    while (!said.empty()) {
        const auto end = std::min(said.find('\n'), said.size());
        const auto text = said.substr(1, end - 1);
        switch (said.front()) {
        case handler_line:
            routes.handlers.push_back(route_from(text));
            break;
        case remote_line:
            routes.remotes.push_back(route_from(text));
            break;
        case called_line:
        case served_line:
            routes.contracts.push_back(contract_from(
                text, said.front() == called_line ? server::contract_row::role::called
                                                  : server::contract_row::role::served));
            break;
        case error_line:
            return error(errc::config, std::string(text));
        default:
            return routes;
        }
        said.remove_prefix(std::min(end + 1, said.size()));
    }
    return not_opened(file, WIFSIGNALED(status) ? fmt::format("signal {} ({})", WTERMSIG(status),
                                                              ::strsignal(WTERMSIG(status)))
                                                : "the end of its process");
}

} // namespace

result<fs::path> find_module(const fs::path& exe, std::string_view name) {
    const auto folder = module::default_folder(exe);
    auto file = module::find(folder, name);
    if (file) {
        return file;
    }
    std::vector<std::string> there;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        if (entry.path().extension() == ".so") {
            there.push_back(entry.path().filename().string());
        }
    }
    std::string text = file.error().text();
    if (const auto best = config::nearest(name, there, 1); !best.empty()) {
        text += fmt::format("; nearest: '{}'", best.front());
    }
    return error(errc::config, std::move(text));
}

result<module_routes> look_at_module(const fs::path& file, std::string_view type,
                                     std::chrono::milliseconds limit) {
    const scratch_folder scratch;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return error(errc::internal, fmt::format("no pipe: {}", std::strerror(errno)));
    }
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(ends[0]);
        tell_routes(scratch.path(), file, type, ends[1]);
    }
    ::close(ends[1]);
    std::optional<std::string> said;
    int status = 0;
    if (child > 0) {
        said = read_within(limit, ends[0]);
        ::kill(child, SIGKILL);
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
    }
    ::close(ends[0]);
    if (child < 0) {
        return error(errc::internal, fmt::format("no process: {}", std::strerror(errno)));
    }
    if (!said) {
        return not_opened(file, fmt::format("no end of it within {} ms", limit.count()));
    }
    return routes_from(*said, file, status);
}

} // namespace shaddock::node
