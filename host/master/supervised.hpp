#pragma once

#include "master/supervisor.hpp"

/// What the supervisor keeps of each child; for its own sources.
namespace shaddock::master {

struct supervisor::child {
    child_plan plan;
    control::server_state state = control::server_state::starting;
    std::unique_ptr<base::process> running;
    incarnation life{};
    control::server_status status;
    std::optional<base::time_point> swapped_at;
    bool is_linked = false;
    /// False: stopped by a person, or never ready; stays down.
    bool is_wanted = true;
    bool is_adopted = false;
    bool was_ready = false;
    /// Its new modules crashed: it is started with those before, until somebody swaps or restarts.
    bool is_rolled_back = false;
    /// Restarts since the last time of health.
    unsigned restarts = 0;
    std::uint64_t restarts_ever = 0;
    std::size_t output_offset = 0;
    base::timer restart_timer;
    base::timer health_timer;
    base::timer kill_timer;
    /// When it began to be listened to, or reported last.
    base::time_point heard_at{};
    bool has_reported = false;
    bool is_stalled = false;
    /// Its silence was said, or ended.
    bool is_judged = false;
    /// Set while somebody waits for the child to serve.
    base::unique_function<void(result<void>)> begun;
    after_failure then = after_failure::stay_down;
    base::timer begin_timer;
    /// Why the beginning has failed, when the child is still to end for it.
    std::string begin_failure;

    bool is_serving() const {
        return state == control::server_state::ready && status.links >= status.expected;
    }
    bool is_down() const {
        return running == nullptr && !restart_timer.is_armed() && !is_linked &&
               (state == control::server_state::stopped || state == control::server_state::failed);
    }
};

struct supervisor::stop_job {
    std::vector<child*> which;
    base::unique_function<void()> done;
};

} // namespace shaddock::master
