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
    /// Its coroutine was destroyed, or never began.
    ~component_end() override {
        if (next_) {
            done(error(errc::internal, "it ended without an answer"));
        }
    }
    void done(result<door::body> outcome) noexcept override {
        if (auto next = std::exchange(next_, nullptr)) {
            next(outcome ? result<void>() : result<void>(std::move(outcome).error()));
        }
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

std::string component_life::text_of(std::size_t one, step what, std::string_view how) const {
    const auto* const verb = what == step::start       ? "start"
                             : what == step::stop      ? "stop"
                             : what == step::hand_over ? "make way (on_replacing)"
                                                       : "begin to serve (on_serving)";
    return fmt::format("component '{}' did not {}{}", components_[one]->name(), verb, how);
}

void component_life::begin(step what, base::duration patience, done_call done) {
    serves_.resize(components_.size());
    step_ = what;
    is_under_way_ = true;
    as_ = {};
    done_ = std::move(done);
    worst_ = {};
    patience_ = patience;
    next_ = what == step::hand_over ? started_ : 0;
    wait_.cancel();
    if (patience != base::duration::zero()) {
        wait_ = clock_.after(patience, [this] { too_late(); });
    }
    later([this] { go_on(); });
}

void component_life::too_late() {
    const auto within = fmt::format(" within {} ms", in_ms(patience_));
    const auto goes_on = step_ == step::serve_again;
    finish(error(errc::timeout, running_ ? text_of(*running_, running_step_, within)
                                         : fmt::format("{} components did not start{}",
                                                       components_.size(), within)));
    is_under_way_ = goes_on;
}

void component_life::stop(door::stop_reason why, base::duration patience,
                          base::unique_function<void()> done) {
    step_ = step::stop;
    is_under_way_ = true;
    as_ = {};
    why_ = why;
    patience_ = patience;
    wait_.cancel();
    done_ = [done = std::move(done)](const result<void>&) mutable { done(); };
    if (running_) {
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
    running_.reset();
    ++run_;
}

void component_life::go_on() {
    if (is_under_way_ && !running_) {
        choose_next() ? call() : finish(std::exchange(worst_, result<void>()));
    }
}

/// Makes the next one of the step the running one; false: there is none.
bool component_life::choose_next() {
    switch (step_) {
    case step::none:
        return false;
    case step::start:
        if (started_ == components_.size()) {
            return false;
        }
        // Counted before it is up: a stop in between stops this one too.
        running_ = started_++;
        return true;
    case step::serve:
    case step::serve_again:
        while (next_ < started_ && serves_[next_]) {
            ++next_;
        }
        if (next_ == started_) {
            return false;
        }
        running_ = next_++;
        return true;
    case step::hand_over:
        while (next_ > 0 && !serves_[next_ - 1]) {
            --next_;
        }
        if (next_ == 0) {
            return false;
        }
        running_ = --next_;
        serves_[*running_] = false;
        return true;
    case step::stop:
        if (started_ == 0) {
            return false;
        }
        running_ = --started_;
        return true;
    }
    return false;
}

void component_life::call() {
    auto& one = *components_[*running_];
    running_step_ = step_;
    auto end = std::make_unique<component_end>(
        alive_.guard([this, run = ++run_](const result<void>& outcome) {
            if (run == run_) {
                ended(outcome);
            }
        }));
    const served_request::scope here(serving_, as_);
    switch (step_) {
    case step::none:
        break;
    case step::start:
        return one.start(std::move(end));
    case step::serve:
    case step::serve_again:
        return one.on_serving(std::move(end));
    case step::hand_over:
        return one.on_replacing(std::move(end));
    case step::stop:
        wait_to_stop();
        return one.stop(why_, std::move(end));
    }
}

void component_life::ended(const result<void>& outcome) {
    const auto one = *running_;
    const auto what = running_step_;
    running_.reset();
    ++run_;
    if (what == step::start && !outcome) {
        --started_;
    }
    if (what == step::serve || what == step::serve_again) {
        serves_[one] = outcome.has_value();
    }
    if (step_ == step::stop) {
        wait_.cancel();
    }
    if (!outcome) {
        const error why(outcome.error().code(),
                        text_of(one, what, ": " + std::string(outcome.error().text())));
        if (what == step_ && what != step::stop && what != step::serve_again) {
            return finish(why);
        }
        base::log::warn("server", "{}", why.text());
        if (what == step_ && worst_) {
            worst_ = why;
        }
    }
    later([this] { go_on(); });
}

void component_life::finish(result<void> outcome) {
    is_under_way_ = false;
    wait_.cancel();
    if (auto done = std::exchange(done_, nullptr)) {
        done(std::move(outcome));
    }
}

} // namespace shaddock::server
