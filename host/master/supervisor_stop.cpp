#include "config/load.hpp"
#include "master/supervisor.hpp"
#include "supervised.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>

/// How the supervisor stops what it keeps alive.
namespace shaddock::master {

result<std::vector<supervisor::child*>> supervisor::find_all(const std::vector<std::string>& ids) {
    std::vector<std::string> known;
    for (const auto& one : children_) {
        known.push_back(one->plan.id);
    }
    std::vector<child*> which;
    std::vector<std::string> unknown;
    for (const auto& id : ids) {
        if (auto* one = find(id)) {
            which.push_back(one);
        } else {
            unknown.push_back(fmt::format("no server '{}'; nearest: {}", id,
                                          fmt::join(config::nearest(id, known), ", ")));
        }
    }
    if (!unknown.empty()) {
        return error(errc::not_found, fmt::format("{}", fmt::join(unknown, "\n")));
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
            if (one->is_adopted && one->state == child_state::starting) {
                listener_.on_news(fmt::format("{} holds its lock but never linked to this master: "
                                              "it cannot be stopped from here",
                                              one->plan.id),
                                  true);
            }
            one->is_linked = false;
            one->state =
                one->state == child_state::failed ? child_state::failed : child_state::stopped;
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
    one.state = child_state::draining;
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
