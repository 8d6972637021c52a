#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "control/start.hpp"
#include "file_check.hpp"
#include "master/master.hpp"
#include "master_phase.hpp"

#include <functional>
#include <string_view>

namespace shaddock::master {

/// Another master takes over in this process; the servers are still its children. Thread: the loop.
/// Lifetime: what it is given outlives it.
class replacement {
public:
    using done_call = base::unique_function<void(const control::start_results&)>;
    /// What is under way, of which the next master would not know; empty: nothing.
    using busy_call = std::function<std::string_view()>;

    replacement(base::clock& clock, const master_options& options, file_check& check,
                master_phase& phase, busy_call busy)
        : clock_(clock), options_(options), check_(check), phase_(phase), busy_(std::move(busy)) {}
    replacement(const replacement&) = delete;
    replacement& operator=(const replacement&) = delete;

    /// Looks at the files first. `done` once, never inline: the master's own row; when that is
    /// ready, `then` is called as soon as the answer is on its way. Errors: duplicate.
    result<void> start(done_call done, base::unique_function<void()> then);

private:
    result<void> nothing_under_way() const;

    base::clock& clock_;
    const master_options& options_;
    file_check& check_;
    master_phase& phase_;
    busy_call busy_;
    base::timer soon_;
};

/// Runs the next master instead of this program. Comes back only with an error.
error become_another_master(const master_options& options);

} // namespace shaddock::master
