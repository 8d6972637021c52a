#pragma once

#include "master/supervisor.hpp"

/// What the supervisor keeps of each child; for its own sources.
namespace shaddock::master {

struct supervisor::child {
    child_plan plan;
    child_state state = child_state::starting;
    std::unique_ptr<process> running;
    incarnation life{};
    child_status status;
    std::optional<base::time_point> swapped_at;
    bool is_linked = false;
    /// False: stopped by a person, or given up; stays down.
    bool is_wanted = true;
    bool is_adopted = false;
    bool was_ready = false;
    /// Restarts since the last time of health.
    unsigned restarts = 0;
    std::uint64_t restarts_ever = 0;
    std::deque<base::time_point> deaths;
    std::size_t output_offset = 0;
    base::timer restart_timer;
    base::timer health_timer;
    base::timer kill_timer;
    /// Due when it has not reported for too long.
    base::timer silence_timer;
    bool is_silent = false;
    /// Set while somebody waits for the child to serve.
    base::unique_function<void(result<void>)> begun;
    base::timer begin_timer;
    /// Why the beginning has failed, when the child is still to end for it.
    std::string begin_failure;

    bool is_serving() const {
        return state == child_state::ready && status.links >= status.links_expected;
    }
    bool is_down() const {
        return running == nullptr && !restart_timer.is_armed() && !is_linked &&
               (state == child_state::stopped || state == child_state::failed);
    }
};

struct supervisor::stop_job {
    std::vector<child*> which;
    base::unique_function<void()> done;
};

} // namespace shaddock::master
