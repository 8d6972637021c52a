#pragma once

#include "cluster/registry.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
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
    /// Replaces the expected list (add, stop, give-up); those who are up stay up, also when not in
    /// it.
    void set_expected(std::vector<door::server_info> expected);
    /// A fault: the server dies without deregistering. It stays expected; its id is free.
    void kill(std::string_view id);

private:
    friend class local_registry;
    void publish(std::vector<door::server_info> servers, bool list_has_changed);

    view_ptr now_;
    std::vector<local_registry*> registered_;
};

/// The registry of one process. A server that stops stays expected, down.
std::unique_ptr<registry> make_local_registry(boost::asio::any_io_executor executor,
                                              local_directory& directory);

} // namespace shaddock::cluster
