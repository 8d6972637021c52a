#pragma once

#include "base/function.hpp"
#include "cluster/registry.hpp"

#include <shaddock/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// What a master changes of a list: servers of its own machine.
struct list_change {
    /// These come into it, or stay in it and no longer leave.
    std::vector<door::server_info> in;
    /// Ids that go out of it.
    std::vector<std::string> out;
    /// Ids that stay in it and leave (`rooms: stay`).
    std::vector<std::string> leaving;

    bool is_empty() const { return in.empty() && out.empty() && leaving.empty(); }
};

/// The list of a system on several machines, which its masters share. Thread: the loop.
class shared_list {
public:
    using told_call = base::unique_function<void(const cluster::view_ptr& now)>;

    virtual ~shared_list() = default;
    /// From now on `told` hears of each new list.
    virtual void observe(told_call told) = 0;
    /// Carries the change out, whatever the list is by now; waits for that, at most 3 s. Errors:
    /// no_server (the list cannot be reached; nothing has changed), timeout (it may have changed).
    virtual result<cluster::view_ptr> agree(const list_change& wanted) = 0;
    /// This process has seen that life of a server of this machine end.
    virtual void tell_over(std::string_view id, incarnation life) = 0;
};

} // namespace shaddock::master
