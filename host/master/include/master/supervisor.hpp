#pragma once

#include "base/clock.hpp"
#include "base/process.hpp"
#include "control/reload.hpp"
#include "control/status.hpp"

#include <shaddock/error.hpp>
#include <shaddock/ids.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// One process that the supervisor keeps alive.
struct child_plan {
    std::string id;
    std::string type;
    base::launch run;
    /// Stages stop one after the other, smallest first.
    int stop_stage = 0;
    /// False for the page's server: not counted, not in the list of servers.
    bool is_server = true;
    /// It stays down until it is begun.
    bool is_stopped = false;
    /// Started again when it ends by itself.
    bool is_restarted = true;
    /// Killed when it has not reported for supervisor_options::silence; else only named.
    bool is_killed_stalled = true;
    /// Made anew with each swap of its modules; empty: it swaps none.
    std::filesystem::path modules_before;
};

/// One row of `host list`, and what the master alone knows of it.
struct child_report : control::server_row {
    /// When this life replaced its modules last.
    std::optional<base::time_point> swapped_at;
    bool is_server = true;
    /// Since this master started.
    std::uint64_t restarts = 0;
};

/// Who hears what the supervisor does. Thread: the loop.
class supervisor_listener {
public:
    /// A line for people: what happened, why, what comes next.
    virtual void on_news(std::string_view text, bool is_bad) = 0;
    /// Once: every child serves and every link is up. `servers` counts without the page's server.
    virtual void on_ready(std::size_t servers) = 0;
    /// Once, instead of `on_ready`: the start has failed and all that was started has been stopped.
    virtual void on_start_failed(std::string_view why) = 0;
    /// A process is proven dead: all others are to be told.
    virtual void on_dead(std::string_view id, incarnation life) = 0;

protected:
    ~supervisor_listener() = default;
};

struct supervisor_options {
    /// From SIGTERM to SIGKILL, for each child.
    std::chrono::milliseconds stop_timeout{std::chrono::seconds(10)};
    /// From the start to the ready line.
    std::chrono::milliseconds start_timeout{std::chrono::seconds(60)};
    /// First restart at once, then this, doubled each time up to `longest_delay`.
    std::chrono::milliseconds restart_delay{100};
    std::chrono::milliseconds longest_delay{std::chrono::seconds(30)};
    /// How long `begin` waits for links of a child that is ready.
    std::chrono::milliseconds link_patience{std::chrono::seconds(5)};
    /// A child ready for so long starts from scratch with its restarts.
    std::chrono::milliseconds healthy_after{std::chrono::seconds(5)};
    /// Children report four times a second. Who has not for so long is stalled.
    std::chrono::milliseconds stalled_after{std::chrono::seconds(1)};
    /// Who has not for so long is named, or killed and started anew.
    std::chrono::milliseconds silence{std::chrono::seconds(5)};
    /// A fatal signal so soon after a swap of modules is the new ones' fault.
    std::chrono::milliseconds blame{std::chrono::seconds(10)};
    /// So many deaths without health between them are called a crash loop.
    unsigned crash_loop_deaths = 5;
};

/// What becomes of a child that was to begin and did not get ready.
enum class after_failure { stay_down, try_again };

/// Whether an id runs already, started by somebody else. Answers the pid (0 = not known), or
/// nothing when it is free.
using lock_probe = base::unique_function<std::optional<pid_t>(std::string_view id)>;

/// Keeps the processes of one system alive: starts them, restarts what dies, stops them in order.
/// A child whose lock is held at the start is adopted instead of started twice: the supervisor
/// waits for its link and watches the process. A start that fails stops all, unless servers ran
/// before it: these go on, and the start counts as done with what serves. Thread: the loop.
/// Lifetime: `clock`, `starter` and `listener` outlive it. Destroying it leaves the children
/// running.
class supervisor {
public:
    supervisor(std::vector<child_plan> plans, supervisor_options options, base::clock& clock,
               base::process_starter& starter, lock_probe is_locked, supervisor_listener& listener);
    supervisor(const supervisor&) = delete;
    supervisor& operator=(const supervisor&) = delete;
    ~supervisor();

    void start();

    /// From the master link.
    void on_link_up(std::string_view id, pid_t pid, incarnation life);
    void on_status(std::string_view id, const control::server_status& status);
    void on_link_down(std::string_view id);
    /// It serves with another build from now on; `on_status` will say the same.
    void on_swapped(std::string_view id, const control::running_build& now);

    /// Stops these children, which then stay stopped; `done` once all are down, never inline.
    /// Errors: not_found, naming an unknown id; nothing is stopped then.
    result<void> stop(const std::vector<std::string>& ids, base::unique_function<void()> done);
    /// As stop, but with SIGKILL: nothing in them ends in order.
    result<void> kill(const std::vector<std::string>& ids, base::unique_function<void()> done);
    /// Stops all, stage by stage. `done` once all are down, never inline. May be called again.
    void stop_all(base::unique_function<void()> done);
    /// SIGKILL to all that still run.
    void kill_all();

    /// SIGHUP to all that have reported.
    void hang_up();

    /// One child more; down until it is begun.
    void add(child_plan plan);
    /// Forgets a child, which must be down.
    void remove(std::string_view id);
    /// Starts a child that is down. `done` once, never inline: it serves and is linked with all
    /// that serve, or why not, after which `then` counts. A link that does not come within
    /// `link_patience` is not waited for: the other end may hang.
    /// Errors: not_found, duplicate (it is not down), refused (everything stops), config (it ended
    /// or was not ready within `start_timeout`; with its last words), cancelled (stopped
    /// meanwhile).
    void begin(std::string_view id, after_failure then,
               base::unique_function<void(result<void>)> done);

    std::vector<child_report> list() const;

private:
    struct child;
    struct stop_job;

    child* find(std::string_view id);
    result<std::vector<child*>> find_all(const std::vector<std::string>& ids);
    void launch_child(child& one);
    bool adopt(child& one, pid_t pid);
    void launch_failed(child& one, const std::string& why);
    void exited(child& one, const base::exit_report& report);
    void restart(child& one, const std::string& why);
    void fail_start(std::string why);
    void became_ready(child& one);
    void look();
    void judge(child& one, base::time_point now);
    void heard(child& one);
    void begin_failed(child& one, const error& why);
    std::string blame(child& one, const base::exit_report& report) const;
    void check_ready();
    void start_timed_out();
    bool is_linked_up(const child& one) const;
    void check_begun();
    void end_beginning(child& one, result<void> outcome);
    void begin_timed_out(child& one);
    void begin_stop(std::vector<child*> which, base::unique_function<void()> done);
    void advance_stops();
    void terminate(child& one);
    void kill(child& one);

    supervisor_options options_;
    base::clock& clock_;
    base::process_starter& starter_;
    lock_probe is_locked_;
    supervisor_listener& listener_;
    std::vector<std::unique_ptr<child>> children_;
    std::vector<std::unique_ptr<stop_job>> stops_;
    /// Calls that must not run inline.
    std::map<std::uint64_t, base::timer> later_;
    std::uint64_t next_later_ = 0;
    base::timer start_timer_;
    base::timer look_timer_;
    base::time_point looked_at_{};
    /// Servers ran when this began: whatever becomes of the start, they are not stopped for it.
    bool found_running_ = false;
    enum class phase { starting, up, failing, stopping } phase_ = phase::starting;

    void later(base::unique_function<void()> call);
};

} // namespace shaddock::master
