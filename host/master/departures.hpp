#pragma once

#include "base/function.hpp"
#include "config/load.hpp"
#include "master/supervisor.hpp"
#include "master_phase.hpp"
#include "restarts.hpp"
#include "server_book.hpp"
#include "settling.hpp"

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// Takes servers out of the list before they end, and back into it once they serve again. Ids are
/// those of children. Thread: the loop. Lifetime: what it is given outlives it.
class departures {
public:
    using say_call = std::function<void(std::string_view text, bool is_bad)>;

    departures(const config::system& system, std::filesystem::path run, server_book& book,
               supervisor& children, settling& settled, restarts& restarts,
               const master_phase& phase, say_call say)
        : system_(system), run_(std::move(run)), book_(book), children_(children),
          settled_(settled), restarts_(restarts), phase_(phase), say_(std::move(say)) {}
    departures(const departures&) = delete;
    departures& operator=(const departures&) = delete;

    /// Out of the list; once their rooms have moved they stop, and stay stopped. `done` once, never
    /// inline. Errors: config (the list cannot be written); duplicate (another master takes over).
    /// Nothing has changed then.
    result<void> stop(const std::vector<std::string>& ids, base::unique_function<void()> done);
    /// As stop, and then their records are gone. Errors: as stop; refused (no server of the list);
    /// of `done`: config.
    result<void> remove(const std::vector<std::string>& ids,
                        base::unique_function<void(result<void>)> done);
    /// As stop, of one that has drained. Errors: as stop; duplicate (the system stops).
    result<void> end_drain(const std::string& id, std::string_view why);
    /// As supervisor::kill: they stay in the list.
    result<void> kill(const std::vector<std::string>& ids, base::unique_function<void()> done);

    /// As supervisor::begin; one that was stopped, or drains, comes back into the list when it
    /// serves. Errors: as supervisor::begin; config.
    void begin(std::string_view id, base::unique_function<void(result<void>)> done);
    /// A server has reported: it comes back, if it was not ready in the time of its restart.
    void bring_back(std::string_view id);
    /// Restarts that have failed at first do not bring these back into the list any more.
    void forget_restarts(const std::vector<std::string>& ids);

    /// It was stopped, and has not come back.
    bool is_out(std::string_view id) const;
    /// It takes no new rooms, and ends when its rooms are empty.
    bool is_leaving(std::string_view id) const;
    bool is_ready(std::string_view id) const;
    /// A stop or a removal is under way.
    bool is_busy() const { return open_ != 0; }

private:
    result<void> take_out(const std::vector<std::string>& ids, base::unique_function<void()> done);
    result<void> take_back(const std::string& id);
    result<void> drop(const std::vector<std::string>& ids);
    void asked_to(std::string_view what, const std::vector<std::string>& ids);
    void stay_out(const std::vector<std::string>& ids);

    const config::system& system_;
    std::filesystem::path run_;
    server_book& book_;
    supervisor& children_;
    settling& settled_;
    restarts& restarts_;
    const master_phase& phase_;
    say_call say_;
    unsigned open_ = 0;
    /// Stopped ones, and those that drain, that a restart is to bring back into the list, and has
    /// not yet.
    std::set<std::string, std::less<>> coming_back_;
};

} // namespace shaddock::master
