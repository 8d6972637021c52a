#include "master/supervisor.hpp"

#include "base/crash_report.hpp"
#include "supervised.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace shaddock::master {
namespace {

/// How often the children's silence is looked at; also how late this process may be for it.
constexpr std::chrono::milliseconds look_period{250};
/// In child_plan::modules_before: these serve. Goes with the folder, at a swap and at a start
/// without it.
constexpr const char* rolled_back_mark = "rolled_back";

auto in_seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

} // namespace

supervisor::supervisor(std::vector<child_plan> plans, supervisor_options options,
                       base::clock& clock, base::process_starter& starter, lock_probe is_locked,
                       supervisor_listener& listener)
    : options_(options), clock_(clock), starter_(starter), is_locked_(std::move(is_locked)),
      listener_(listener) {
    for (auto& plan : plans) {
        auto one = std::make_unique<child>();
        one->plan = std::move(plan);
        if (one->plan.is_stopped) {
            one->state = control::server_state::stopped;
            one->is_wanted = false;
        }
        children_.push_back(std::move(one));
    }
}

supervisor::~supervisor() = default;

void supervisor::start() {
    found_running_ = std::ranges::any_of(children_, [this](const auto& one) {
        return one->plan.is_server && is_locked_(one->plan.id).has_value();
    });
    start_timer_ = clock_.after(options_.start_timeout, [this] { start_timed_out(); });
    looked_at_ = clock_.now();
    look();
    for (auto& one : children_) {
        if (phase_ != phase::starting) {
            return;
        }
        if (one->is_wanted) {
            launch_child(*one);
        }
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
    one.state = control::server_state::starting;
    one.status = {};
    one.swapped_at.reset();
    one.life = {};
    one.is_adopted = false;
    one.has_reported = one.is_stalled = one.is_judged = false;
    one.heard_at = clock_.now();
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
    auto run = one.plan.run;
    if (one.is_rolled_back) {
        run.command.emplace_back("--modules-before");
    }
    auto started =
        starter_.start(run, [this, &one](const base::exit_report& report) { exited(one, report); });
    if (!started) {
        launch_failed(one, started.error().text());
        return;
    }
    one.running = std::move(*started);
}

bool supervisor::adopt(child& one, pid_t pid) {
    auto watched =
        starter_.adopt(pid, [this, &one](const base::exit_report& report) { exited(one, report); });
    if (!watched) {
        return false;
    }
    one.is_adopted = true;
    std::error_code ignored;
    one.is_rolled_back =
        one.is_rolled_back ||
        (!one.plan.modules_before.empty() &&
         std::filesystem::exists(one.plan.modules_before / rolled_back_mark, ignored));
    one.running = std::move(*watched);
    return true;
}

void supervisor::launch_failed(child& one, const std::string& why) {
    if (one.begun) {
        return begin_failed(one, error(errc::config, "it cannot be started: " + why));
    }
    if (phase_ == phase::starting && !found_running_) {
        one.state = control::server_state::failed;
        fail_start(fmt::format("{} cannot be started: {}", one.plan.id, why));
        return;
    }
    restart(one, why);
}

void supervisor::exited(child& one, const base::exit_report& report) {
    auto gone = std::move(one.running); // the caller may be inside it: it lives until we leave
    one.kill_timer.cancel();
    one.health_timer.cancel();
    one.is_stalled = false;
    one.is_linked = false;
    one.status.staying.reset();
    if (number(one.life) != 0) {
        listener_.on_dead(one.plan.id, one.life);
    }
    one.life = {};
    const auto output = base::last_lines(one.plan.run.output, one.output_offset, 10);
    const auto why =
        report.text() + blame(one, report) + (output.empty() ? "" : "; its last words:\n") + output;
    if (one.begun && !one.begin_failure.empty()) {
        begin_failed(one, error(errc::config, one.begin_failure));
        advance_stops();
        return;
    }
    if (!one.is_wanted) {
        one.state = control::server_state::stopped;
        end_beginning(one, error(errc::cancelled, "it was stopped before it was ready"));
        advance_stops();
        return;
    }
    if (one.begun) {
        return begin_failed(one, error(errc::config, "it ended before it was ready: " + why));
    }
    if (phase_ == phase::starting && !one.was_ready && !one.is_adopted && !found_running_) {
        one.state = control::server_state::failed;
        fail_start(fmt::format("{} ended before it was ready: {}", one.plan.id, why));
        return;
    }
    restart(one, why);
}

/// Adds what a crash has left. A crash right after a swap is the new modules' fault.
std::string supervisor::blame(child& one, const base::exit_report& report) const {
    constexpr auto fatal = base::crash_report::signals;
    if (!report.signal || std::ranges::find(fatal, *report.signal) == fatal.end()) {
        return {};
    }
    const auto now = std::filesystem::file_time_type::clock::now();
    const auto age = [&](const std::filesystem::path& file) {
        std::error_code failed;
        const auto at = std::filesystem::last_write_time(file, failed);
        return failed ? std::filesystem::file_time_type::duration::max() : now - at;
    };
    std::string text;
    auto file = one.plan.run.output;
    if (file.replace_extension(".crash"); age(file) < std::chrono::seconds(10)) {
        text += fmt::format("; {} says more", file.string());
    }
    if (!one.is_rolled_back && !one.plan.modules_before.empty() &&
        age(one.plan.modules_before) < options_.blame) {
        one.is_rolled_back = true;
        const std::ofstream mark(one.plan.modules_before / rolled_back_mark); // for the next master
        text += "; its modules were replaced just before: it is started with those before";
    }
    return text;
}

void supervisor::restart(child& one, const std::string& why) {
    if (!one.plan.is_restarted) {
        one.state = control::server_state::failed;
        listener_.on_news(fmt::format("{} has died ({}) and stays down: servers.json says "
                                      "`auto-restart: false`; `host restart {}` starts it",
                                      one.plan.id, why, one.plan.id),
                          true);
        return;
    }
    std::chrono::milliseconds delay{};
    if (one.restarts > 0) {
        const auto doublings = std::min(one.restarts - 1, 16U);
        delay = std::min(options_.restart_delay * (1 << doublings), options_.longest_delay);
    }
    ++one.restarts;
    ++one.restarts_ever;
    const bool is_loop = one.restarts >= options_.crash_loop_deaths;
    one.state = is_loop ? control::server_state::failed : control::server_state::starting;
    listener_.on_news(
        is_loop ? fmt::format("{} is in a crash loop ({} deaths, each within {} s of health); it "
                              "is tried again in {} ms, and so on until it serves; the last: {}",
                              one.plan.id, one.restarts, in_seconds(options_.healthy_after),
                              delay.count(), why)
                : fmt::format("{} has died ({}); restart {} in {} ms", one.plan.id, why,
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
                return one->plan.is_server && one->state == control::server_state::ready;
            })));
    }
    phase_ = phase::failing;
    stop_all([this, why = std::move(why)] { listener_.on_start_failed(why); });
}

