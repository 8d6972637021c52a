#include "departures.hpp"

#include "control/run_files.hpp"
#include "targets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

namespace shaddock::master {

bool departures::is_out(std::string_view id) const {
    const auto* record = system_.find(id);
    return record != nullptr && record->stopped;
}

bool departures::is_ready(std::string_view id) const {
    const auto all = children_.list();
    const auto* child = find_child(all, id);
    return child != nullptr && child->is(control::server_state::ready);
}

bool departures::is_leaving(std::string_view id) const {
    const auto* record = system_.find(id);
    return record != nullptr && record->leaving;
}

result<void> departures::stop(const std::vector<std::string>& ids,
                              base::unique_function<void()> done) {
    auto begun = take_out(ids, std::move(done));
    if (begun) {
        asked_to("stop", ids);
    }
    return begun;
}

result<void> departures::remove(const std::vector<std::string>& ids,
                                base::unique_function<void(result<void>)> done) {
    for (const auto& id : ids) {
        if (system_.find(id) == nullptr) {
            return error(errc::refused, fmt::format("{} is no server of the list", id));
        }
    }
    auto begun = take_out(ids, [this, ids, done = std::move(done)]() mutable { done(drop(ids)); });
    if (begun) {
        asked_to("remove", ids);
    }
    return begun;
}

result<void> departures::drop(const std::vector<std::string>& ids) {
    if (const auto kept = book_.drop(ids); !kept) {
        auto text = fmt::format("{} stopped, but stays in the file of the list: {}; mend that, "
                                "then `host remove` again",
                                fmt::join(ids, ", "), kept.error().text());
        say_(text, true);
        return error(errc::config, std::move(text));
    }
    for (const auto& id : ids) {
        children_.remove(id);
        std::error_code ignored;
        std::filesystem::remove_all(control::modules_before(run_, id), ignored);
    }
    return {};
}

result<void> departures::end_drain(const std::string& id, std::string_view why) {
    if (phase_.is_stopping) {
        return phase_.allows("drained");
    }
    auto ended = take_out({id}, [] {});
    if (ended) {
        stay_out({id});
    }
    say_(fmt::format("{}: {}: {}", id, why,
                     ended ? "it stops" : "it cannot be stopped: " + ended.error().text()),
         !ended);
    return ended;
}

result<void> departures::kill(const std::vector<std::string>& ids,
                              base::unique_function<void()> done) {
    auto begun = children_.kill(ids, std::move(done));
    if (begun) {
        asked_to("kill", ids);
    }
    return begun;
}

/// Out of the list; once their rooms have moved they stop.
result<void> departures::take_out(const std::vector<std::string>& ids,
                                  base::unique_function<void()> done) {
    if (auto able = phase_.allows_changes(); !able) {
        return able;
    }
    if (auto changed = book_.change(ids, false); !changed) {
        return changed;
    }
    ++open_;
    settled_.wait(system_.epoch, [this, ids, done = std::move(done)]() mutable {
        auto kept = std::make_shared<base::unique_function<void()>>(std::move(done));
        const auto ended = [this, kept] {
            --open_;
            (*kept)();
        };
        if (!children_.stop(ids, ended)) { // another removal was quicker
            ended();
        }
    });
    return {};
}

/// By a person.
void departures::asked_to(std::string_view what, const std::vector<std::string>& ids) {
    say_(fmt::format("asked to {} {}", what, fmt::join(ids, ", ")), false);
    stay_out(ids);
}

/// No restart under way brings them back.
void departures::stay_out(const std::vector<std::string>& ids) {
    restarts_.leave_out(ids);
    forget_restarts(ids);
}

void departures::forget_restarts(const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
        coming_back_.erase(id);
    }
}

void departures::begin(std::string_view id, base::unique_function<void(result<void>)> done) {
    children_.begin(
        id, after_failure::try_again,
        [this, id = std::string(id), done = std::move(done)](result<void> outcome) mutable {
            if (!is_out(id) && !is_leaving(id)) {
                return done(std::move(outcome));
            }
            if (!outcome) {
                coming_back_.insert(id); // with one of the next tries
                return done(std::move(outcome));
            }
            if (auto changed = take_back(id); !changed) {
                return done(std::move(changed));
            }
            settled_.wait(system_.epoch, [done = std::move(done)]() mutable { done({}); });
        });
}

result<void> departures::take_back(const std::string& id) {
    const bool has_drained = is_leaving(id);
    auto changed = book_.change({id}, true);
    if (changed && has_drained) {
        say_(fmt::format("{} no longer drains: it was restarted", id), false);
    }
    return changed;
}

void departures::bring_back(std::string_view id) {
    const auto at = coming_back_.find(id);
    if (at == coming_back_.end() || !is_ready(id)) {
        return;
    }
    if (const auto changed = take_back(*at); !changed) {
        say_(fmt::format("{} serves, but does not come back into the list: {}; mend that, then "
                         "`host restart {}`",
                         id, changed.error().text(), id),
             true);
    }
    coming_back_.erase(at);
}

} // namespace shaddock::master
