#include "master/supervisor.hpp"

#include "supervised.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace shaddock::master {

std::string_view to_string(child_state state) {
    switch (state) {
    case child_state::starting:
        return "starting";
    case child_state::ready:
        return "ready";
    case child_state::draining:
        return "draining";
    case child_state::stopped:
        return "stopped";
    case child_state::failed:
        return "failed";
    }
    return "unknown";
}

supervisor::supervisor(std::vector<child_plan> plans, supervisor_options options,
                       base::clock& clock, process_starter& starter, lock_probe is_locked,
                       supervisor_listener& listener)
    : options_(options), clock_(clock), starter_(starter), is_locked_(std::move(is_locked)),
      listener_(listener) {
    for (auto& plan : plans) {
        auto one = std::make_unique<child>();
        one->plan = std::move(plan);
        children_.push_back(std::move(one));
    }
}

supervisor::~supervisor() = default;

void supervisor::start() {
    found_running_ = std::ranges::any_of(children_, [this](const auto& one) {
        return one->plan.is_server && is_locked_(one->plan.id).has_value();
    });
    start_timer_ = clock_.after(options_.start_timeout, [this] { start_timed_out(); });
    for (auto& one : children_) {
        if (phase_ != phase::starting) {
            return;
        }
        launch_child(*one);
    }
    check_ready();
}

supervisor::child* supervisor::find(std::string_view id) {
    for (auto& one : children_) {
        if (one->plan.id == id) {
            return one.get();
        }
    }
    return nullptr;
}

void supervisor::later(base::unique_function<void()> call) {
    const auto key = next_later_++;
    later_[key] = clock_.after({}, [this, key, call = std::move(call)]() mutable {
        auto kept = std::move(call);
        later_.erase(key);
        kept();
    });
}

// ---- starting ---------------------------------------------------------------------------------

void supervisor::launch_child(child& one) {
    one.state = child_state::starting;
    one.status = {};
    one.swapped_at.reset();
    one.life = {};
    one.is_adopted = false;
    if (const auto holder = is_locked_(one.plan.id)) {
        one.is_adopted = true;
        listener_.on_news(fmt::format("{} is running already: waiting for its link", one.plan.id),
                          false);
        if (*holder != 0) {
            adopt(one, *holder);
        }
        return;
    }
    std::error_code failed;
    const auto size = std::filesystem::file_size(one.plan.run.output, failed);
    one.output_offset = failed ? 0 : static_cast<std::size_t>(size);
    auto started = starter_.start(one.plan.run,
                                  [this, &one](const exit_report& report) { exited(one, report); });
    if (!started) {
        launch_failed(one, started.error().text());
        return;
    }
    one.running = std::move(*started);
}

bool supervisor::adopt(child& one, pid_t pid) {
    auto watched =
        starter_.adopt(pid, [this, &one](const exit_report& report) { exited(one, report); });
    if (!watched) {
        return false;
    }
    one.is_adopted = true;
    one.running = std::move(*watched);
    return true;
}

void supervisor::launch_failed(child& one, const std::string& why) {
    if (one.begun) {
        one.state = child_state::failed;
        one.is_wanted = false;
        return end_beginning(one, error(errc::config, "it cannot be started: " + why));
    }
    if (phase_ == phase::starting && !found_running_) {
        one.state = child_state::failed;
        fail_start(fmt::format("{} cannot be started: {}", one.plan.id, why));
        return;
    }
    restart(one, why);
}