void supervisor::start_timed_out() {
    // Who waits only for the links of others is not to blame.
    const bool is_any_unready = std::ranges::any_of(children_, [](const auto& one) {
        return one->is_wanted && one->state != control::server_state::ready;
    });
    std::vector<std::string> late;
    for (const auto& one : children_) {
        if (one->is_wanted &&
            (is_any_unready ? one->state != control::server_state::ready : !one->is_serving())) {
            late.push_back(fmt::format("{} ({}, links {} of {})", one->plan.id,
                                       to_string(one->state), one->status.links,
                                       one->status.expected));
        }
    }
    fail_start(fmt::format("not ready after {} s: {}", in_seconds(options_.start_timeout),
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
    one->heard_at = clock_.now();
    if (one->running == nullptr || one->running->pid() != pid) {
        // Started by an earlier master or by hand.
        if (!adopt(*one, pid)) { // it has ended since: what is due stays due
            one->is_linked = false;
            return;
        }
        one->restart_timer.cancel();
        if (one->state == control::server_state::stopped ||
            one->state == control::server_state::failed) {
            one->state = control::server_state::starting;
            one->is_wanted = true;
        }
        listener_.on_news(fmt::format("{} runs as process {}: adopted", id, pid), false);
    }
    if (phase_ == phase::stopping || phase_ == phase::failing) {
        one->is_wanted = false;
        terminate(*one);
    }
}

void supervisor::on_status(std::string_view id, const control::server_status& status) {
    auto* one = find(id);
    if (one == nullptr || one->running == nullptr) {
        return;
    }
    one->status = status;
    heard(*one);
    if (one->state == control::server_state::draining) {
        return;
    }
    if (status.is(control::server_state::draining)) {
        one->state = control::server_state::draining;
    } else if (!status.is(control::server_state::ready)) {
        one->state = control::server_state::starting;
    } else if (one->state != control::server_state::ready) {
        became_ready(*one);
    }
    check_ready();
    check_begun();
}

void supervisor::on_link_down(std::string_view id) {
    if (auto* one = find(id)) {
        one->is_linked = false;
        one->status.staying.reset(); // its next life has not said yet what it has
    }
}

// ---- silence ----------------------------------------------------------------------------------

void supervisor::heard(child& one) {
    one.heard_at = clock_.now();
    one.has_reported = true;
    one.is_stalled = false;
    if (std::exchange(one.is_judged, false)) {
        listener_.on_news(fmt::format("{} reports again", one.plan.id), false);
    }
}

void supervisor::look() {
    const auto now = clock_.now();
    const bool stood_still = now - looked_at_ > 2 * look_period;
    looked_at_ = now;
    for (auto& one : children_) {
        if (stood_still) { // this process, which has heard nobody meanwhile
            one->heard_at = now;
        }
        judge(*one, now);
    }
    look_timer_ = clock_.after(look_period, [this] { look(); });
}

void supervisor::judge(child& one, base::time_point now) {
    const bool is_killed = one.plan.is_killed_stalled;
    const bool is_stopping = one.kill_timer.is_armed();
    // One that stops may be quiet; one that stood still before does not hear that it is to stop.
    if (one.running == nullptr || one.is_judged ||
        (is_stopping && !(is_killed && one.is_stalled))) {
        return;
    }
    const auto quiet = now - one.heard_at;
    one.is_stalled = one.has_reported && quiet > options_.stalled_after;
    // It opens its modules before its loop turns.
    const bool is_starting = !one.has_reported && !one.is_adopted;
    const auto limit = is_starting ? options_.start_timeout : options_.silence;
    if (quiet <= limit) {
        return;
    }
    one.is_judged = true;
    std::string what = "killed";
    if (!is_killed) {
        what =
            fmt::format("it hangs, or is far too busy; `host restart {}` replaces it", one.plan.id);
    } else if (!is_stopping) {
        what = "killed, to be started anew";
    }
    listener_.on_news(fmt::format("{} (process {}) has not reported for {} s: {}", one.plan.id,
                                  one.running->pid(), in_seconds(limit), what),
                      true);
    if (is_killed) {
        one.running->signal(SIGKILL);
    }
}

void supervisor::on_swapped(std::string_view id, const control::running_build& now) {
    auto* one = find(id);
    if (one == nullptr || one->running == nullptr) {
        return;
    }
    one->status.version = now.version;
    one->status.build_id = now.build_id;
    one->status.generation = now.generation;
    one->swapped_at = clock_.now();
    one->is_rolled_back = false;
}

void supervisor::became_ready(child& one) {
    one.state = control::server_state::ready;
    if (one.was_ready) {
        listener_.on_news(fmt::format("{} serves again", one.plan.id), false);
    }
    one.was_ready = true;
    if (one.begun) {
        one.begin_timer =
            clock_.after(options_.link_patience, [this, &one] { end_beginning(one, {}); });
    }
    one.health_timer = clock_.after(options_.healthy_after, [&one] { one.restarts = 0; });
}

void supervisor::check_ready() {
    if (phase_ != phase::starting) {
        return;
    }
    std::size_t servers = 0;
    for (const auto& one : children_) {
        if (one->is_wanted && !one->is_serving()) {
            return;
        }
        servers += one->is_wanted && one->plan.is_server ? 1 : 0;
    }
    phase_ = phase::up;
    start_timer_.cancel();
    listener_.on_ready(servers);
}

void supervisor::hang_up() {
    for (auto& one : children_) {
        // Who has not reported may not be ready for the signal, and die of it.
        if (one->running != nullptr && one->has_reported) {
            one->running->signal(SIGHUP);
        }
    }
}

std::vector<child_report> supervisor::list() const {
    std::vector<child_report> all;
    for (const auto& one : children_) {
        child_report row;
        static_cast<control::server_status&>(row) = one->status;
        row.id = one->plan.id;
        row.type = one->plan.type;
        if (one->running != nullptr) {
            row.set_process(one->running->pid());
        }
        row.state = to_string(one->is_stalled ? control::server_state::stalled : one->state);
        row.missing = one->is_wanted && !row.is(control::server_state::ready);
        row.incarnation = number(one->life);
        row.swapped_at = one->swapped_at;
        row.is_server = one->plan.is_server;
        row.restarts = one->restarts_ever;
        all.push_back(std::move(row));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::tie(a.type, a.id) < std::tie(b.type, b.id);
    });
    return all;
}

} // namespace shaddock::master
