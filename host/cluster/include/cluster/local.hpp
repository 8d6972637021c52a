#pragma once

#include "cluster/registry.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cluster {

class local_registry;

/// The list that the registries of one process share.
/// Lifetime: outlives its registries. Thread: the loop.
class local_directory {
public:
    local_directory();
    /// Starts with servers that are expected before they are up.
    explicit local_directory(std::vector<door::server_info> expected);
    local_directory(const local_directory&) = delete;
    local_directory& operator=(const local_directory&) = delete;

    const view_ptr& now() const { return now_; }
    /// As registry::propose, at once.
    proposal propose(std::vector<door::server_info> servers, std::uint64_t epoch);
    /// A fault: the server dies without deregistering. It stays expected; its id is free.
    void kill(std::string_view id);
    /// As if the process were stopped (SIGSTOP): it is told nothing until `thaw`, and then all.
    void freeze(std::string_view id);
    void thaw(std::string_view id);

private:
    friend class local_registry;
    void publish(view next);

    view_ptr now_;
    std::vector<local_registry*> registered_;
    std::set<std::string, std::less<>> frozen_;
};

/// The registry of one process. A server that stops stays expected, down.
std::unique_ptr<registry> make_local_registry(boost::asio::any_io_executor executor,
                                              local_directory& directory);

} // namespace shaddock::cluster
