#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "master/start_line.hpp"
#include "master/supervisor.hpp"

#include <shaddock/error.hpp>

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace shaddock::master {

/// What can be named beside servers and types: `all`, and the page's server, which is no server of
/// the system, by its id.
enum class more_targets { none, all, all_and_page };

/// The children that types and ids name; the types in this order, the servers of a type in order of
/// their ids, each once. Errors: not_found, naming each unknown one with
/// its nearest names.
result<std::vector<child_report>> find_targets(const std::vector<std::string>& targets,
                                               const std::vector<child_report>& children,
                                               more_targets more = more_targets::all);

/// What restarts need of the master: the supervisor's functions `stop` and `begin`.
class restart_port {
public:
    virtual std::vector<child_report> children() const = 0;
    virtual result<void> end(std::string_view id, base::unique_function<void()> done) = 0;
    virtual void begin(std::string_view id, base::unique_function<void(result<void>)> done) = 0;
    virtual void on_news(std::string_view text, bool is_bad) = 0;

protected:
    ~restart_port() = default;
};

/// Stops servers in order and starts them again, one after the other; one that is down is only
/// started. After a failure the others of that type are left alone: they serve.
/// Thread: the loop. Lifetime: `clock` and `port` outlive it.
class restarts {
public:
    using done_call = base::unique_function<void(const std::vector<start_line>&)>;

    restarts(base::clock& clock, restart_port& port) : clock_(clock), port_(port) {}
    restarts(const restarts&) = delete;
    restarts& operator=(const restarts&) = delete;

    /// Types and ids. `done` once, never inline. Errors: duplicate (a restart is under way),
    /// not_found; nothing is touched then.
    result<void> start(const std::vector<std::string>& targets, done_call done);

    /// Somebody has stopped these meanwhile: they are not started, and others of their types are
    /// restarted all the same.
    void leave_out(const std::vector<std::string>& ids);

private:
    void next_server();
    void advance();
    void begin();
    void finish(start_outcome outcome, std::string reason);
    bool is_left_out(const std::string& id) const { return left_out_.contains(id); }
    std::optional<pid_t> pid_of(std::string_view id) const;

    base::clock& clock_;
    restart_port& port_;
    std::deque<child_report> waiting_;
    std::optional<child_report> now_;
    base::time_point begun_at_{};
    std::set<std::string> failed_types_;
    std::set<std::string> left_out_;
    std::vector<start_line> lines_;
    done_call done_;
    base::timer step_;
};

} // namespace shaddock::master
