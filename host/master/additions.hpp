#pragma once

#include "addition.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "control/start.hpp"
#include "master/supervisor.hpp"
#include "server_book.hpp"

#include <filesystem>
#include <functional>
#include <vector>

namespace shaddock::master {

/// Adds servers to a running system: checks them, starts them as guests, and takes those into the
/// list that are ready; the others are forgotten.
/// Thread: the loop, which it blocks while it reads and writes small files. Lifetime: what it is
/// given outlives it.
class additions {
public:
    using done_call = base::unique_function<void(const control::start_results&)>;
    /// What runs a server that was added.
    using plan_call = std::function<child_plan(const config::server_record&)>;

    /// `settle` calls back once the servers have heard of the list as it is.
    using settle_call = std::function<void(base::unique_function<void()>)>;
    additions(base::clock& clock, config::system& system, std::filesystem::path run,
              server_book& book, supervisor& children, plan_call plan, settle_call settle)
        : clock_(clock), system_(system), run_(std::move(run)), book_(book), children_(children),
          plan_(std::move(plan)), settle_(std::move(settle)) {}
    additions(const additions&) = delete;
    additions& operator=(const additions&) = delete;

    /// `done` once, never inline: a line per server. Errors: duplicate (an addition is under way),
    /// and as check_addition; nothing has changed then.
    result<void> start(const control::addition_keys& keys, done_call done);

    bool is_busy() const { return static_cast<bool>(done_); }

private:
    result<void> take_in(const addition& made);
    void begun(const config::server_record& server, const result<void>& outcome);
    void give_up(const std::vector<std::string>& ids, const error& why, std::string_view then);
    void end();

    base::clock& clock_;
    config::system& system_;
    std::filesystem::path run_;
    server_book& book_;
    supervisor& children_;
    plan_call plan_;
    settle_call settle_;
    base::time_point begun_at_{};
    std::size_t open_ = 0;
    control::start_results made_;
    done_call done_;
};

} // namespace shaddock::master
