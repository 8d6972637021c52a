#pragma once

#include "bus/transport.hpp"
#include "world.hpp"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::simulation {

class socket_end;

/// Between processes, as Unix sockets behave: order within a pair, a bounded queue, whoever is
/// killed is closed, whoever is frozen still has a kernel that takes calls and bytes for it.
/// Beside that it delays and cuts. Lifetime: outlives its transports.
class network {
public:
    explicit network(world& in) : world_(in) {}
    network(const network&) = delete;
    network& operator=(const network&) = delete;

    std::unique_ptr<bus::transport> make_transport(std::shared_ptr<process> of);
    /// All that it had is closed, its id is free.
    void killed(const std::string& id);
    /// Breaks the pair's connections, and keeps it so until `mend`. What is under way is lost or
    /// arrives.
    void cut(const std::string& one, const std::string& other);
    void mend(const std::string& one, const std::string& other) { cut_.erase(pair(one, other)); }
    /// From now on bytes between them need up to so much longer.
    void delay(const std::string& one, const std::string& other, duration most) {
        delays_[pair(one, other)] = most;
    }

private:
    friend class socket_end;
    friend class simulated_transport;
    using names = std::pair<std::string, std::string>;

    static names pair(const std::string& one, const std::string& other) {
        return one < other ? names(one, other) : names(other, one);
    }
    duration latency(const std::string& one, const std::string& other);

    world& world_;
    /// Living processes; which of them listen is known to the transport.
    std::map<std::string, class simulated_transport*> living_;
    std::map<names, bool> cut_;
    std::map<names, duration> delays_;
    std::multimap<std::string, std::weak_ptr<socket_end>> ends_;
};

} // namespace shaddock::simulation