void supervisor::exited(child& one, const exit_report& report) {
    auto gone = std::move(one.running); // the caller may be inside it: it lives until we leave
    one.kill_timer.cancel();
    one.health_timer.cancel();
    one.silence_timer.cancel();
    one.is_silent = false;
    one.is_linked = false;
    if (number(one.life) != 0) {
        listener_.on_dead(one.plan.id, one.life);
    }
    one.life = {};
    const auto output = last_lines(one.plan.run.output, one.output_offset, 10);
    const auto why = report.text() + (output.empty() ? "" : "; its last words:\n") + output;
    if (one.begun && !one.begin_failure.empty()) {
        one.state = child_state::failed;
        end_beginning(one, error(errc::config, one.begin_failure));
        advance_stops();
        return;
    }
    if (!one.is_wanted) {
        one.state = child_state::stopped;
        end_beginning(one, error(errc::cancelled, "it was stopped before it was ready"));
        advance_stops();
        return;
    }
    if (one.begun) {
        one.state = child_state::failed;
        one.is_wanted = false;
        return end_beginning(one, error(errc::config, "it ended before it was ready: " + why));
    }
    if (phase_ == phase::starting && !one.was_ready && !one.is_adopted && !found_running_) {
        one.state = child_state::failed;
        fail_start(fmt::format("{} ended before it was ready: {}", one.plan.id, why));
        return;
    }
    restart(one, why);
}

void supervisor::restart(child& one, const std::string& why) {
    const auto now = clock_.now();
    one.deaths.push_back(now);
    while (now - one.deaths.front() > options_.crash_loop_window) {
        one.deaths.pop_front();
    }
    if (one.deaths.size() >= options_.crash_loop_deaths) {
        one.state = child_state::failed;
        one.is_wanted = false;
        listener_.on_news(
            fmt::format("{} is in a crash loop ({} deaths within {} s) and is not restarted; "
                        "the last: {}",
                        one.plan.id, one.deaths.size(),
                        std::chrono::duration_cast<std::chrono::seconds>(options_.crash_loop_window)
                            .count(),
                        why),
            true);
        if (phase_ == phase::starting) {
            fail_start(fmt::format("{} is in a crash loop: {}", one.plan.id, why));
        }
        return;
    }
    one.state = child_state::starting;
    std::chrono::milliseconds delay{};
    if (one.restarts > 0) {
        const auto doublings = std::min(one.restarts - 1, 16U);
        delay = std::min(options_.restart_delay * (1 << doublings), options_.longest_delay);
    }
    ++one.restarts;
    ++one.restarts_ever;
    listener_.on_news(fmt::format("{} has died ({}); restart {} in {} ms", one.plan.id, why,
                                  one.restarts, delay.count()),
                      true);
    one.restart_timer = clock_.after(delay, [this, &one] { launch_child(one); });
}

void supervisor::fail_start(std::string why) {
    if (phase_ != phase::starting) {
        return;
    }
    start_timer_.cancel();
    if (found_running_) {
        phase_ = phase::up;
        listener_.on_news(
            fmt::format("{}; the others ran before this master and go on with it", why), true);
        return listener_.on_ready(
            static_cast<std::size_t>(std::ranges::count_if(children_, [](const auto& one) {
                return one->plan.is_server && one->state == child_state::ready;
            })));
    }
    phase_ = phase::failing;
    stop_all([this, why = std::move(why)] { listener_.on_start_failed(why); });
}

void supervisor::start_timed_out() {
    // Who waits only for the links of others is not to blame.
    const bool is_any_unready = std::ranges::any_of(
        children_, [](const auto& one) { return one->state != child_state::ready; });
    std::vector<std::string> late;
    for (const auto& one : children_) {
        if (is_any_unready ? one->state != child_state::ready : !one->is_serving()) {
            late.push_back(fmt::format("{} ({}, links {} of {})", one->plan.id,
                                       to_string(one->state), one->status.links,
                                       one->status.links_expected));
        }
    }
    fail_start(fmt::format(
        "not ready after {} s: {}",
        std::chrono::duration_cast<std::chrono::seconds>(options_.start_timeout).count(),
        fmt::join(late, ", ")));
}

// ---- the master link --------------------------------------------------------------------------

