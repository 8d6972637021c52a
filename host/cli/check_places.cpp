#include "check_places.hpp"

#include "bus/run_folder.hpp"
#include "node/server_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;

/// Why no file can be made in the folder, or in the nearest one above it that is there; empty = it
/// can.
std::string not_writable(fs::path folder) {
    std::error_code failed;
    folder = fs::absolute(folder).lexically_normal();
    while (!fs::exists(folder, failed) && folder.has_relative_path()) {
        folder = folder.parent_path();
    }
    if (!fs::is_directory(folder, failed)) {
        return fmt::format("found {}, which is no folder, expected a folder", folder.string());
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
        return fmt::format("found {}, where this user may not make files ({}), expected a folder "
                           "of its own",
                           folder.string(), std::strerror(errno));
    }
    return {};
}

/// The system's limit for the path of a Unix socket.
constexpr std::size_t longest_socket = sizeof(sockaddr_un::sun_path) - 1;

/// Where the servers of a type listen: the port of all interfaces unless told otherwise.
std::string listening_host(const config::system& system, const config::port_use& use) {
    const auto* server = system.find(use.id);
    if (server == nullptr) {
        return use.host;
    }
    return system.host.type(server->type).connector.distinct_host ? use.host : std::string();
}

/// Tries the port without listening on it, so that a server that starts now is not in its way.
/// Empty = it is free, or nothing can be said.
std::string why_not_free(const std::string& host, std::uint16_t port) {
    boost::system::error_code failed;
    const auto address = host == "localhost" ? boost::asio::ip::make_address("127.0.0.1")
                         : host.empty()      ? boost::asio::ip::make_address("0.0.0.0")
                                             : boost::asio::ip::make_address(host, failed);
    if (failed) {
        return {};
    }
    boost::asio::io_context loop;
    tcp::acceptor socket(loop);
    const tcp::endpoint at(address, port);
    socket.open(at.protocol(), failed);
    if (!failed) {
        socket.set_option(tcp::acceptor::reuse_address(true), failed);
    }
    if (!failed) {
        socket.bind(at, failed);
    }
    return failed ? failed.message() : std::string();
}

} // namespace

std::vector<std::string> problems_of_folders(const config::system& system, const fs::path& run) {
    std::vector<std::string> problems;
    std::error_code failed;
    if (fs::exists(run, failed)) {
        if (const auto good = bus::prepare_run_folder(run); !good) {
            problems.push_back(good.error().text());
        }
    } else if (const auto why = not_writable(run); !why.empty()) {
        problems.push_back(fmt::format("run folder '{}': {}", run.string(), why));
    }
    for (const auto& server : system.servers) {
        const auto path = bus::socket_path(run, server.id).string();
        if (path.size() > longest_socket) {
            problems.push_back(fmt::format("run folder '{}': found {} bytes in the path {}, "
                                           "expected at most {}: name a shorter one with --run",
                                           run.string(), path.size(), path, longest_socket));
            break;
        }
    }
    const auto& log = system.host.log.folder;
    if (const auto why = log.empty() ? std::string() : not_writable(log); !why.empty()) {
        problems.push_back(fmt::format("log.folder '{}': {}", log.string(), why));
    }
    return problems;
}

std::vector<std::string> too_few_descriptors(const config::system& system) {
    // What a process has open by itself, roughly: loop, pipes, sockets that listen, its log.
    constexpr std::size_t own = 32;
    std::vector<std::string> problems;
    rlimit most{};
    // The soft limit is raised up to the hard one by each server.
    if (::getrlimit(RLIMIT_NOFILE, &most) != 0 || most.rlim_max == RLIM_INFINITY) {
        return problems;
    }
    for (const auto& server : system.servers) {
        const auto connections = server.max_connections.value_or(
            system.host.type(server.type).connector.connections_limit);
        const auto needed = connections + node::descriptor_reserve(system) + own;
        if (server.frontend && connections != 0 && needed > most.rlim_max) {
            problems.push_back(fmt::format(
                "found at most {} open files for a process here, expected {} for the {} "
                "connections of {}: raise it (ulimit -n, LimitNOFILE= of systemd) or lower "
                "connections_limit",
                most.rlim_max, needed, connections, server.id));
        }
    }
    return problems;
}

std::vector<config::finding> ports_taken(const config::system& system,
                                         const std::vector<config::port_use>& ports,
                                         const fs::path& run) {
    std::vector<config::finding> taken;
    for (const auto& use : ports) {
        const bool is_page = use.id == "the web server";
        const bool is_master = use.id == system.master.id;
        const std::string lock = is_page ? "web" : is_master ? "master" : use.id;
        if (!use.is_listened || bus::is_running(run, lock)) {
            continue;
        }
        if (const auto why = why_not_free(listening_host(system, use), use.port); !why.empty()) {
            taken.push_back({true, use.where,
                             fmt::format("{}: found port {} for {}: {}, expected a port that it "
                                         "can open",
                                         config::to_string(use.where), use.port, use.id, why)});
        }
    }
    return taken;
}

} // namespace shaddock::cli
