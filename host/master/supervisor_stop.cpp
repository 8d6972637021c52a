#include "master/supervisor.hpp"
#include "supervised.hpp"

#include <fmt/format.h>

#include <csignal>

/// How the supervisor stops what it keeps alive.
namespace shaddock::master {

result<std::vector<supervisor::child*>> supervisor::find_all(const std::vector<std::string>& ids) {
    std::vector<child*> which;
    for (const auto& id : ids) {
        which.push_back(find(id));
        if (which.back() == nullptr) {
            return error(errc::not_found, fmt::format("no process '{}'", id));
        }
    }
    return {boost::system::in_place_value, std::move(which)};
}

result<void> supervisor::stop(const std::vector<std::string>& ids,
                              base::unique_function<void()> done) {
    auto which = find_all(ids);
    if (!which) {
        return which.error();
    }
    begin_stop(std::move(*which), std::move(done));
    return {};
}

result<void> supervisor::kill(const std::vector<std::string>& ids,
                              base::unique_function<void()> done) {
    auto which = find_all(ids);
    if (!which) {
        return which.error();
    }
    for (auto* one : *which) {
        kill(*one);
    }
    begin_stop(std::move(*which), std::move(done));
    return {};
}

void supervisor::kill(child& one) {
    one.is_wanted = false;
    one.restart_timer.cancel();
    if (one.running != nullptr) {
        one.running->signal(SIGKILL);
    }
}

void supervisor::stop_all(base::unique_function<void()> done) {
    if (phase_ != phase::failing) {
        phase_ = phase::stopping;
    }
    start_timer_.cancel();
    std::vector<child*> which;
    for (const auto& one : children_) {
        which.push_back(one.get());
    }
    begin_stop(std::move(which), std::move(done));
}

void supervisor::begin_stop(std::vector<child*> which, base::unique_function<void()> done) {
    for (auto* one : which) {
        one->is_wanted = false;
        one->restart_timer.cancel();
        if (one->running == nullptr) {
            one->is_linked = false;
            one->state = control::server_state::stopped;
            if (const auto holder = one->is_adopted ? is_locked_(one->plan.id) : std::nullopt) {
                one->state = control::server_state::failed;
                const auto pid = *holder != 0 ? fmt::format("{}", *holder) : "PID";
                listener_.on_news(fmt::format("{0} (process {1}) holds its lock but never linked "
                                              "to this master: it cannot be stopped from here; "
                                              "`kill {1}`, then `host stop {0}` again",
                                              one->plan.id, pid),
                                  true);
            }
        }
    }
    auto job = std::make_unique<stop_job>();
    job->which = std::move(which);
    job->done = std::move(done);
    stops_.push_back(std::move(job));
    advance_stops();
}

void supervisor::advance_stops() {
    for (std::size_t i = 0; i < stops_.size();) {
        std::optional<int> stage;
        for (const auto* one : stops_[i]->which) {
            if (!one->is_down() && (!stage || one->plan.stop_stage < *stage)) {
                stage = one->plan.stop_stage;
            }
        }
        if (!stage) {
            later(std::move(stops_[i]->done));
            stops_.erase(stops_.begin() + static_cast<std::ptrdiff_t>(i));
            continue;
        }
        for (auto* one : stops_[i]->which) {
            if (one->plan.stop_stage == *stage && !one->is_down()) {
                terminate(*one);
            }
        }
        ++i;
    }
}

void supervisor::terminate(child& one) {
    if (one.running == nullptr || one.kill_timer.is_armed()) {
        return;
    }
    one.state = control::server_state::draining;
    one.health_timer.cancel();
    one.running->signal(SIGTERM);
    one.kill_timer = clock_.after(options_.stop_timeout, [this, &one] {
        if (one.running == nullptr) {
            return;
        }
        listener_.on_news(
            fmt::format(
                "{} (process {}) did not stop within {} s: killed", one.plan.id, one.running->pid(),
                std::chrono::duration_cast<std::chrono::seconds>(options_.stop_timeout).count()),
            true);
        one.running->signal(SIGKILL);
    });
}

void supervisor::kill_all() {
    for (auto& one : children_) {
        kill(*one);
    }
}

} // namespace shaddock::master
