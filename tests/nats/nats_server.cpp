#include "nats_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace shaddock::test {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto start_limit = 40s;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

/// What a port of this machine says first, after `question` if that is not empty; empty: nothing.
std::string ask(std::uint16_t port, std::string_view question) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto at = loopback(port);
    std::array<char, 64> answer{};
    ssize_t size = 0;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
        if (!question.empty()) {
            ::send(socket, question.data(), question.size(), MSG_NOSIGNAL);
        }
        pollfd ready{socket, POLLIN, 0};
        if (::poll(&ready, 1, 500) == 1) {
            size = ::recv(socket, answer.data(), answer.size(), 0);
        }
    }
    ::close(socket);
    return {answer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

fs::path program() {
    std::istringstream path(fmt::format("{}:/usr/sbin:/usr/local/bin", std::getenv("PATH")));
    for (std::string folder; std::getline(path, folder, ':');) {
        auto file = fs::path(folder) / "nats-server";
        if (::access(file.c_str(), X_OK) == 0) {
            return file;
        }
    }
    return {};
}

std::string text_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <class Condition>
void wait_until(std::string_view what, const std::vector<const nats_server*>& of, Condition is_so) {
    const auto deadline = std::chrono::steady_clock::now() + start_limit;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > deadline) {
            std::string logs;
            for (const auto* server : of) {
                logs += server->log() + "\n";
            }
            throw std::runtime_error(fmt::format("nats-server: {}:\n{}", what, logs));
        }
        std::this_thread::sleep_for(5ms);
    }
}

} // namespace

reserved_port::reserved_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // nats-server sets the same option, so it may listen there; who asks for any port is not given
    // this one.
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto at = loopback(0);
    socklen_t size = sizeof at;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
        throw std::runtime_error("no free port");
    }
    number_ = ntohs(at.sin_port);
}

reserved_port::~reserved_port() {
    ::close(socket_);
}

nats_server::nats_server(options wanted) : options_(std::move(wanted)) {
    auto pattern = (fs::temp_directory_path() / "nats-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a folder like " + pattern);
    }
    folder_ = pattern;
    launch();
    if (options_.cluster.empty()) {
        wait_until_open();
    }
}

nats_server::~nats_server() {
    end(SIGKILL);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

bool nats_server::is_installed() {
    return !program().empty();
}

std::string nats_server::url() const {
    return fmt::format("nats://127.0.0.1:{}", port());
}

std::string nats_server::log() const {
    return text_of(folder_ / "log");
}

bool nats_server::is_healthy() const {
    return ask(http_port_.number(), "GET /healthz HTTP/1.0\r\n\r\n").find(" 200 ") !=
           std::string::npos;
}

void nats_server::stop() {
    end(SIGTERM);
}
void nats_server::kill() {
    end(SIGKILL);
}
void nats_server::freeze() {
    ::kill(pid_, SIGSTOP);
}
void nats_server::thaw() {
    ::kill(pid_, SIGCONT);
}

void nats_server::start() {
    launch();
    wait_until_open();
}

void nats_server::start_with(std::string config) {
    options_.config = std::move(config);
    start();
}

void nats_server::lose_store() {
    if (is_running()) {
        throw std::runtime_error("nats-server runs: its store cannot be deleted");
    }
    fs::remove_all(folder_ / "store");
}

fs::path nats_server::write_config() const {
    const auto file = folder_ / "nats.conf";
    std::ofstream out(file);
    out << fmt::format("server_name: {}\nlisten: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"\n",
                       options_.name, port(), http_port_.number());
    if (options_.has_jetstream) {
        out << fmt::format("jetstream {{ store_dir: \"{}\", max_mem: 64MB, max_file: 256MB }}\n",
                           (folder_ / "store").string());
    }
    if (!options_.cluster.empty()) {
        out << fmt::format("cluster {{\n  name: {}\n  listen: \"127.0.0.1:{}\"\n  routes: [\n",
                           options_.cluster, options_.route_port);
        for (const auto port : options_.routes) {
            out << fmt::format("    nats-route://127.0.0.1:{}\n", port);
        }
        out << "  ]\n}\n";
    }
    out << options_.config << '\n';
    return file;
}

void nats_server::launch() {
    if (is_running()) {
        throw std::runtime_error("nats-server runs already");
    }
    const auto file = program().string();
    const auto config = write_config().string();
    const auto log_file = (folder_ / "log").string();
    const std::array<const char*, 4> words{file.c_str(), "-c", config.c_str(), nullptr};
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
            ::_exit(1);
        }
        const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        ::close_range(3, ~0U, 0);
        ::execv(words[0], const_cast<char**>(words.data()));
        ::_exit(127);
    }
    if (pid_ < 0) {
        pid_ = 0;
        throw std::runtime_error("cannot start nats-server");
    }
}

void nats_server::wait_until_open() {
    wait_until("it takes no connections", {this}, [this] {
        if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = 0;
        }
        if (!is_running()) {
            throw std::runtime_error("nats-server ended at its start:\n" + log());
        }
        return ask(port(), {}).starts_with("INFO");
    });
}

void nats_server::end(int signal) {
    if (const auto pid = std::exchange(pid_, 0); pid > 0) {
        ::kill(pid, signal);
        ::kill(pid, SIGCONT); // in case it is frozen
        ::waitpid(pid, nullptr, 0);
    }
}

nats_cluster::nats_cluster(std::size_t size) {
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i != size; ++i) {
        routes_.push_back(std::make_unique<reserved_port>());
        ports.push_back(routes_.back()->number());
    }
    for (std::size_t i = 0; i != size; ++i) {
        nats_server_options one;
        one.name = fmt::format("n{}", i + 1);
        one.cluster = "tests";
        one.route_port = ports[i];
        one.routes = ports;
        servers_.push_back(std::make_unique<nats_server>(std::move(one)));
    }
    for (const auto& server : servers_) {
        server->wait_until_open();
    }
    wait_until_healthy();
}

std::vector<std::string> nats_cluster::urls() const {
    std::vector<std::string> all;
    for (const auto& server : servers_) {
        all.push_back(server->url());
    }
    return all;
}

void nats_cluster::wait_until_healthy() const {
    std::vector<const nats_server*> running;
    for (const auto& server : servers_) {
        if (server->is_running()) {
            running.push_back(server.get());
        }
    }
    wait_until("the cluster is not healthy", running, [&] {
        return std::ranges::all_of(running, [](const auto* each) { return each->is_healthy(); });
    });
}

} // namespace shaddock::test
