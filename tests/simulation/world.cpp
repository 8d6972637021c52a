#include "world.hpp"

#include <boost/asio/post.hpp>

#include <stdexcept>
#include <utility>

namespace shaddock::simulation {

namespace {

/// One wake-up that brings more than this goes on for ever.
constexpr std::size_t turns_limit = 1'000'000;

} // namespace

void world::run(time_point until) {
    while (!events_.empty() && events_.top().due <= until) {
        const auto& next = events_.top();
        now_ = std::max(now_, next.due);
        auto call = std::move(next.call);
        const auto whom = next.whom;
        events_.pop();
        ++ran_;
        if (whom) {
            whom->woken(std::move(call));
        } else {
            call();
        }
    }
    now_ = until;
}

base::timer process::at(time_point due, base::unique_function<void()> call) {
    auto shared = std::make_shared<armed>();
    shared->call = std::move(call);
    if (due != time_point::max()) {
        world_.wake(due, shared_from_this(), [shared] {
            if (auto ready = std::move(shared->call)) {
                ready();
            }
        });
    }
    return base::timer(shared);
}

void process::thaw() {
    is_frozen_ = false;
    for (auto& each : std::exchange(missed_, {})) {
        world_.wake(world_.now(), shared_from_this(), std::move(each));
    }
}

void process::woken(base::unique_function<void()> call) {
    if (is_gone) {
        return;
    }
    if (is_frozen_) {
        missed_.push_back(std::move(call));
        return;
    }
    boost::asio::post(loop_, std::move(call));
    loop_.restart();
    for (std::size_t turns = 0; loop_.poll_one() > 0; ++turns) {
        if (turns > turns_limit) {
            throw std::runtime_error("'" + id_ + "' does not come to rest");
        }
    }
}

} // namespace shaddock::simulation
