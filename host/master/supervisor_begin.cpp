#include "master/supervisor.hpp"
#include "supervised.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

/// Children that are started, added and forgotten while the system is up.
namespace shaddock::master {

void supervisor::add(child_plan plan) {
    auto one = std::make_unique<child>();
    one->plan = std::move(plan);
    one->state = control::server_state::stopped;
    one->is_wanted = false;
    children_.push_back(std::move(one));
}

void supervisor::remove(std::string_view id) {
    for (auto& job : stops_) {
        std::erase_if(job->which, [&](const child* one) { return one->plan.id == id; });
    }
    std::erase_if(children_, [&](const auto& one) { return one->plan.id == id && one->is_down(); });
}

void supervisor::begin(std::string_view id, after_failure then,
                       base::unique_function<void(result<void>)> done) {
    const auto refuse = [&](errc code, std::string text) {
        later([done = std::move(done), why = error(code, std::move(text))]() mutable {
            done(std::move(why));
        });
    };
    auto* one = find(id);
    if (one == nullptr) {
        return refuse(errc::not_found, fmt::format("no server '{}'", id));
    }
    if (phase_ == phase::stopping || phase_ == phase::failing) {
        return refuse(errc::refused, "the system is stopping: nothing is started");
    }
    if (!one->is_down()) {
        return refuse(errc::duplicate, fmt::format("{} is {} already", id, to_string(one->state)));
    }
    one->is_wanted = true;
    one->was_ready = false;
    one->restarts = 0;
    one->is_rolled_back = false;
    one->begin_failure.clear();
    one->begun = std::move(done);
    one->then = then;
    one->begin_timer = clock_.after(options_.start_timeout, [this, one] { begin_timed_out(*one); });
    launch_child(*one);
}

void supervisor::begin_timed_out(child& one) {
    one.begin_failure = fmt::format(
        "not ready after {} s ({}, links {} of {})",
        std::chrono::duration_cast<std::chrono::seconds>(options_.start_timeout).count(),
        to_string(one.state), one.status.links, one.status.expected);
    if (one.running == nullptr) { // it holds its lock, but never spoke to us
        return begin_failed(one, error(errc::config, one.begin_failure));
    }
    kill(one);
}

void supervisor::begin_failed(child& one, const error& why) {
    one.state = control::server_state::failed;
    one.is_wanted = one.then == after_failure::try_again;
    end_beginning(one, why);
    if (one.is_wanted) {
        restart(one, why.text());
    }
}

bool supervisor::is_linked_up(const child& one) const {
    const auto others = std::count_if(children_.begin(), children_.end(), [&](const auto& other) {
        return other.get() != &one && other->plan.is_server &&
               other->state == control::server_state::ready;
    });
    return !one.plan.is_server || one.status.links >= static_cast<std::uint64_t>(others);
}

void supervisor::check_begun() {
    for (auto& one : children_) {
        if (one->begun && one->state == control::server_state::ready && is_linked_up(*one)) {
            end_beginning(*one, {});
        }
    }
}

void supervisor::end_beginning(child& one, result<void> outcome) {
    one.begin_timer.cancel();
    if (!one.begun) {
        return;
    }
    later([done = std::exchange(one.begun, nullptr), outcome = std::move(outcome)]() mutable {
        done(std::move(outcome));
    });
}

} // namespace shaddock::master
