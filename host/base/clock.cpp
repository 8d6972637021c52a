#include "base/clock.hpp"

#include <boost/asio/steady_timer.hpp>

#include <ctime>

namespace shaddock::base {

namespace {

struct asio_state final : timer::state {
    asio_state(const boost::asio::any_io_executor& executor, time_point due)
        : wait(executor, due) {}
    void cancelled() override { wait.cancel(); }
    boost::asio::steady_timer wait;
};

} // namespace

void timer::cancel() {
    if (auto shared = std::move(state_); shared && shared->call) {
        shared->call = nullptr;
        shared->cancelled();
    }
}

bool timer::is_armed() const {
    return state_ && state_->call;
}

timer steady_clock::at(time_point due, unique_function<void()> call) {
    auto shared = std::make_shared<asio_state>(executor_, due);
    shared->call = std::move(call);
    shared->wait.async_wait([shared](const boost::system::error_code&) {
        if (auto ready = std::move(shared->call)) {
            ready();
        }
    });
    return timer(shared);
}

struct manual_clock::entry final : timer::state {
    void cancelled() override {}
};

timer manual_clock::at(time_point due, unique_function<void()> call) {
    auto shared = std::make_shared<entry>();
    shared->call = std::move(call);
    pending_.emplace(due, shared);
    return timer(shared);
}

void manual_clock::advance(duration by) {
    const auto until = now_ + by;
    while (!pending_.empty() && pending_.begin()->first <= until) {
        auto node = pending_.extract(pending_.begin());
        now_ = std::max(now_, node.key());
        if (auto ready = std::move(node.mapped()->call)) {
            ready();
        }
    }
    now_ = until;
}

duration since_boot() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

} // namespace shaddock::base
