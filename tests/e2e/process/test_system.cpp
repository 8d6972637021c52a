#include "test_system.hpp"

#include "bus/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace shaddock::test {

std::uint16_t free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    if (bind(fd, plain, size) != 0 || getsockname(fd, plain, &size) != 0) {
        throw std::runtime_error("no free port");
    }
    close(fd);
    return ntohs(address.sin_port);
}

test_system::test_system(const std::string& stop_timeout, int chats) : chats_(chats) {
    std::string records;
    for (int i = 0; i < chats; ++i) {
        records += fmt::format(R"({}{{"id": "chat-server-{}", "host": "127.0.0.1", "port": {}}})",
                               i == 0 ? "" : ",\n           ", i + 1, 6050 + i);
    }
    folder_.write("config/servers.json", fmt::format(R"({{
  "gate": [{{"id": "gate-server-1", "host": "127.0.0.1", "clientPort": {}, "frontend": true}}],
  "connector": [{{"id": "connector-server-1", "host": "127.0.0.1", "port": 4050, "clientPort": {}, "frontend": true}}],
  "chat": [{}]
}})",
                                                     gate_port, connector_port, records));
    folder_.write("config/master.json",
                  fmt::format(R"({{"id": "master-server-1", "host": "127.0.0.1", "port": {}}})",
                              master_port));
    folder_.write("config/host.yaml", fmt::format("connector: {{distinctHost: true}}\n"
                                                  "limits: {{stop_timeout: {}}}\n"
                                                  "web: {{port: {}}}\n",
                                                  stop_timeout, web_port));
    folder_.write("web/index.html", "<h1>the page</h1>");
}

test_system::~test_system() {
    // The master first: it would start the others again.
    if (const auto master = bus::running_pid(path("run"), "master")) {
        kill(*master, SIGKILL);
    }
    for (const auto pid : running()) {
        kill(pid, SIGKILL);
    }
    comes_true([this] { return running().empty(); });
}

void test_system::add(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
}

void test_system::take_plugins() {
    std::filesystem::create_directory(path("bin"));
    std::filesystem::create_directory(path("plugins"));
    program_ = path("bin/host");
    // The program is large: a second name, unless the folders are of two file systems.
    std::error_code failed;
    std::filesystem::create_hard_link(SHADDOCK_HOST, program_, failed);
    if (failed) {
        std::filesystem::copy_file(SHADDOCK_HOST, program_);
    }
    for (const auto* module : {"gate.so", "connector.so", "chat.so"}) {
        install(module);
    }
}

void test_system::install(const std::string& module) const {
    const auto built = std::filesystem::path(SHADDOCK_HOST).parent_path() / "../plugins" / module;
    std::filesystem::copy_file(built, path("plugins/" + module + ".new"));
    std::filesystem::rename(path("plugins/" + module + ".new"), path("plugins/" + module));
}

control::server_rows test_system::list() const {
    const auto said = run({"list", "--json", "--all"});
    const auto lines = control::from_json<control::server_rows>(said.text);
    return lines ? *lines : control::server_rows();
}

control::server_row test_system::line(const std::string& id) const {
    for (const auto& one : list()) {
        if (one.id == id) {
            return one;
        }
    }
    control::server_row none;
    none.state.clear();
    return none;
}

bool test_system::comes_true(const std::function<bool()>& wanted) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!wanted()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        // Processes of others have no event that a test could wait for.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

std::vector<pid_t> test_system::running() const {
    std::vector<pid_t> pids;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(path("run"), none)) {
        if (entry.path().extension() != ".lock") {
            continue;
        }
        if (const auto pid = bus::running_pid(path("run"), entry.path().stem().string())) {
            pids.push_back(*pid);
        }
    }
    return pids;
}

} // namespace shaddock::test
