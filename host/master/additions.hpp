#pragma once

#include "addition.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "master/start_line.hpp"
#include "master/supervisor.hpp"

#include <filesystem>
#include <functional>
#include <vector>

namespace shaddock::master {

/// Adds servers to a running system: checks them, tells every server of the new list, starts them,
/// and takes out again what does not get ready. The list stands in running_list() from then on.
/// Thread: the loop, which it blocks while it reads and writes small files. Lifetime: what it is
/// given outlives it.
class additions {
public:
    using done_call = base::unique_function<void(const std::vector<start_line>&)>;
    /// What runs a server that was added.
    using plan_call = std::function<child_plan(const config::server_record&)>;

    /// `publish` tells the servers what `system` holds now.
    additions(base::clock& clock, config::system& system, std::filesystem::path run,
              supervisor& children, plan_call plan, std::function<void()> publish)
        : clock_(clock), system_(system), run_(std::move(run)), children_(children),
          plan_(std::move(plan)), publish_(std::move(publish)) {}
    additions(const additions&) = delete;
    additions& operator=(const additions&) = delete;

    /// `done` once, never inline: a line per server. Errors: duplicate (an addition is under way),
    /// and as check_addition; nothing has changed then.
    result<void> start(const addition_keys& keys, done_call done);

private:
    void take_in(addition made);
    void begun(const config::server_record& server, const result<void>& outcome);
    void take_out(const std::string& id);
    result<void> write_list() const;

    base::clock& clock_;
    config::system& system_;
    std::filesystem::path run_;
    supervisor& children_;
    plan_call plan_;
    std::function<void()> publish_;
    base::time_point begun_at_{};
    std::size_t open_ = 0;
    std::vector<start_line> lines_;
    done_call done_;
};

} // namespace shaddock::master