void supervisor::on_link_up(std::string_view id, pid_t pid, incarnation life) {
    auto* one = find(id);
    if (one == nullptr) {
        return;
    }
    one->is_linked = true;
    one->life = life;
    if (one->running == nullptr || one->running->pid() != pid) {
        // Started by an earlier master or by hand.
        one->restart_timer.cancel();
        if (!adopt(*one, pid)) {
            one->is_linked = false;
            return;
        }
        if (one->state == child_state::stopped || one->state == child_state::failed) {
            one->state = child_state::starting;
            one->is_wanted = true;
        }
        listener_.on_news(fmt::format("{} runs as process {}: adopted", id, pid), false);
    }
    if (phase_ == phase::stopping || phase_ == phase::failing) {
        one->is_wanted = false;
        terminate(*one);
    }
}

void supervisor::on_status(std::string_view id, const child_status& status) {
    auto* one = find(id);
    if (one == nullptr || one->running == nullptr) {
        return;
    }
    one->status = status;
    if (one->plan.is_server) {
        listen_to(*one);
    }
    if (one->state == child_state::draining) {
        return;
    }
    if (status.is_draining) {
        one->state = child_state::draining;
    } else if (status.is_ready && one->state != child_state::ready) {
        became_ready(*one);
    } else if (!status.is_ready) {
        one->state = child_state::starting;
    }
    check_ready();
    check_begun();
}

void supervisor::on_link_down(std::string_view id) {
    if (auto* one = find(id)) {
        one->is_linked = false;
        one->silence_timer.cancel();
    }
}

/// A process that hangs keeps its line and its state: somebody must be told.
void supervisor::listen_to(child& one) {
    if (std::exchange(one.is_silent, false)) {
        listener_.on_news(fmt::format("{} reports again", one.plan.id), false);
    }
    const auto due = clock_.now() + options_.silence;
    one.silence_timer = clock_.at(due, [this, &one, due] {
        if (clock_.now() - due > std::chrono::seconds(1)) {
            return listen_to(one); // it was this process that stood still
        }
        one.is_silent = true;
        listener_.on_news(
            fmt::format("{} (process {}) has not reported for {} s: it hangs, or is far too busy; "
                        "`host restart {}` replaces it",
                        one.plan.id, one.running == nullptr ? 0 : one.running->pid(),
                        std::chrono::duration_cast<std::chrono::seconds>(options_.silence).count(),
                        one.plan.id),
            true);
    });
}

void supervisor::on_swapped(std::string_view id, const running_build& now) {
    auto* one = find(id);
    if (one == nullptr || one->running == nullptr) {
        return;
    }
    one->status.version = now.version;
    one->status.build_id = now.build_id;
    one->status.generation = now.generation;
    one->swapped_at = clock_.now();
}

void supervisor::became_ready(child& one) {
    one.state = child_state::ready;
    if (one.was_ready) {
        listener_.on_news(fmt::format("{} serves again", one.plan.id), false);
    }
    one.was_ready = true;
    if (one.begun) {
        one.begin_timer =
            clock_.after(options_.link_patience, [this, &one] { end_beginning(one, {}); });
    }
    one.health_timer = clock_.after(options_.healthy_after, [&one] {
        one.restarts = 0;
        one.deaths.clear();
    });
}

void supervisor::check_ready() {
    if (phase_ != phase::starting) {
        return;
    }
    std::size_t servers = 0;
    for (const auto& one : children_) {
        if (!one->is_serving()) {
            return;
        }
        servers += one->plan.is_server ? 1 : 0;
    }
    phase_ = phase::up;
    start_timer_.cancel();
    listener_.on_ready(servers);
}

std::vector<child_report> supervisor::list() const {
    std::vector<child_report> all;
    for (const auto& one : children_) {
        child_report line;
        line.id = one->plan.id;
        line.type = one->plan.type;
        if (one->running != nullptr) {
            line.pid = one->running->pid();
        }
        line.state = one->state;
        line.status = one->status;
        line.life = one->life;
        line.swapped_at = one->swapped_at;
        line.is_server = one->plan.is_server;
        line.restarts = one->restarts_ever;
        all.push_back(std::move(line));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(a.type, a.id) < std::tie(b.type, b.id);
    });
    return all;
}

} // namespace shaddock::master
