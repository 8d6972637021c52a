#pragma once

#include <shaddock/error.hpp>

#include <fmt/format.h>

#include <string_view>

namespace shaddock::master {

/// Whether something new may begin: not when the system stops, and not when another master is to
/// take over. Thread: the loop.
struct master_phase {
    bool is_stopping = false;
    bool is_replaced = false;

    /// Errors: duplicate. `what`: what is to become of servers, as in "restarted".
    result<void> allows(std::string_view what) const {
        if (is_stopping) {
            return error(errc::duplicate,
                         fmt::format("the system is stopping: nothing is {}", what));
        }
        return allows_changes();
    }
    /// The next master would not know of it. A system that stops still allows it. Errors:
    /// duplicate.
    result<void> allows_changes() const {
        return is_replaced ? error(errc::duplicate,
                                   "this master is being replaced: ask the next one in a moment")
                           : result<void>();
    }
};

} // namespace shaddock::master
