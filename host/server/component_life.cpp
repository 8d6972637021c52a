#include "component_life.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <utility>

namespace shaddock::server {

namespace {

/// Where a component's step ends.
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

std::string component_life::text_of(const door::component& one, step what, std::string_view how) {
    const auto* const verb = what == step::start   ? "start"
                             : what == step::serve ? "begin to serve (on_serving)"
                             : what == step::stop  ? "stop"
                                                   : "make way (on_replacing)";
    return fmt::format("component '{}' did not {}{}", one.name(), verb, how);
}

void component_life::begin(step what, base::duration patience, done_call done) {
    // Only those that were asked to make way serve again.
    const auto served_before = step_ == step::hand_over ? next_ : 0;
    next_ = what == step::hand_over ? started_ : served_before;
    step_ = what;
    as_ = {};
    done_ = std::move(done);
    patience_ = patience;
    wait_.cancel();
    if (patience != base::duration::zero()) {
        wait_ = clock_.after(patience, [this] {
            const auto within = fmt::format(" within {} ms", in_ms(patience_));
            finish(error(errc::timeout, running_ != nullptr
                                            ? text_of(*running_, running_step_, within)
                                            : fmt::format("{} components did not start{}",
                                                          components_.size(), within)));
        });
    }
    later([this] { go_on(); });
}

void component_life::stop(door::stop_reason why, base::duration patience,
                          base::unique_function<void()> done) {
    step_ = step::stop;
    as_ = {};
    why_ = why;
    patience_ = patience;
    wait_.cancel();
    done_ = [done = std::move(done)](const result<void>&) mutable { done(); };
    if (running_ != nullptr) {
        return wait_to_stop();
    }
    go_on();
}

/// What has begun ends first.
void component_life::wait_to_stop() {
    wait_ = clock_.after(patience_, [this] {
        base::log::warn("server", "{}", text_of(*running_, running_step_, " in time"));
        leave_behind();
        go_on();
    });
}

void component_life::leave_behind() {
    if (running_step_ == step::start) {
        --started_;
    }
    running_ = nullptr;
    ++run_;
}

void component_life::go_on() {
    if (!done_ || running_ != nullptr) {
        return;
    }
    switch (step_) {
    case step::none:
        return;
    case step::start:
        // Counted before it is up: a stop in between stops this one too.
        return started_ == components_.size() ? finish({}) : call(*components_[started_++]);
    case step::serve:
        return next_ == started_ ? finish({}) : call(*components_[next_++]);
    case step::hand_over:
        return next_ == 0 ? finish({}) : call(*components_[--next_]);
    case step::stop:
        return started_ == 0 ? finish({}) : call(*components_[--started_]);
    }
}

void component_life::call(door::component& one) {
    running_ = &one;
    running_step_ = step_;
    auto end = std::make_unique<component_end>(
        alive_.guard([this, &one, what = step_, run = ++run_](const result<void>& outcome) {
            if (run == run_) {
                ended(one, what, outcome);
            }
        }));
    const served_request::scope here(serving_, as_);
    switch (step_) {
    case step::none:
        break;
    case step::start:
        return one.start(std::move(end));
    case step::serve:
        return one.on_serving(std::move(end));
    case step::hand_over:
        return one.on_replacing(std::move(end));
    case step::stop:
        wait_to_stop();
        return one.stop(why_, std::move(end));
    }
}

void component_life::ended(door::component& one, step what, const result<void>& outcome) {
    if (what == step::start && !outcome) {
        --started_;
    }
    running_ = nullptr;
    ++run_;
    if (what == step::stop || what != step_) {
        if (!outcome) {
            base::log::warn("server", "{}",
                            text_of(one, what, ": " + std::string(outcome.error().text())));
        }
        if (step_ == step::stop) {
            wait_.cancel();
        }
    } else if (!outcome) {
        return finish(error(outcome.error().code(),
                            text_of(one, what, ": " + std::string(outcome.error().text()))));
    }
    later([this] { go_on(); });
}

void component_life::finish(result<void> outcome) {
    wait_.cancel();
    if (auto done = std::exchange(done_, nullptr)) {
        done(std::move(outcome));
    }
}

} // namespace shaddock::server
