#pragma once

#include "host_process.hpp"

#include "../../unit/master/temp_folder.hpp"
#include "control/codec.hpp"
#include "master/admin.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace shaddock::test {

/// A free TCP port of 127.0.0.1, for a moment.
std::uint16_t free_port();

/// A system of a gate, a connector and two chats (or more) on free ports, in a folder of its own:
/// config, web, logs, run. Whatever still runs in it is killed when it goes out of scope.
class test_system {
public:
    explicit test_system(const std::string& stop_timeout = "10 s", int chats = 2);
    test_system(const test_system&) = delete;
    test_system& operator=(const test_system&) = delete;
    ~test_system();

    std::string path(const std::string& name = {}) const {
        return (folder_.path() / name).string();
    }
    /// Adds text to the end of a file, or makes it.
    void add(const std::string& name, const std::string& text) const;
    /// Replaces a file, or makes it.
    void write(const std::string& name, const std::string& text) const {
        folder_.write(name, text);
    }
    /// `host` with these arguments, in the system's folder: it finds ./config and ./run.
    host_process host(const std::vector<std::string>& arguments) const {
        return {path(), arguments, program_};
    }
    outcome run(const std::vector<std::string>& arguments) const { return host(arguments).end(); }
    /// From now on `host` is one of the system's own, bin/host, with the modules in plugins/: the
    /// files there may be replaced.
    void take_plugins();
    /// Replaces one of them as the build does: a temporary name, then its own.
    void install(const std::string& module) const;

    /// What `host list --json --all` says; empty when there is no master.
    control::server_rows list() const;
    control::server_row line(const std::string& id) const;
    /// Asks again until `wanted` holds; false after 60 s.
    bool comes_true(const std::function<bool()>& wanted) const;
    /// Processes that hold a lock in the run folder: servers, the page, the master.
    std::vector<pid_t> running() const;

    std::uint16_t gate_port = free_port();
    std::uint16_t connector_port = free_port();
    std::uint16_t web_port = free_port();
    std::uint16_t master_port = free_port();

private:
    temp_folder folder_;
    int chats_;
    std::string program_ = SHADDOCK_HOST;
};

inline const std::vector<std::string> server_ids = {"chat-server-1", "chat-server-2",
                                                    "connector-server-1", "gate-server-1"};

} // namespace shaddock::test
