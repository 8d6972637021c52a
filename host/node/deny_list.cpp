#include "node/deny_list.hpp"

#include "base/log.hpp"
#include "protocol/http_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace shaddock::node {
namespace {

namespace fs = std::filesystem;

/// The folder's own, then that of the env: the first that is there counts.
std::array<fs::path, 2> deny_files(const fs::path& folder, std::string_view env) {
    constexpr std::string_view name = "deny.txt";
    return {folder / name, folder / env / name};
}

std::string_view without_comment(std::string_view line) {
    // A file written elsewhere may end its lines with \r\n.
    return protocol::trim(line.substr(0, line.find_first_of("#\r")));
}

} // namespace

deny_list read_deny_list(const fs::path& folder, std::string_view env) {
    deny_list out;
    for (const auto& path : deny_files(folder, env)) {
        errno = 0;
        std::ifstream file(path);
        if (!file && errno == ENOENT) {
            continue;
        }
        if (!file) {
            config::finding wrong;
            wrong.where = {path, 0, {}};
            wrong.text = fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno));
            out.problems.push_back(std::move(wrong));
            out.is_unreadable = true;
            break;
        }
        std::size_t number = 0;
        for (std::string line; std::getline(file, line);) {
            ++number;
            const auto text = without_comment(line);
            if (text.empty()) {
                continue;
            }
            if (const auto network = base::parse_network(text)) {
                out.entries.push_back(*network);
                continue;
            }
            config::finding wrong;
            wrong.where = {path, number, {}};
            wrong.text = fmt::format("{}: found '{}', expected an address or a network such as "
                                     "'203.0.113.0/24'",
                                     config::to_string(wrong.where), text);
            out.problems.push_back(std::move(wrong));
        }
        break;
    }
    return out;
}

deny_watch::deny_watch(const boost::asio::any_io_executor& executor, base::clock& clock,
                       fs::path folder, std::string env,
                       base::unique_function<void(base::network_set)> use)
    : folder_(std::move(folder)), env_(std::move(env)), use_(std::move(use)),
      watch_(executor, clock, [this] { read_again(); }) {}

void deny_watch::start() {
    const auto files = deny_files(folder_, env_);
    if (const auto watched = watch_.start({files.begin(), files.end()}); !watched) {
        base::log::warn("config", "{}; a deny list that changes counts after a restart",
                        watched.error().text());
    }
}

void deny_watch::read_again() {
    const auto now = read_deny_list(folder_, env_);
    for (const auto& wrong : now.problems) {
        base::log::error("config", "{}; {}", wrong.text,
                         now.is_unreadable ? "the list before it counts" : "the other lines count");
    }
    if (now.is_unreadable) {
        return;
    }
    base::log::info("config", "deny.txt: {} networks are denied", now.entries.size());
    use_(now.networks());
}

} // namespace shaddock::node
