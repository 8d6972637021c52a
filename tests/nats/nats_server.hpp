#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

/// Real NATS servers for tests: on loopback, each with a port of the kernel's choice and a
/// temporary store. They end with the test, also when it crashes. What cannot be is thrown as
/// std::runtime_error with the server's own log.
namespace shaddock::test {

/// A TCP port of 127.0.0.1 that nobody else is given while this lives. It is bound, not listened
/// on: connecting to it is refused until the server listens there.
class reserved_port {
public:
    reserved_port();
    reserved_port(const reserved_port&) = delete;
    reserved_port& operator=(const reserved_port&) = delete;
    ~reserved_port();
    std::uint16_t number() const { return number_; }

private:
    int socket_ = -1;
    std::uint16_t number_ = 0;
};

struct nats_server_options {
    std::string name = "n1";
    bool has_jetstream = true;
    /// More lines in the form of nats-server's configuration file: `tls { .. }`,
    /// `authorization { .. }`, `accounts { .. }`, `max_payload: 4096`.
    std::string config{};
    /// Of a server in a cluster: its name, and the route ports of all its servers.
    std::string cluster{};
    std::uint16_t route_port = 0;
    std::vector<std::uint16_t> routes{};
};

/// One nats-server process. Its port stays the same through all its lives.
class nats_server {
public:
    using options = nats_server_options;
    /// Starts it and waits until it takes connections.
    explicit nats_server(options wanted = {});
    nats_server(const nats_server&) = delete;
    nats_server& operator=(const nats_server&) = delete;
    ~nats_server();

    /// Whether nats-server is installed. Without it a test is skipped.
    static bool is_installed();

    std::uint16_t port() const { return port_.number(); }
    /// `nats://127.0.0.1:PORT`
    std::string url() const;
    bool is_running() const { return pid_ > 0; }
    pid_t pid() const { return pid_; }
    /// What this life has written.
    std::string log() const;
    /// As its own health check says: JetStream answers, and what it keeps is up to date.
    bool is_healthy() const;
    /// Of files that `config` names.
    const std::filesystem::path& folder() const { return folder_; }

    /// SIGTERM, and SIGKILL; both wait for its end.
    void stop();
    void kill();
    /// SIGSTOP and SIGCONT.
    void freeze();
    void thaw();
    /// Starts it again, on its port, with its store.
    void start();
    /// Starts it again, with other lines of configuration.
    void start_with(std::string config);
    /// Deletes the store of a server that does not run.
    void lose_store();

private:
    friend class nats_cluster;
    void launch();
    void wait_until_open();
    void end(int signal);
    std::filesystem::path write_config() const;

    options options_;
    reserved_port port_;
    reserved_port http_port_;
    std::filesystem::path folder_;
    pid_t pid_ = 0;
};

/// Servers that hold one JetStream together: n1, n2, ..
class nats_cluster {
public:
    explicit nats_cluster(std::size_t size = 3);
    std::size_t size() const { return servers_.size(); }
    nats_server& at(std::size_t index) { return *servers_.at(index); }
    /// Of all, for a client to choose from.
    std::vector<std::string> urls() const;
    /// Until each server that runs is healthy.
    void wait_until_healthy() const;

private:
    std::vector<std::unique_ptr<reserved_port>> routes_;
    std::vector<std::unique_ptr<nats_server>> servers_;
};

} // namespace shaddock::test
