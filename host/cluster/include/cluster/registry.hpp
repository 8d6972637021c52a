#pragma once

#include "base/function.hpp"

#include <shaddock/door.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

/// Who is in the cluster and who of them is up.
namespace shaddock::cluster {

/// One state of the list. Immutable once published.
struct view {
    /// Changes exactly when the expected list does (add, stop, give-up), not when a server goes
    /// down or comes back.
    std::uint64_t epoch = 0;
    /// All expected servers, sorted by id; `is_up` and `life` say what is known of each.
    std::vector<door::server_info> servers;

    const door::server_info* find(std::string_view id) const;
};
using view_ptr = std::shared_ptr<const view>;

/// Thread: the loop.
class registry_listener {
public:
    /// The list, or who is up, has changed.
    virtual void on_view(const view_ptr& now) = 0;

protected:
    ~registry_listener() = default;
};

/// Implementations: local (one process), direct (servers.json and the links of the bus), later
/// NATS. Lifetime: `stop` must have ended before destruction.
class registry {
public:
    virtual ~registry() = default;
    /// Registers `self`, whole record, up. Errors: duplicate (the id runs already).
    virtual result<void> start(const door::server_info& self, registry_listener& listener) = 0;
    /// Never null once started.
    virtual view_ptr now() const = 0;
    /// Deregisters; `done` is posted.
    virtual void stop(base::unique_function<void()> done) = 0;
};

} // namespace shaddock::cluster
