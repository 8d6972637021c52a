#include "component_life.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

namespace shaddock::server {

namespace {

/// Where a component's start or stop ends.
class component_end final : public door::completion {
public:
    explicit component_end(base::unique_function<void(result<void>)> next)
        : next_(std::move(next)) {}
    void done(result<door::body> outcome) noexcept override {
        auto next = std::move(next_);
        next(outcome ? result<void>() : result<void>(std::move(outcome).error()));
    }

private:
    base::unique_function<void(result<void>)> next_;
};

auto in_ms(base::duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

} // namespace

template <class F>
void component_life::later(F call) {
    boost::asio::post(executor_, alive_.guard(std::move(call)));
}

void component_life::start(base::duration patience,
                           base::unique_function<void(result<void>)> done) {
    start_done_ = std::move(done);
    if (patience != base::duration::zero()) {
        wait_ = clock_.after(patience, [this, patience] {
            const auto who = is_starting_
                                 ? fmt::format("component '{}'", components_[started_ - 1]->name())
                                 : fmt::format("{} components", components_.size());
            finish_start(error(errc::timeout,
                               fmt::format("{} did not start within {} ms", who, in_ms(patience))));
        });
    }
    later([this] { start_next(); });
}

void component_life::start_next() {
    if (is_stopping_ || !start_done_) {
        return;
    }
    if (started_ == components_.size()) {
        return finish_start({});
    }
    // Counted before it is up: a stop in between stops this one too.
    auto* next = components_[started_++];
    is_starting_ = true;
    next->start(
        std::make_unique<component_end>(alive_.guard([this, next](const result<void>& outcome) {
            if (std::exchange(is_starting_, false)) {
                ended_start(*next, outcome);
            }
        })));
}

void component_life::ended_start(const door::component& one, const result<void>& outcome) {
    if (!outcome) {
        --started_;
    }
    if (is_stopping_) {
        return later([this] {
            if (auto waiting = std::move(after_start_)) {
                waiting();
            }
        });
    }
    if (!outcome) {
        return finish_start(
            error(outcome.error().code(), fmt::format("component '{}' did not start: {}",
                                                      one.name(), outcome.error().text())));
    }
    later([this] { start_next(); });
}

void component_life::finish_start(result<void> outcome) {
    wait_.cancel();
    if (auto done = std::move(start_done_)) {
        start_done_ = nullptr;
        done(std::move(outcome));
    }
}

void component_life::stop(base::duration patience, base::unique_function<void()> done) {
    is_stopping_ = true;
    forget_start();
    patience_ = patience;
    stop_done_ = std::move(done);
    stop_next();
}

void component_life::wait_for_start() {
    wait_ = clock_.after(patience_, [this] {
        base::log::warn("server", "a component was still starting: not waited for");
        is_starting_ = false;
        --started_;
        after_start_ = nullptr;
        stop_next();
    });
    after_start_ = [this] {
        wait_.cancel();
        stop_next();
    };
}

void component_life::stop_next() {
    if (is_starting_) {
        return wait_for_start();
    }
    if (started_ == 0) {
        auto done = std::move(stop_done_);
        return done();
    }
    auto* next = components_[--started_];
    auto is_over = std::make_shared<bool>(false);
    auto go_on = alive_.guard([this, is_over] {
        if (!std::exchange(*is_over, true)) {
            wait_.cancel();
            later([this] { stop_next(); });
        }
    });
    wait_ = clock_.after(patience_, [go_on, next]() mutable {
        base::log::warn("server", "component '{}' did not stop in time", next->name());
        go_on();
    });
    next->stop(std::make_unique<component_end>([go_on, next](const result<void>& outcome) mutable {
        if (!outcome) {
            base::log::warn("server", "component '{}' did not stop well: {}", next->name(),
                            outcome.error().text());
        }
        go_on();
    }));
}

} // namespace shaddock::server
