#pragma once

#include "base/function.hpp"

#include <shaddock/door.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

/// Who is in the cluster and who of them is up.
namespace shaddock::cluster {

/// One state of the list. Immutable once published.
struct view {
    /// Grows by one whenever the expected list changes (registry::propose), and at no other time: a
    /// server that goes down or comes back changes nothing.
    std::uint64_t epoch = 0;
    /// All expected servers, sorted by id; `is_up` and `life` say what is known of each.
    std::vector<door::server_info> servers;
    /// Those that are linked, if they run, but not routed to: they have not come into the list yet,
    /// or have left it. In the same form.
    std::vector<door::server_info> guests{};
    /// False: the master tells no epochs, and each server counts for itself; so its number says
    /// nothing to others.
    bool is_numbered = true;

    /// Also among the guests.
    const door::server_info* find(std::string_view id) const;
};
using view_ptr = std::shared_ptr<const view>;

/// What became of a proposal.
struct proposal {
    /// False: another epoch was there already.
    bool is_taken = false;
    /// The list by now.
    view_ptr now;
};
using proposed_call = base::unique_function<void(result<proposal>)>;

/// Where the expected list is kept and changes. Thread: the loop.
class list_keeper {
public:
    /// As registry::propose.
    virtual void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                         proposed_call done) = 0;

protected:
    ~list_keeper() = default;
};

/// Thread: the loop.
class registry_listener {
public:
    /// The list, or who is up, has changed.
    virtual void on_view(const view_ptr& now) = 0;

protected:
    ~registry_listener() = default;
};

/// Implementations: local (one process), direct (the master's list and the links of the bus), later
/// NATS. Lifetime: `stop` must have ended before destruction.
class registry : public list_keeper {
public:
    virtual ~registry() = default;
    /// Registers `self`, whole record, up; a guest unless the list has it. Errors: duplicate (the
    /// id runs already).
    virtual result<void> start(const door::server_info& self, registry_listener& listener) = 0;
    /// Never null once started.
    virtual view_ptr now() const = 0;
    /// To how many others a link is wanted: those of the list that are of this machine, and all
    /// that run on others. Nothing: to all of the list, there is one machine.
    virtual std::optional<std::size_t> running() const { return std::nullopt; }
    /// The server goes on as a new incarnation.
    virtual void live_anew(incarnation life) = 0;
    /// Replaces the expected list if its epoch is still `epoch`; who leaves it becomes a guest. The
    /// same list again is taken and keeps the epoch. `done` once, never inline. Errors: no_server
    /// (nobody who keeps the list can be asked).
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 proposed_call done) override = 0;
    /// Deregisters; `done` is posted.
    virtual void stop(base::unique_function<void()> done) = 0;
};

} // namespace shaddock::cluster
