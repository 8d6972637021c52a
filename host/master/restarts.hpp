#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "control/start.hpp"
#include "master/supervisor.hpp"

#include <shaddock/error.hpp>

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// What restarts need of the master: the supervisor's functions `stop` and `begin`.
class restart_needs {
public:
    virtual std::vector<child_report> children() const = 0;
    virtual result<void> end(std::string_view id, base::unique_function<void()> done) = 0;
    virtual void begin(std::string_view id, base::unique_function<void(result<void>)> done) = 0;
    virtual void on_news(std::string_view text, bool is_bad) = 0;
    /// Whether the files, modules included, are fit for a start; `done` once, never inline.
    virtual void check(base::unique_function<void(result<void>)> done) = 0;

protected:
    ~restart_needs() = default;
};

/// Looks at the files, and when they are good stops servers in order and starts them again, one
/// after the other; one that is down is only started. After a failure the others of that type are
/// left alone: they serve. Thread: the loop. Lifetime: `clock` and `needs` outlive it.
class restarts {
public:
    using done_call = base::unique_function<void(const control::start_results&)>;

    restarts(base::clock& clock, restart_needs& needs) : clock_(clock), needs_(needs) {}
    restarts(const restarts&) = delete;
    restarts& operator=(const restarts&) = delete;

    /// Types and ids. `done` once, never inline. Errors: duplicate (a restart is under way),
    /// not_found; nothing is touched then.
    result<void> start(const std::vector<std::string>& targets, done_call done);

    bool is_busy() const { return static_cast<bool>(done_); }
    /// It waits for its turn, or is being restarted.
    bool has(std::string_view id) const;

    /// Somebody has stopped these meanwhile: they are not started, and others of their types are
    /// restarted all the same.
    void leave_out(const std::vector<std::string>& ids);

private:
    void checked(const result<void>& outcome);
    void next_server();
    void advance();
    void begin();
    void finish(control::start_outcome outcome, std::string reason);
    bool is_left_out(const std::string& id) const { return left_out_.contains(id); }

    base::clock& clock_;
    restart_needs& needs_;
    std::deque<child_report> waiting_;
    std::optional<child_report> now_;
    base::time_point begun_at_{};
    std::set<std::string> failed_types_;
    std::set<std::string> left_out_;
    control::start_results made_;
    done_call done_;
    base::timer step_;
};

} // namespace shaddock::master
